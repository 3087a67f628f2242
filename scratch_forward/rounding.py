"""Whose rounding a difference is: both float32 results held against a float64 run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDING = 4 * 2.0**-23  # a few units in the last place of a number near 1 in float32


@dataclass(frozen=True)
class Errors:
    """Largest absolute error of two predictions against the same model in float64.

    Deep recurrent models can carry rounding past any fixed bar in Keras itself: this tells whose
    it is.
    """

    keras: float
    scratch: float

    @property
    def explain(self) -> bool:
        """Whether the forward pass is about as near to the truth as Keras, or nearer."""
        return self.scratch <= 2 * self.keras + ROUNDING


def errors(keras: NDArray[Any], scratch: NDArray[Any], oracle: NDArray[Any]) -> Errors:
    """Measure two float32 arrays against float64 values of the same shape."""
    return Errors(float(np.abs(keras - oracle).max()), float(np.abs(scratch - oracle).max()))
