"""The source of a difference: both float32 results are compared with a float64 run."""

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

UNIT = 2.0**-23  # spacing of float32 numbers from 1 on
ROUNDING = 4 * UNIT
DRAWS = 4  # random perturbations of the weights
# TensorFlow's tanh and sigmoid have errors of 5 to 6 such units, NumPy's of 1 to 3. Among 222
# trained models with differences above 1e-6, the larger error was at most 9.3 times what it is
# compared to.
FACTOR = 16


@dataclass(frozen=True)
class Errors:
    """Largest absolute errors of two float32 predictions, measured against the model in float64.

    Rounding errors of deep recurrent models can exceed any fixed threshold, in Keras as well. The
    float64 run uses this package, so a fault in the package affects it too. Such a fault appears as
    a disproportionate error of Keras.

    Attributes:
        keras: Error of the reference.
        scratch: Error of the forward pass in float32.
        sensitivity: Largest change of the float64 outputs when every weight is changed by up to one
            unit in float32's last place, over four random draws. None if the two errors alone are
            in proportion. A backward-stable float32 computation is the exact computation of such a
            perturbed model (Higham, Accuracy and Stability of Numerical Algorithms, 1.5).
    """

    keras: float
    scratch: float
    sensitivity: float | None = None

    @property
    def explain(self) -> bool:
        """Whether both errors have the size of rounding errors.

        The larger error is at most 16 times the smaller one, or 16 times the sensitivity.
        """
        less, more = sorted((self.keras, self.scratch))
        return more <= FACTOR * max(less, ROUNDING, self.sensitivity or 0.0)


def errors(keras: Array, scratch: Array, oracle: Array) -> Errors:
    """Measure two float32 arrays against float64 values of the same shape."""
    return Errors(_distance(keras, oracle), _distance(scratch, oracle))


def measure(
    double: Model | Sequential, inputs: Any, keras: Sequence[Array], scratch: Sequence[Array]
) -> list[Errors]:
    """Measure two float32 predictions, and the model's sensitivity if the errors leave a doubt.

    Args:
        double: The model in float64. Its weights are restored afterwards.
        inputs: Inputs in the form that `double.predict` takes.
        keras: Outputs of the reference, one float32 array per output of the model.
        scratch: Outputs of the forward pass in float32, in the same form.

    Returns:
        The errors of each output.
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
