"""All Keras activation functions, by their Keras names.

Each takes a float array of any shape and returns an array of the same shape and dtype, except that
`glu` halves one axis. Results are close to the exact values. They do not reproduce the rounding
errors of TensorFlow, which are larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import InvalidOption

Array = NDArray[Any]
Activation = Callable[[Array], Array]

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805

# NumPy reduces the axis of 10 classes row by row. From 32 rows on, two transpositions are faster:
# 2.7 times with 256 rows. With 64 classes they gain nothing.
_SHORT, _ROWS = 32, 32

_ERF_STEP = 1 / 512
_ERF_END = 6.0  # erf(6) rounds to 1 in float64
_ERF_NODES = np.arange(0.0, _ERF_END + _ERF_STEP, _ERF_STEP)
_ERF_VALUES = np.array([math.erf(node) for node in _ERF_NODES])
_ERF_SLOPES = 2 / math.sqrt(math.pi) * np.exp(-(_ERF_NODES**2))


def linear(x: Array) -> Array:
    """Return `x` unchanged."""
    return x


def relu(
    x: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Array:
    """`x` where `x > threshold`, at most `max_value`; else `negative_slope * (x - threshold)`."""
    above = np.where(x > threshold, x, x.dtype.type(0)) if threshold else np.maximum(x, 0)
    if max_value is not None:
        above = np.clip(above, 0, max_value)
    if negative_slope:
        above = above - negative_slope * np.maximum(threshold - x, 0)
    return above


def relu6(x: Array) -> Array:
    """`min(max(x, 0), 6)` (Krizhevsky 2010)."""
    return np.clip(x, 0, 6)


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """`x` if positive, else `negative_slope * x` (Maas et al. 2013)."""
    return np.where(x > 0, x, negative_slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """`x` if positive, else `alpha * (exp(x) - 1)` (arXiv:1511.07289)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x: Array) -> Array:
    """`scale * elu(x, alpha)`, with the constants of arXiv:1706.02515 (self-normalizing)."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """`max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)` (arXiv:1704.07483)."""
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def sparse_sigmoid(x: Array) -> Array:
    """`(x + 1) / 2`, clipped to [0, 1]."""
    return np.clip(0.5 * (x + 1), 0, 1)


def hard_sigmoid(x: Array) -> Array:
    """`(x + 3) / 6`, clipped to [0, 1], as `relu6(x + 3) / 6` in Keras 3."""
    return relu6(x + 3) / 6


def keras_2_hard_sigmoid(x: Array) -> Array:
    """`0.2 * x + 0.5`, clipped to [0, 1]. This is `hard_sigmoid` in Keras 2."""
    return np.clip(0.2 * x + 0.5, 0, 1)


def log_sigmoid(x: Array) -> Array:
    """`-log(1 + exp(-x))`."""
    return -softplus(-x)


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(x)


def tanh_shrink(x: Array) -> Array:
    """`x - tanh(x)`. Near zero the Taylor series avoids the cancellation of the difference."""
    cube = x * x * x
    series = cube * (1 / 3 - x * x * (2 / 15 - x * x * (17 / 315 - x * x * (62 / 2835))))
    return np.where(np.abs(x) < 0.1, series, x - np.tanh(x))


def hard_tanh(x: Array) -> Array:
    """`x`, clipped to [-1, 1]."""
    return np.clip(x, -1, 1)


def softplus(x: Array) -> Array:
    """`log(1 + exp(x))`."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sparse_plus(x: Array) -> Array:
    """0 for `x <= -1`, `(x + 1)**2 / 4` for `-1 < x < 1`, else `x`."""
    return np.where(x < 1, 0.25 * np.maximum(x + 1, 0) ** 2, x)


def squareplus(x: Array, b: float = 4.0) -> Array:
    """`(x + sqrt(x**2 + b)) / 2` (arXiv:2112.11687).

    For negative x, the equal expression `b / 2 / (sqrt(x**2 + b) - x)` avoids cancellation.
    """
    root = np.sqrt(x * x + x.dtype.type(b))
    return np.where(x < 0, b / 2 / (root + np.abs(x)), (x + root) / 2)


def softsign(x: Array) -> Array:
    """`x / (1 + |x|)`."""
    return x / (1 + np.abs(x))


def silu(x: Array) -> Array:
    """`x * sigmoid(x)` (arXiv:1702.03118)."""
    return x * sigmoid(x)


def hard_silu(x: Array) -> Array:
    """`x * hard_sigmoid(x)` (arXiv:1905.02244)."""
    return x * hard_sigmoid(x)


def mish(x: Array) -> Array:
    """`x * tanh(softplus(x))` (arXiv:1908.08681)."""
    return x * np.tanh(softplus(x))


def gelu(x: Array, approximate: bool = False) -> Array:
    """`x * P(X <= x)` for a standard normal X, `x / 2 * (1 + erf(x / sqrt(2)))` (arXiv:1606.08415).

    Args:
        approximate: Whether to compute `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`
            instead.
    """
    wide = x.astype(np.float64)
    if approximate:
        bell = np.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))
    else:
        bell = erf(wide / math.sqrt(2))
    return (0.5 * wide * (1 + bell)).astype(x.dtype)


def glu(x: Array, axis: int = -1) -> Array:
    """`a * sigmoid(b)`, where a and b are the halves of `x` along `axis` (arXiv:1612.08083)."""
    if x.shape[axis] % 2:
        raise ValueError(
            f"Activation `glu` halves axis {axis}, which must be even; it is {x.shape[axis]}."
        )
    a, b = np.split(x, 2, axis=axis)
    return a * sigmoid(b)


def exponential(x: Array) -> Array:
    """`exp(x)`."""
    with np.errstate(over="ignore"):
        return np.exp(x)


def hard_shrink(x: Array, threshold: float = 0.5) -> Array:
    """`x` where `|x| > threshold`, else 0."""
    return np.where(np.abs(x) > threshold, x, x.dtype.type(0))


def soft_shrink(x: Array, threshold: float = 0.5) -> Array:
    """`x - threshold` above `threshold`, `x + threshold` below `-threshold`, else 0."""
    return x - np.clip(x, -threshold, threshold)


def threshold(x: Array, threshold: float, default_value: float) -> Array:
    """`x` where `x > threshold`, else `default_value`."""
    return np.where(x > threshold, x, x.dtype.type(default_value))


def softmax(x: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """`exp(x) / sum(exp(x))` along one or several axes. The maximum is subtracted first."""
    if axis in (-1, x.ndim - 1) and x.shape[-1] <= _SHORT and x.size >= _ROWS * x.shape[-1] > 0:
        by_class = softmax(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0)
        return np.ascontiguousarray(np.moveaxis(by_class, 0, -1))
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    powers /= powers.sum(axis=axis, keepdims=True)
    return powers


def log_softmax(x: Array, axis: int = -1) -> Array:
    """`x - log(sum(exp(x)))` along an axis. The maximum is subtracted first."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def sparsemax(x: Array, axis: int = -1) -> Array:
    """`max(x - tau, 0)` along an axis, with tau as Keras computes it.

    Let x be sorted in descending order, s_k the sum of the first k elements, and K the largest k
    with `k * x_k > s_k - 1`. The projection onto the simplex (arXiv:1602.02068) has
    `tau = (s_K - 1) / K`. Keras computes `tau = (s_1 + ... + s_K - 1) / K`, which is the same only
    for K = 1. This function follows Keras.
    """
    z = np.moveaxis(x, axis, -1)
    descending = -np.sort(-z, axis=-1)
    sums = np.cumsum(descending, axis=-1)
    rank = np.arange(1, z.shape[-1] + 1, dtype=x.dtype)
    support = descending - (sums - 1) / rank > 0
    total = np.where(support, sums, 0).sum(axis=-1, keepdims=True)
    tau = (total - 1) / support.sum(axis=-1, keepdims=True, dtype=x.dtype)
    return np.moveaxis(np.maximum(z - tau, 0), -1, axis)


def erf(x: Array) -> Array:
    """Error function in float64, within 2e-16 of the exact value.

    A Taylor series of degree 4 around the nearest node of a grid with tabulated values of
    `math.erf`. With d = x - node and s = erf'(node),
    `erf(x) = erf(node) + s * (d - node d^2 + (2 node^2 - 1)/3 d^3 + node (3 - 2 node^2)/6 d^4)`.
    """
    size = np.fmin(np.abs(x), _ERF_END)
    nearest = np.rint(size / _ERF_STEP).astype(np.intp)
    node = _ERF_NODES[nearest]
    d = size - node
    square = node * node
    series = d * (1 + d * (-node + d * ((2 * square - 1) / 3 + d * node * (3 - 2 * square) / 6)))
    value = np.minimum(_ERF_VALUES[nearest] + _ERF_SLOPES[nearest] * series, 1.0)
    return np.where(np.isnan(x), x, np.copysign(value, x))


ACTIVATIONS: dict[str, Activation] = {
    function.__name__: function
    for function in (
        *(linear, relu, relu6, leaky_relu, elu, selu, celu),
        *(sigmoid, sparse_sigmoid, hard_sigmoid, log_sigmoid),
        *(tanh, tanh_shrink, hard_tanh, softplus, sparse_plus, squareplus, softsign),
        *(silu, hard_silu, mish, gelu, glu, exponential, hard_shrink, soft_shrink),
        *(softmax, log_softmax, sparsemax),
    )
} | {"swish": silu, "hard_swish": hard_silu}

_OF_KERAS_2: dict[str, Activation] = {"keras_2_hard_sigmoid": keras_2_hard_sigmoid}


def get(identifier: str | Activation | None, option: str = "activation") -> Activation:
    """Return an activation function by name. None gives `linear`, as in Keras.

    Args:
        identifier: A name, a function or layer (returned unchanged), or None.
        option: Name of the layer's argument, used in the error message.

    Raises:
        InvalidOption: If there is no activation of this name.
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    known = ACTIVATIONS | _OF_KERAS_2
    if not isinstance(identifier, str) or identifier not in known:
        raise InvalidOption(option, identifier, "one of " + ", ".join(sorted(ACTIVATIONS)))
    return known[identifier]
