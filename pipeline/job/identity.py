"""What identifies a run: its settings, its data, and the code that computes it."""

import ast
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from pipeline.job.function_sources import sources
from pipeline.settings.model_function import model_function

# All code that decides a run's weights and scores. Tracking, checking, drawing and listing change
# no result, and data are identified by their fingerprints.
_PACKAGE = Path(__file__).resolve().parents[1]
COMPUTES = (
    "models/build.py",
    "models/keras_backend.py",
    "models/output_fit.py",
    "tasks",
    "training",
    "job/run.py",
)  # in addition to the model's own files
# Parameters that only locate what is identified by its content.
_PLACES = ("dataset.path", "model.path", "initial_weights")
_LIBRARIES = ("tensorflow", "keras", "numpy")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def identity(
    parameters: Mapping[str, str],
    fingerprints: Mapping[str, str],
    brought: Mapping[str, str] | None = None,
) -> str:
    """Hash everything that determines a run's result.

    Args:
        parameters: every hyperparameter by its command-line name, without names and tracking; the
            location of the data is ignored.
        fingerprints: fingerprints of the data, by split.
        brought: digests of what the user brings to the fit, by name; None for nothing.

    Returns:
        64 hexadecimal digits.
    """
    determined = {
        "parameters": {key: value for key, value in parameters.items() if key not in _PLACES},
        "data": dict(fingerprints),
        "code": code_versions(parameters["model"]).whole,
    }
    if brought:
        determined["brought"] = dict(brought)
    return _sha256(json.dumps(determined, sort_keys=True))


class CodeVersions(NamedTuple):
    """Hashes of the code that computes a model's numbers."""

    whole: str  # of all of it, and of the versions of its libraries
    training: str  # of the code that all models share
    model: str  # of the model's own files


@cache
def code_versions(model: str) -> CodeVersions:
    """Hash the code of the training and the model's own files.

    The code is parsed before hashing, so comments, docstrings and layout have no effect. Unlike a
    commit id, the hash also works in an installed package and changes with uncommitted edits.
    """
    training, own = _code(_training_files()), _code(sources(model_function(model)))
    libraries = "".join(f"{library}=={version(library)}" for library in _LIBRARIES)
    return CodeVersions(_sha256(training + own + libraries), _sha256(training), _sha256(own))


def _training_files() -> dict[str, Path]:
    paths = [_PACKAGE / name for name in COMPUTES]
    files = [file for path in paths for file in (sorted(path.rglob("*.py")) or [path])]
    return {file.relative_to(_PACKAGE).as_posix(): file for file in files}


def source_digest(file: Path) -> str:
    """Return a hash of a Python file that comments, docstrings and layout do not change."""
    return _sha256(_without_words(file.read_text("utf-8")))


def _code(files: Mapping[str, Path]) -> str:
    return "".join(
        f"{place}\n{_without_words(file.read_text('utf-8'))}\n" for place, file in files.items()
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _without_words(source: str) -> str:
    """Return Python source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
