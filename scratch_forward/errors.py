"""Errors for files, models and options. Each message is one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class ArchiveError(ValueError):
    """A file is malformed, inconsistent, or exceeds a limit."""


class PreprocessingError(ValueError):
    """Raw input or a stored preprocessing is invalid."""


class InvalidOption(ValueError):
    """An argument of a layer has a value that is not supported.

    Attributes:
        option: Name of the argument.
        value: The received value.
        nearest: Description of what is supported instead.
    """

    def __init__(self, option: str, value: Any, nearest: str) -> None:
        super().__init__(
            f"Received an invalid value for argument `{option}`: expected {nearest}, got {value!r}."
        )
        self.option = option
        self.value = value
        self.nearest = nearest


@dataclass(frozen=True)
class Unsupported:
    """A feature of a model that this package does not support.

    Attributes:
        layer: Path of the layer, from the outermost container, such as `model/encoder/lstm`.
        option: The argument, or `class_name` if the layer itself is unknown.
        value: The value in the model.
        nearest: Description of what is supported instead.
    """

    layer: str
    option: str
    value: Any
    nearest: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.option}={self.value!r} (supported: {self.nearest})"


class UnsupportedModelError(ValueError):
    """A model uses unsupported features. `items` lists all of them."""

    def __init__(self, items: Sequence[Unsupported]) -> None:
        self.items = tuple(items)
        count = f"{len(self.items)} thing" + ("s" if len(self.items) != 1 else "")
        lines = "".join(f"\n  {item}" for item in self.items)
        super().__init__(f"The model uses {count} that the forward pass does not support:{lines}")

    @property
    def listed(self) -> str:
        """All items in one line."""
        return "; ".join(map(str, self.items))
