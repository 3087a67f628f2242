"""Train Keras models in Hydra sweeps, track them in MLflow, verify each one with NumPy.

A custom model function takes a `DataSpec`, or a `TextSpec`, `ImageSpec`, `TableSpec`, `ArraySpec`
or `InputsSpec` if it accepts only data of this kind.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.data.data_spec import (
        ArraySpec,
        DataSpec,
        ImageSpec,
        InputsSpec,
        TableSpec,
        TextSpec,
    )

__all__ = ["ArraySpec", "DataSpec", "ImageSpec", "InputsSpec", "TableSpec", "TextSpec"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline.data import data_spec

    return getattr(data_spec, name)
