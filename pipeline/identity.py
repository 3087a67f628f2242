"""What makes two runs the same run: settings, data, and the code that computes."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

# What a run's weights and scores depend on. How runs are tracked, checked, drawn or listed changes
# no result, and data is known by its fingerprint.
COMPUTES = (
    "augmentation.py",
    "batches.py",
    "bucketing.py",
    "compilation.py",
    "evaluation.py",
    "keras_backend.py",
    "models.py",
    "optimizers.py",
    "prediction.py",
    "run.py",
    "training.py",
)
_PLACES = ("dataset.path",)  # a parameter, yet only where data lies
_LIBRARIES = ("tensorflow", "keras", "numpy")


def identity(parameters: Mapping[str, object], fingerprints: Mapping[str, str]) -> str:
    """Hash what determines a run's result.

    Args:
        parameters: every hyperparameter, by its name on the command line. Names and tracking are
            not among them; where data lies does not count.
        fingerprints: of the data, by split.

    Returns:
        64 hexadecimal digits.
    """
    determined = {
        "parameters": {key: str(value) for key, value in parameters.items() if key not in _PLACES},
        "data": dict(fingerprints),
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(determined, sort_keys=True).encode()).hexdigest()


@cache
def code_version() -> str:
    """Hash the files that compute, and the versions of the libraries that do it for them.

    Unlike a commit it holds in an installed package too, changes with an edit that was not
    committed, and stays when only words were changed elsewhere.
    """
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent
    for name in COMPUTES:
        digest.update(name.encode() + (package / name).read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()
