"""Raw examples as a data set's reader returns them, before subsets and preprocessing."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scratch_forward.preprocessing import tokenize

Images = NDArray[np.uint8]
Texts = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Examples:
    """Raw examples from the source.

    Attributes:
        inputs: images, uint8 of shape ``(N, H, W, C)``, or N texts.
        labels: class indices, int64 of shape ``(N,)``.
    """

    inputs: Images | Texts
    labels: NDArray[np.int64]

    @property
    def texts(self) -> Texts:
        """The inputs, typed as texts."""
        assert isinstance(self.inputs, tuple)
        return self.inputs

    @property
    def images(self) -> Images:
        """The inputs, typed as images."""
        assert isinstance(self.inputs, np.ndarray)
        return self.inputs

    def contents(self) -> list[Hashable]:
        """Return N values that are equal for examples that no model here can distinguish.

        For texts these are the tokens, so case and punctuation do not count; for images the
        SHA-256 of the pixels.
        """
        if isinstance(self.inputs, tuple):
            return [tuple(tokenize(text)) for text in self.inputs]
        return [hashlib.sha256(np.ascontiguousarray(one).data).digest() for one in self.inputs]

    def take(self, indices: NDArray[np.int64]) -> Examples:
        """Return the examples at these indices, in this order."""
        if isinstance(self.inputs, tuple):
            inputs: Images | Texts = tuple(self.inputs[index] for index in indices)
        else:
            inputs = self.inputs[indices]
        return Examples(inputs, self.labels[indices])


@dataclass(frozen=True, eq=False)
class Source:
    """The whole raw data set and its source, as a reader returns it.

    Attributes:
        train: all training examples.
        validation: examples for choosing between models.
        test: examples for the final score only.
        classes: class names in label order.
        origin: one phrase on the source of the data and how far it is verified.
        checksums: SHA-256 of each file read, by its path under the data directory.
        scale: factor that maps a raw pixel into [0, 1]; 1 for text.
    """

    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...]
    origin: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    scale: float = 1.0
