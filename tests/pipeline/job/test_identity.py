import ast
import shutil
from pathlib import Path

import pytest

from pipeline.job import identity as module
from pipeline.job.function_sources import sources
from pipeline.job.identity import COMPUTES, code_versions, identity
from pipeline.settings.model_function import built_in_models, model_function

PACKAGE = Path(module.__file__).parents[1]
PARAMETERS = {"model": "lstm", "units": 64, "seed": 0}
DATA = {"train": "a", "test": "b"}


def test_the_same_determination_is_the_same_identity():
    assert identity(PARAMETERS, DATA) == identity(dict(reversed(PARAMETERS.items())), DATA)


@pytest.mark.parametrize("changed", [{"units": 65}, {"seed": 1}, {"model": "gru"}])
def test_a_setting_changes_it(changed):
    assert identity({**PARAMETERS, **changed}, DATA) != identity(PARAMETERS, DATA)


def test_the_data_changes_it():
    assert identity(PARAMETERS, {**DATA, "test": "c"}) != identity(PARAMETERS, DATA)


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A copy of the code that computes, hashed instead of the package's own."""
    for name in COMPUTES:
        source, copy = PACKAGE / name, tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    code_versions.cache_clear()
    yield tmp_path
    code_versions.cache_clear()


def _changed(file, change):
    code_versions.cache_clear()
    before = identity(PARAMETERS, DATA)
    text = file.read_text() if file.exists() else ""
    file.write_text(change(text))
    code_versions.cache_clear()
    return identity(PARAMETERS, DATA) != before


def test_the_code_that_computes_changes_it(package):
    assert _changed(package / "training" / "fitting.py", lambda text: text + "\none = 2\n")
    assert _changed(package / "tasks" / "another.py", lambda text: "one = 1\n")


def test_comments_docstrings_and_layout_do_not_change_it(package):
    file = package / "training" / "fitting.py"
    assert ast.get_docstring(ast.parse(file.read_text()))
    assert not _changed(file, lambda text: text.replace('"""', '"""Other words. ', 1))
    assert not _changed(file, lambda text: text.replace("\n\n\n", "\n\n\n# A comment.\n"))


def test_every_module_that_trains_with_keras_computes():
    using = {
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if "keras_backend" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline.models.keras_backend"
    }
    assert len(using) > 5
    # What is stored, the diagnosis and the evaluation of a finished run change no result.
    others = {
        Path("job/records.py"),
        Path("verification/diagnosis.py"),
        Path("evaluation/evaluate_run.py"),
    }
    assert {path for path in using - others if not _computes(path)} == set()


def _computes(path):
    own = {
        path.as_posix()
        for name in built_in_models()
        for path in map(Path, sources(model_function(name)))
    }
    return any(path.is_relative_to(name) for name in COMPUTES) or f"pipeline/{path}" in own


def test_a_model_depends_on_its_own_files_alone():
    lstm, cnn = (set(sources(model_function(name))) for name in ("lstm", "cnn"))
    assert lstm == {
        f"pipeline/models/{name}.py" for name in ("head", "keras_backend", "memory", "recurrent")
    }
    assert "pipeline/models/convolutional.py" in cnn - lstm


def test_data_that_were_moved_are_the_same_data():
    here, there = ({**PARAMETERS, "dataset.path": f"/{name}/reviews.csv"} for name in "ab")
    assert identity(here, DATA) == identity(there, DATA)
