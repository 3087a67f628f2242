"""Train Keras models in Hydra sweeps, track them in MLflow, prove each one with NumPy.

A model function of your own takes a `DataSpec`; `TextSpec` or `ImageSpec` if it reads only those.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.data.data_spec import DataSpec, ImageSpec, TextSpec

__all__ = ["DataSpec", "ImageSpec", "TextSpec"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline.data import data_spec

    return getattr(data_spec, name)
