import ast
from pathlib import Path

import pytest

from pipeline import identity as module
from pipeline.identity import COMPUTES, code_version, identity

PARAMETERS = {"model": "lstm", "units": 64, "seed": 0}
DATA = {"train": "a", "test": "b"}


def test_the_same_determination_is_the_same_identity():
    assert identity(PARAMETERS, DATA) == identity(dict(reversed(PARAMETERS.items())), DATA)
    assert identity(PARAMETERS, DATA) == identity({**PARAMETERS, "units": "64"}, DATA)


@pytest.mark.parametrize("changed", [{"units": 65}, {"seed": 1}, {"model": "gru"}])
def test_a_setting_changes_it(changed):
    assert identity({**PARAMETERS, **changed}, DATA) != identity(PARAMETERS, DATA)


def test_the_data_changes_it():
    assert identity(PARAMETERS, {**DATA, "test": "c"}) != identity(PARAMETERS, DATA)


def test_the_code_that_computes_changes_it(monkeypatch, tmp_path):
    for name in COMPUTES:
        (tmp_path / name).write_text("one = 1")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "identity.py"))
    code_version.cache_clear()
    before = identity(PARAMETERS, DATA)
    (tmp_path / "training.py").write_text("one = 2")
    code_version.cache_clear()
    assert identity(PARAMETERS, DATA) != before
    monkeypatch.undo()
    code_version.cache_clear()


def test_every_module_that_trains_with_keras_computes():
    package = Path(module.__file__).parent
    using = {
        path.name
        for path in package.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline.keras_backend"
    }
    # What is stored, and the diagnosis of a finished run, change no result.
    assert using - {"records.py", "diagnosis.py"} <= set(COMPUTES)


def test_data_that_were_moved_are_the_same_data():
    here, there = ({**PARAMETERS, "dataset.path": f"/{name}/reviews.csv"} for name in "ab")
    assert identity(here, DATA) == identity(there, DATA)
