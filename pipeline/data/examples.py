"""Raw examples as a data set's reader returns them, before subsets and preprocessing."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.data.large_arrays import parts
from scratch_forward.preprocessing import tokenize

Array: TypeAlias = NDArray[Any]
Texts: TypeAlias = tuple[str, ...]
Raw: TypeAlias = Array | Texts | Mapping[str, Array | Texts]


@dataclass(frozen=True, eq=False)
class Examples:
    """Raw examples from the source.

    Attributes:
        inputs: images, uint8 of shape ``(M, H, W, C)``, other arrays ``(M, ...)``, M texts, or a
            dict of these by the input's name. Arrays may be memory-mapped.
        labels: class indices, int64 of shape ``(N,)``, or other labels as in `Split`.
        rows: the N of the M inputs that belong to this set, read when they are needed; None
            for all.
    """

    inputs: Raw
    labels: Array
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def texts(self) -> Texts:
        """The inputs, typed as texts."""
        assert isinstance(self.inputs, tuple)
        if self.rows is None:
            return self.inputs
        return tuple(self.inputs[row] for row in self.rows)

    @property
    def images(self) -> Array:
        """The inputs, typed as one array in memory."""
        return self.array(slice(0, len(self)))

    def array(self, part: slice) -> Array:
        """Return some of the inputs, which are one array."""
        assert isinstance(self.inputs, np.ndarray)
        return self.inputs[part] if self.rows is None else self.inputs[self.rows[part]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input, which is an array."""
        assert isinstance(self.inputs, np.ndarray)
        return self.inputs.shape[1:]

    def parts(self) -> Iterator[tuple[slice, Array]]:
        """Yield the inputs, which are one array, in parts of a few megabytes."""
        assert isinstance(self.inputs, np.ndarray)
        for part in parts(len(self), self.inputs[:1].nbytes):
            yield part, self.array(part)

    def named(self) -> dict[str, Examples]:
        """Return the examples of each of several inputs, by the input's name."""
        assert isinstance(self.inputs, Mapping)
        return {name: Examples(one, self.labels, self.rows) for name, one in self.inputs.items()}

    def contents(self) -> list[Hashable]:
        """Return N values that are equal for examples that no model here can distinguish.

        For texts these are the tokens, so case and punctuation do not count; for arrays the
        SHA-256 of the numbers.
        """
        if isinstance(self.inputs, Mapping):
            return list(zip(*(one.contents() for one in self.named().values()), strict=True))
        if isinstance(self.inputs, tuple):
            return [tuple(tokenize(text)) for text in self.texts]
        return [
            hashlib.sha256(np.ascontiguousarray(one).data).digest()
            for _, part in self.parts()
            for one in part
        ]

    def take(self, indices: NDArray[np.int64]) -> Examples:
        """Return the examples at these indices, in this order."""
        rows = indices if self.rows is None else self.rows[indices]
        return Examples(self.inputs, self.labels[indices], rows)


@dataclass(frozen=True, eq=False)
class Source:
    """The whole raw data set and its source, as a reader returns it.

    Attributes:
        train: all training examples.
        validation: examples for choosing between models.
        test: examples for the final score only.
        classes: class names in label order; names of the labels or targets where these are the
            columns of the labels.
        origin: one phrase on the source of the data and how far it is verified.
        checksums: SHA-256 of each file read, by its path under the data directory.
        scale: factor that maps a raw pixel into [0, 1]; 1 for other data.
        columns: the column names of a table; empty for other data.
    """

    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...]
    origin: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    scale: float = 1.0
    columns: tuple[str, ...] = ()

    @classmethod
    def divided(
        cls, everything: Examples, parts: Iterable[NDArray[np.int64]], **described: Any
    ) -> Source:
        """Return the source of which each part has the examples at these indices."""
        train, validation, test = (everything.take(rows) for rows in parts)
        return cls(train, validation, test, **described)
