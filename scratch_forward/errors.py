"""What can be wrong with a file, a model or an option, told in one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class ArchiveError(ValueError):
    """A file is malformed, contradicts itself, or asks for more than the limits allow."""


class PreprocessingError(ValueError):
    """Raw input, or the description of how to prepare it, is not what it should be."""


class InvalidOption(ValueError):
    """A layer's argument has a value that is not supported.

    Attributes:
        option: Name of the argument.
        value: What was received.
        nearest: What is supported instead, in words.
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
    """One thing in a model that this package does not compute.

    Attributes:
        layer: Path of the layer, names of its containers first, as `model/encoder/lstm`.
        option: The argument, or `class_name` when the layer itself is unknown.
        value: What the model asks for.
        nearest: What is supported instead, in words.
    """

    layer: str
    option: str
    value: Any
    nearest: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.option}={self.value!r} (supported: {self.nearest})"


class UnsupportedModelError(ValueError):
    """A model uses what this package does not compute; `items` is the whole list of it."""

    def __init__(self, items: Sequence[Unsupported]) -> None:
        self.items = tuple(items)
        count = f"{len(self.items)} thing" + ("s" if len(self.items) != 1 else "")
        lines = "".join(f"\n  {item}" for item in self.items)
        super().__init__(f"The model uses {count} that the forward pass does not support:{lines}")
