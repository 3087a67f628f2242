"""The content of a model file, independent of its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scratch_forward.layers.base import Array, Layer


@dataclass(frozen=True)
class ModelFile:
    """The content of a model file.

    Attributes:
        config: Parsed configuration of the model.
        keras_version: Keras version that wrote the file, such as `"2.15.0"`.
        assign: Sets the weights of a built model: all of them, or none on an error.
        read_asset: Returns the content of a text file, given its path below `assets/`.
        read_array: Returns an array that is not among Keras's `get_weights`, given its path in the
            weights file.
    """

    config: dict[str, Any]
    keras_version: str
    assign: Callable[[Layer], None]
    read_asset: Callable[[str], str]
    read_array: Callable[[str], Array]

    @property
    def is_keras_2(self) -> bool:
        """Whether Keras 1 or 2 wrote the file."""
        return self.keras_version.split(".")[0] in ("0", "1", "2")
