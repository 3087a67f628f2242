"""What a model file holds, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scratch_forward.layers.base import Layer


@dataclass(frozen=True)
class ModelFile:
    """A model file that was read.

    Attributes:
        config: The model's configuration, parsed.
        keras_version: Version of Keras that wrote it, such as `"2.15.0"`.
        assign: Sets the weights of a built model, all or none.
        read_asset: Returns a text file by its path below `assets/`.
    """

    config: dict[str, Any]
    keras_version: str
    assign: Callable[[Layer], None]
    read_asset: Callable[[str], str]

    @property
    def is_keras_2(self) -> bool:
        """Whether Keras 2, or 1, wrote the file."""
        return self.keras_version.split(".")[0] in ("0", "1", "2")
