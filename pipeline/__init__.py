"""Train Keras models in Hydra sweeps, track them in MLflow, verify each one with NumPy.

In Python, `train`, `runs`, `load` and `evaluate` do what the commands of these names do; whatever
cannot be done raises a `PipelineError`.

A custom model function takes a `DataSpec`, or a `TextSpec`, `ImageSpec`, `TableSpec`, `ArraySpec`
or `InputsSpec` if it accepts only data of this kind.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.api.evaluate_runs import evaluate
    from pipeline.api.list_runs import runs
    from pipeline.api.load_run import load
    from pipeline.api.train_sweep import train
    from pipeline.data.data_spec import (
        ArraySpec,
        DataSpec,
        ImageSpec,
        InputsSpec,
        TableSpec,
        TextSpec,
    )
    from pipeline.errors import PipelineError

__all__ = [
    "ArraySpec",
    "DataSpec",
    "ImageSpec",
    "InputsSpec",
    "PipelineError",
    "TableSpec",
    "TextSpec",
    "evaluate",
    "load",
    "runs",
    "train",
]
_HOMES = {
    "PipelineError": "pipeline.errors",
    "evaluate": "pipeline.api.evaluate_runs",
    "load": "pipeline.api.load_run",
    "runs": "pipeline.api.list_runs",
    "train": "pipeline.api.train_sweep",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "pipeline.data.data_spec")), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]


class _Package(ModuleType):
    """Keeps `pipeline.train` the function when `pipeline/train.py`, the command, is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
