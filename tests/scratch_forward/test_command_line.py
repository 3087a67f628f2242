"""`python -m scratch_forward`: what it prints, writes and exits with."""

import subprocess
import sys

import numpy as np
import pytest

from scratch_forward.__main__ import DIFFERS, DONE, REFUSED, main
from tests.support import archives

X = np.array([[1.0, 2.0]], np.float32)


@pytest.fixture
def model(tmp_path):
    return str(archives.write(tmp_path / "m.keras", archives.dense_members()))


def test_a_file_alone_is_summed_up(model, capsys) -> None:
    assert main([model]) == DONE
    printed = capsys.readouterr().out
    assert "dense (Dense)" in printed
    assert "Every layer is supported." in printed


def test_a_file_that_is_refused_exits_with_2(tmp_path, capsys) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    for command in (["summary"], ["verify"], ["predict", str(tmp_path / "x.npy")]):
        assert main([command[0], str(path), *command[1:]]) == REFUSED
        assert "git lfs pull" in capsys.readouterr().err


def test_predictions_are_written(model, tmp_path, capsys) -> None:
    np.save(tmp_path / "x.npy", X)
    target = tmp_path / "y.npy"
    assert main(["predict", model, str(tmp_path / "x.npy"), "--output", str(target)]) == DONE
    assert np.load(target).tolist() == [[7.5, 0.0]]
    np.save(tmp_path / "x.npy", X[:, :1])
    assert main(["predict", model, str(tmp_path / "x.npy"), "--output", str(target)]) == REFUSED
    assert "expects shape (None, 2), got (1, 1)" in capsys.readouterr().err


def test_a_limit_is_raised_by_its_name(model, capsys) -> None:
    assert main([model, "--limit", "parameters=1"]) == REFUSED
    assert "Limits(parameters=...)" in capsys.readouterr().err
    assert main([model, "--limit", "parameters=6", "--limit", "expansion_ratio=3.5"]) == DONE
    assert main([model, "--limit", "weights=6"]) == REFUSED
    assert "one of archive_bytes, members" in capsys.readouterr().err


def test_a_card_is_written_by_keras_and_replayed(tmp_path, capsys) -> None:
    keras = pytest.importorskip("keras")
    path = tmp_path / "m.keras"
    a, b = keras.Input((2,), name="zeta"), keras.Input((3,), name="alpha")
    joined = keras.layers.Concatenate()([keras.layers.Dense(2)(a), b])
    keras.Model({"zeta": a, "alpha": b}, keras.layers.Dense(2)(joined)).save(path)
    assert main(["verify", str(path)]) == REFUSED
    assert "--write" in capsys.readouterr().err
    assert main(["verify", str(path), "--write"]) == DONE
    assert "answers as Keras did" in capsys.readouterr().out
    keras.Model({"zeta": a, "alpha": b}, keras.layers.Dense(2)(joined)).save(path)
    assert main(["verify", str(path)]) == DIFFERS


def test_the_module_is_a_program(model) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scratch_forward", model],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (DONE, "")
