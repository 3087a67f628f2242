"""Files that Keras 2 wrote, in all of its formats."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.__main__ import main

pytestmark = [
    pytest.mark.slow,  # Keras 2 writes in a process of its own
    pytest.mark.skipif(
        find_spec("tf_keras") is None, reason="tf-keras is not installed (the extra test)"
    ),
]

ROOT = Path(__file__).parents[3]
FEW = ("dense_first", "lstm_hard", "text_both", "batch_norm", "frozen", "twins", "operators")


def write_corpus(folder: Path, *names: str) -> None:
    """Have Keras 2 write models, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.keras_2_corpus", str(folder), *names],
        cwd=ROOT,
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("few")
    write_corpus(folder, *FEW)
    return folder


def differences(path: Path) -> list[float]:
    """Return how far each output of a file lies from what Keras 2 computed."""
    stored = np.load(path.with_name(path.name.split(".")[0] + ".npz"))
    inputs = [stored[f"x{i}"] for i in range(len(stored.files)) if f"x{i}" in stored]
    expected = [stored[f"y{i}"] for i in range(len(stored.files)) if f"y{i}" in stored]
    model = sf.load(path)
    if stored["names"].size:
        found = model.predict(dict(zip(stored["names"].tolist(), inputs, strict=True)))
    else:
        found = model.predict(inputs if len(inputs) > 1 else inputs[0])
    if stored["keys"].size:
        found = [found[key] for key in stored["keys"].tolist()]
    found = found if isinstance(found, list) else [found]
    assert [y.shape for y in found] == [y.shape for y in expected]
    return [float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True)]


@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("name", FEW)
def test_a_model_of_keras_2_answers_as_it_did(few, name, ending) -> None:
    assert max(differences(few / f"{name}.{ending}")) < 1e-5


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("ending", ["weights.h5", "only_weights.h5", "h5", "keras"])
def test_weights_alone_fit_the_model_that_wrote_them(few, name, ending) -> None:
    whole, other = sf.load(few / f"{name}.h5"), sf.load(few / f"{name}.h5")
    other.set_weights([0 * weight for weight in other.get_weights()])
    other.load_weights(few / f"{name}.{ending}")
    for mine, theirs in zip(other.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_weights_without_a_model_say_how_to_load_them(few) -> None:
    with pytest.raises(sf.ArchiveError, match="load_weights"):
        sf.load(few / "twins.only_weights.h5")
    with pytest.raises(sf.ArchiveError, match="layers with weights; the model has"):
        sf.load(few / "twins.h5").load_weights(few / "frozen.only_weights.h5")


@pytest.mark.parametrize("name", ["dense_first", "text_both", "batch_norm", "frozen", "twins"])
def test_a_converted_model_is_one_of_keras_3(few, name, tmp_path) -> None:
    keras = pytest.importorskip("keras")
    target = tmp_path / f"{name}.keras"
    assert main(["convert", str(few / f"{name}.h5"), str(target)]) == 0
    stored = np.load(few / f"{name}.npz")
    inputs = [stored[f"x{i}"] for i in range(len(stored.files)) if f"x{i}" in stored]
    given = inputs if len(inputs) > 1 else inputs[0]
    expected = [stored[f"y{i}"] for i in range(len(stored.files)) if f"y{i}" in stored]
    theirs = keras.saving.load_model(target).predict(given, verbose=0)
    for found in (theirs, sf.load(target).predict(given)):
        flat = found if isinstance(found, list) else [found]
        for mine, true in zip(flat, expected, strict=True):
            np.testing.assert_allclose(mine, true, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm_hard", "operators"])
def test_what_keras_3_lacks_is_not_converted(few, name, tmp_path, capsys) -> None:
    target = tmp_path / "m.keras"
    assert main(["convert", str(few / f"{name}.h5"), str(target)]) == 2
    assert not target.exists()
    assert "Keras 3 does not have" in capsys.readouterr().err


def test_every_file_of_the_corpus_answers_as_keras_2_did(tmp_path) -> None:
    write_corpus(tmp_path)
    files = [
        path
        for path in sorted(tmp_path.iterdir())
        if path.suffix in (".h5", ".keras") and "weights" not in path.name
    ]
    assert len(files) >= 60
    failed: dict[str, object] = {}
    for path in files:
        try:
            worst = max(differences(path))
        except Exception as error:
            failed[path.name] = repr(error)
        else:
            if worst > 2e-5:
                failed[path.name] = worst
    assert not failed
