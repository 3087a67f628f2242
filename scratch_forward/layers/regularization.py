"""Dropout and noise: the identity at inference, random in training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.options import data_format_option, number


def inverted_dropout(
    inputs: Array, rate: float, generator: Generator, noise_shape: tuple[int, ...] | None = None
) -> Array:
    """Set each element to zero with probability `rate` and divide the others by `1 - rate`.

    Args:
        inputs: Any array.
        rate: Probability of a zero.
        generator: Random generator.
        noise_shape: Shape of the random mask, broadcast to the inputs. Defaults to their shape.

    Returns:
        Array with the shape of the inputs.
    """
    if rate >= 1:
        return np.zeros_like(inputs)
    kept = generator.random(noise_shape or inputs.shape, np.float32) >= rate
    return np.where(kept, inputs / inputs.dtype.type(1 - rate), inputs.dtype.type(0))


class _Random(Layer):
    """The identity at inference, `call_randomly` in training. The mask is passed through."""

    supports_masking = True
    call_arguments = ("inputs", "training")
    returns_its_input = True

    def apply(self, inputs: Array, _mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Return the inputs, or apply noise if there is a generator."""
        return inputs if generator is None else self.call_randomly(inputs, generator)

    def call_randomly(self, inputs: Array, generator: Generator) -> Array:
        """Apply noise."""
        raise NotImplementedError


class Dropout(_Random):
    """`y = x` at inference. In training, `x / (1 - rate)`, or zero with probability `rate`.

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting".

    Shapes: `(N, ...)` to `(N, ...)`.

    Args:
        rate: Probability of a zero.
        noise_shape: Shape of the random mask, with 1 for axes that share it, or None for sizes of
            the input.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.rate = number("rate", rate, 0, 1)
        if noise_shape is not None and not isinstance(noise_shape, list | tuple):
            raise InvalidOption("noise_shape", noise_shape, "a list of sizes or None")
        self.noise_shape = noise_shape
        self.seed = seed

    def draw_shape(self, inputs: Array) -> tuple[int, ...]:
        """Return the shape of the random mask."""
        sizes = self.noise_shape or inputs.shape
        return tuple(
            have if want is None else want for want, have in zip(sizes, inputs.shape, strict=True)
        )

    def call_randomly(self, inputs: Array, generator: Generator) -> Array:
        """Drop elements and scale up the others."""
        return inverted_dropout(inputs, self.rate, generator, self.draw_shape(inputs))


class SpatialDropout1D(Dropout):
    """Dropout of whole channels (arXiv:1411.4280): the mask for `(N, T, C)` has shape `(N, 1, C)`.

    Shapes: `(N, T, C)` to `(N, T, C)`.

    Args:
        rate: Probability of a zero.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(rate, None, seed, name)

    def draw_shape(self, inputs: Array) -> tuple[int, ...]:
        """Return the shape of a mask with one value per example and channel."""
        return (inputs.shape[0], 1, inputs.shape[2])


class _SpatialDropout(Dropout):
    """Dropout of whole channels of images or volumes."""

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(rate, None, seed, name)
        self.data_format = data_format_option(data_format)

    def draw_shape(self, inputs: Array) -> tuple[int, ...]:
        """Return the shape of a mask with one value per example and channel."""
        ones = [1] * (inputs.ndim - 2)
        if self.data_format == "channels_first":
            return (*inputs.shape[:2], *ones)
        return (inputs.shape[0], *ones, inputs.shape[-1])


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels (arXiv:1411.4280).

    The mask for `(N, H, W, C)` has shape `(N, 1, 1, C)`.

    Shapes: `(N, H, W, C)` to `(N, H, W, C)`.

    Args:
        rate: Probability of a zero.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels (arXiv:1411.4280).

    The mask for `(N, D, H, W, C)` has shape `(N, 1, 1, 1, C)`.

    Shapes: `(N, D, H, W, C)` to `(N, D, H, W, C)`.

    Args:
        rate: Probability of a zero.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """


class GaussianDropout(_Random):
    """`y = x` at inference. In training, `x * n` with random n (Srivastava et al. 2014).

    n is normally distributed with mean 1 and standard deviation `sqrt(rate / (1 - rate))`.

    Shapes: `(N, ...)` to `(N, ...)`.

    Args:
        rate: Determines the standard deviation, as the rate of a `Dropout` with equal variance.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name)
        self.rate = number("rate", rate, 0, 1)
        self.seed = seed

    def call_randomly(self, inputs: Array, generator: Generator) -> Array:
        """Multiply by noise."""
        deviation = math.sqrt(self.rate / (1 - self.rate)) if self.rate < 1 else math.inf
        noise = generator.normal(1.0, deviation, inputs.shape) if deviation else np.ones(())
        return inputs * noise.astype(inputs.dtype)


class GaussianNoise(_Random):
    """`y = x` at inference. In training, `x + n` with random n.

    n is normally distributed with mean 0 and standard deviation `stddev`.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.GaussianNoise` of Keras 3.

    Args:
        stddev: Standard deviation of the noise.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    def __init__(self, stddev: float, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name)
        self.stddev = number("stddev", stddev, 0, 1)
        self.seed = seed

    def call_randomly(self, inputs: Array, generator: Generator) -> Array:
        """Add noise."""
        return inputs + generator.normal(0.0, self.stddev, inputs.shape).astype(inputs.dtype)


class AlphaDropout(Dropout):
    """`y = x` at inference. In training, dropout that keeps mean and variance (arXiv:1706.02515).

    Dropped elements take the negative limit of SELU. The output is
    `a * (x where kept else alpha') + b`, with `alpha' = -alpha * scale` of SELU,
    `a = ((1 - rate) (1 + rate alpha'^2))^(-1/2)` and `b = -a alpha' rate`.

    Shapes: `(N, ...)` to `(N, ...)`. The arguments are those of `Dropout`.
    """

    def call_randomly(self, inputs: Array, generator: Generator) -> Array:
        """Set dropped elements to the negative limit, then rescale."""
        if self.rate == 0:
            return inputs
        limit = -1.6732632423543772 * 1.0507009873554805
        a = ((1 - self.rate) * (1 + self.rate * limit**2)) ** -0.5 if self.rate < 1 else math.inf
        b = -a * limit * self.rate
        kept = generator.random(self.draw_shape(inputs), np.float32) >= self.rate
        return (a * np.where(kept, inputs, limit) + b).astype(inputs.dtype)
