"""Whose rounding a difference is: both float32 results held against a float64 run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.nested_arrays import leaves

Array = NDArray[Any]

UNIT = 2.0**-23  # the last place of a float32 near 1
ROUNDING = 4 * UNIT
DRAWS = 4  # of nudged weights
# TensorFlow's tanh and sigmoid are off by 5 to 6 such units, NumPy's by 1 to 3. Among 222 trained
# models that missed 1e-6, the greater error was up to 9.3 times what it is held against.
FACTOR = 16


@dataclass(frozen=True)
class Errors:
    """Largest absolute error of two float32 predictions against the same model in float64.

    Deep recurrent models can carry rounding past any fixed bar in Keras itself. The float64 run is
    ours, so a fault of ours is in it too, and shows as an error of Keras that is out of proportion.

    Attributes:
        keras: of the reference.
        scratch: of the forward pass in float32.
        sensitivity: how far the float64 outputs move when every weight is nudged by up to a unit
            in float32's last place, the most of four draws; None where the two errors alone are
            in proportion. A backward-stable float32 pass is the exact pass of such a model
            (Higham, Accuracy and Stability of Numerical Algorithms, 1.5).
    """

    keras: float
    scratch: float
    sensitivity: float | None = None

    @property
    def explain(self) -> bool:
        """Whether both errors are of the size of rounding.

        The greater is at most 16 times the lesser, or 16 times the sensitivity.
        """
        less, more = sorted((self.keras, self.scratch))
        return more <= FACTOR * max(less, ROUNDING, self.sensitivity or 0.0)


def errors(keras: Array, scratch: Array, oracle: Array) -> Errors:
    """Measure two float32 arrays against float64 values of the same shape."""
    return Errors(_distance(keras, oracle), _distance(scratch, oracle))


def measure(
    double: Model | Sequential, inputs: Any, keras: Sequence[Array], scratch: Sequence[Array]
) -> list[Errors]:
    """Measure two float32 predictions, and the model's sensitivity where they leave a doubt.

    Args:
        double: the model in float64; its weights are afterwards what they were.
        inputs: as `double.predict` takes them.
        keras: the reference, an array for each output of the model.
        scratch: the same of the forward pass in float32.
    """
    oracle = list(leaves(double.predict(inputs)))
    found = [errors(*arrays) for arrays in zip(keras, scratch, oracle, strict=True)]
    if all(one.explain for one in found):
        return found
    moved = _sensitivity(double, inputs, oracle)
    return [replace(one, sensitivity=most) for one, most in zip(found, moved, strict=True)]


def _sensitivity(double: Model | Sequential, inputs: Any, oracle: Sequence[Array]) -> list[float]:
    weights = [np.array(array) for array in double.get_weights()]
    moved = []
    for seed in range(DRAWS):
        draw = np.random.default_rng(seed)
        double.set_weights([w * (1 + UNIT * draw.uniform(-1, 1, w.shape)) for w in weights])
        outputs = leaves(double.predict(inputs))
        moved.append([_distance(*pair) for pair in zip(outputs, oracle, strict=True)])
    double.set_weights(weights)
    return [max(each) for each in zip(*moved, strict=True)]


def _distance(found: Array, exact: Array) -> float:
    return float(np.abs(found - exact).max())
