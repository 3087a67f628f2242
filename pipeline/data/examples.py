"""Raw examples: what a data set's reader hands over, before subsets and preprocessing."""

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
    """Examples as they come from their source.

    Attributes:
        inputs: images, uint8 of shape ``(N, H, W, C)``, or N texts.
        labels: class indices, int64 of shape ``(N,)``.
    """

    inputs: Images | Texts
    labels: NDArray[np.int64]

    @property
    def texts(self) -> Texts:
        """The inputs, known to be texts."""
        assert isinstance(self.inputs, tuple)
        return self.inputs

    @property
    def images(self) -> Images:
        """The inputs, known to be images."""
        assert isinstance(self.inputs, np.ndarray)
        return self.inputs

    def contents(self) -> list[Hashable]:
        """N values that are equal for copies: examples that no model here can tell apart.

        For texts these are the tokens, so neither case nor punctuation counts; for images a sha256
        of the pixels.
        """
        if isinstance(self.inputs, tuple):
            return [tuple(tokenize(text)) for text in self.inputs]
        return [hashlib.sha256(np.ascontiguousarray(one).data).digest() for one in self.inputs]

    def take(self, indices: NDArray[np.int64]) -> Examples:
        """Pick the examples at these indices, in this order."""
        if isinstance(self.inputs, tuple):
            inputs: Images | Texts = tuple(self.inputs[index] for index in indices)
        else:
            inputs = self.inputs[indices]
        return Examples(inputs, self.labels[indices])


@dataclass(frozen=True, eq=False)
class Source:
    """What a reader returns: the whole data set, raw, and where it came from.

    Attributes:
        train: every training example there is.
        validation: examples for choosing between models.
        test: examples for the final score only.
        classes: class names in label order.
        origin: one phrase on where the data came from and how far that is verified.
        checksums: sha256 of each file read, by its path under the folder that holds the data.
        scale: what a raw pixel is multiplied by to lie in [0, 1]; 1 for text.
    """

    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...]
    origin: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    scale: float = 1.0
