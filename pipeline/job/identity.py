"""What identifies a run: its settings, its data, and the code that computes it."""

import ast
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

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
        "code": code_version(parameters["model"]),
    }
    if brought:
        determined["brought"] = dict(brought)
    return hashlib.sha256(json.dumps(determined, sort_keys=True).encode()).hexdigest()


@cache
def code_version(model: str) -> str:
    """Hash the code that computes a model's numbers, and the versions of its libraries.

    The code is that of the training and the model's own files. It is parsed before hashing, so
    comments, docstrings and layout have no effect. Unlike a commit id, the hash also works in an
    installed package and changes with uncommitted edits.
    """
    digest = hashlib.sha256()
    _add(digest, _training_files())
    _add(digest, sources(model_function(model)))
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()


@cache
def code_versions(model: str) -> dict[str, str]:
    """Return hashes of the code of the training and of the model's own, 16 digits each.

    Runs of different models can be compared if they were trained by the same code.
    """
    parts = {"training": _training_files(), "model": sources(model_function(model))}
    versions = {}
    for part, files in parts.items():
        _add(digest := hashlib.sha256(), files)
        versions[part] = digest.hexdigest()[:16]
    return versions


def _training_files() -> dict[str, Path]:
    paths = [_PACKAGE / name for name in COMPUTES]
    files = [file for path in paths for file in (sorted(path.rglob("*.py")) or [path])]
    return {file.relative_to(_PACKAGE).as_posix(): file for file in files}


def source_digest(file: Path) -> str:
    """Return a hash of a Python file that comments, docstrings and layout do not change."""
    return hashlib.sha256(_without_words(file.read_text("utf-8")).encode()).hexdigest()


def _add(digest: "hashlib._Hash", files: Mapping[str, Path]) -> None:
    for place, file in files.items():
        digest.update(f"{place}\n{_without_words(file.read_text('utf-8'))}\n".encode())


def _without_words(source: str) -> str:
    """Return Python source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
