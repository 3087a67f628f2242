"""Whose rounding a difference is: both float32 results held against a float64 run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDING = 4 * 2.0**-23  # a few units in the last place of a number near 1 in float32
# TensorFlow's tanh and sigmoid are off by 5 to 6 such units, NumPy's by 1 to 3. Among 193 trained
# models Keras was off by up to 14.6 times as much as the NumPy pass, and by 1.03e-5 at most.
FACTOR = 16


@dataclass(frozen=True)
class Errors:
    """Largest absolute error of two float32 predictions against the same model in float64.

    Deep recurrent models can carry rounding past any fixed bar in Keras itself. The float64 run is
    ours, so a fault of ours is in it too, and shows as an error of Keras that is out of proportion.
    """

    keras: float
    scratch: float

    @property
    def explain(self) -> bool:
        """Whether both errors are of the size of rounding: neither is over 16 times the other."""
        less, more = sorted((self.keras, self.scratch))
        return more <= FACTOR * max(less, ROUNDING)


def errors(keras: NDArray[Any], scratch: NDArray[Any], oracle: NDArray[Any]) -> Errors:
    """Measure two float32 arrays against float64 values of the same shape."""
    return Errors(float(np.abs(keras - oracle).max()), float(np.abs(scratch - oracle).max()))
