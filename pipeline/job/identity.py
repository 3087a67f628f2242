"""What makes two runs the same run: settings, data, and the code that computes."""

import ast
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline.job.model_sources import sources

# Everything that decides a run's weights and scores. How runs are tracked, checked, drawn or listed
# changes no result, and data is known by its fingerprint.
_PACKAGE = Path(__file__).resolve().parents[1]
COMPUTES = (
    "models/build.py",
    "models/keras_backend.py",
    "tasks",
    "training",
    "job/run.py",
)  # beside the model's own files
_PLACES = ("dataset.path",)  # a parameter, yet only where data lies
_LIBRARIES = ("tensorflow", "keras", "numpy")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def identity(parameters: Mapping[str, str], fingerprints: Mapping[str, str]) -> str:
    """Hash what determines a run's result.

    Args:
        parameters: every hyperparameter, by its name on the command line. Names and tracking are
            not among them; where data lies does not count.
        fingerprints: of the data, by split.

    Returns:
        64 hexadecimal digits.
    """
    determined = {
        "parameters": {key: value for key, value in parameters.items() if key not in _PLACES},
        "data": dict(fingerprints),
        "code": code_version(parameters["model"]),
    }
    return hashlib.sha256(json.dumps(determined, sort_keys=True).encode()).hexdigest()


@cache
def code_version(model: str) -> str:
    """Hash the code that computes a model's numbers, and the versions of the libraries it uses.

    That is the code that trains any model, and the model's own files.

    The parsed code is hashed, so comments, docstrings and layout change nothing. Unlike a commit,
    the hash also holds in an installed package and changes with an edit that was not committed.
    """
    digest = hashlib.sha256()
    for name in COMPUTES:
        path = _PACKAGE / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            place = file.relative_to(_PACKAGE).as_posix()
            _add(digest, place, file)
    for place, file in sources(model).items():
        _add(digest, place, file)
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", place: str, file: Path) -> None:
    digest.update(f"{place}\n{_without_words(file.read_text('utf-8'))}\n".encode())


def _without_words(source: str) -> str:
    """Python source without its comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
