"""Functions of a notebook: cells are run as IPython does, compiled under a name of their own."""

import importlib
import linecache
import sys
from types import ModuleType

import pytest

from pipeline.api.keyword_settings import as_words
from pipeline.settings import SettingsError

IMPORTS = """
import numpy as np
from typing import Annotated
from pydantic import Field
sizes = {"small": (4, 8)}
array = np.zeros(3)
random = np.random.default_rng(0)
"""
HELPERS = """
def total(x):
    return np.sum(x) + sum(sizes["small"])

@staticmethod
def unused(): ...

alias = total
"""
MODEL = """
def scaled(data, *, width: Annotated[int, Field(ge=1)] = 3):
    array = [width] * 2  # no name of the notebook
    return [alias(one) + np.float32(1) for one in (array, data)]

def looks(data):
    return array + data

def draws(data):
    return random.normal(size=3)
"""


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Run a cell in `__main__`; gives what is defined there."""
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def run(source, name):
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), vars(main))
        return main

    run(IMPORTS, "<cell 1>")
    run(HELPERS, "<cell 2>")
    yield run
    sys.modules.pop("scaled_cell", None)


def test_a_function_is_written_with_what_it_uses(notebook, tmp_path):
    main = notebook(MODEL, "<cell 3>")
    assert as_words({"model": [main.scaled, "lstm"]}) == ["model=scaled_cell:scaled,lstm"]
    written = importlib.import_module("scaled_cell")
    assert written.scaled(5, width=2) == main.scaled(5, width=2) == [17, 18]
    assert str(written.scaled.__annotations__) == str(main.scaled.__annotations__)
    assert not hasattr(written, "array")
    assert not hasattr(written, "unused")


def test_a_cell_that_is_run_again_replaces_its_module(notebook, tmp_path):
    main = notebook(MODEL, "<cell 3>")
    as_words({"model": main.scaled})
    file = tmp_path / "scaled_cell.py"
    before = file.stat().st_mtime_ns
    as_words({"model": main.scaled})
    assert file.stat().st_mtime_ns == before
    main = notebook(MODEL.replace("float32(1)", "float32(2)"), "<cell 4>")
    as_words({"model": main.scaled})
    assert "float32(2)" in file.read_text()


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("looks", "it uses `array`, a ndarray of this session"),
        ("draws", "it uses `random`, a Generator of this session"),
    ],
)
def test_one_that_uses_data_of_the_notebook_is_refused(notebook, tmp_path, function, why):
    main = notebook(MODEL, "<cell 3>")
    with pytest.raises(SettingsError, match=f"^dataset={function} cannot .*{why}; write it to a"):
        as_words({"dataset": getattr(main, function)})
    assert not list(tmp_path.iterdir())


def test_a_file_of_the_user_is_not_replaced(notebook, tmp_path):
    main = notebook(MODEL, "<cell 3>")
    (tmp_path / "scaled_cell.py").write_text("mine = 1\n")
    with pytest.raises(SettingsError, match=r"scaled_cell\.py exists and was written by hand"):
        as_words({"model": main.scaled})
    assert (tmp_path / "scaled_cell.py").read_text() == "mine = 1\n"


def test_one_without_source_is_refused(notebook):
    main = notebook(MODEL, "<cell 3>")
    linecache.cache.pop("<cell 3>")
    with pytest.raises(SettingsError, match="the source of `scaled` is unknown"):
        as_words({"model": main.scaled})
