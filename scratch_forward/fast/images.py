"""Convolutions, what follows them cell by cell, and dense layers behind them, as one stage."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from scratch_forward import activations
from scratch_forward.fast.fallback import run_plain
from scratch_forward.kernels.convolution import prepare
from scratch_forward.kernels.geometry import Geometry
from scratch_forward.kernels.pooling import Activation, Pool
from scratch_forward.kernels.scratch import Scratch, ScratchPerThread
from scratch_forward.kernels.stack import (
    DenseColumns,
    Elementwise,
    Flat,
    Pooling,
    ScaleShift,
    Stage,
    run_stack,
)
from scratch_forward.kernels.unrolled import Unrolled
from scratch_forward.layers.activation import Activation as ActivationLayer
from scratch_forward.layers.activation import ReLU
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.convolution import Conv1D, Conv2D
from scratch_forward.layers.core import Dense
from scratch_forward.layers.normalization import BatchNormalization
from scratch_forward.layers.pooling import AveragePooling1D, AveragePooling2D
from scratch_forward.layers.reshaping import Flatten
from scratch_forward.layers.spatial import SpatialLayer

MANY = 12  # examples from which rows of the batch are long enough for whole vectors
GROUP = 64  # examples: matrix products of 64 columns run near their peak, caches hold the rest
LARGEST_ARRAY = 1 << 22  # elements of what a layer gives for a group, so that memory is bounded

_KERNEL_ACTIVATIONS: dict[Any, Activation] = {
    activations.linear: "linear",
    activations.relu: "relu",
}


Step = Callable[[Array, Scratch], Array]  # batch first


class ImageStage:
    """Layers from a convolution on, computed on groups of examples with the batch as last axis.

    Kernels are transformed for each size of image when it is first seen. Sequences, `(N, T, C)`,
    are images one cell wide. The mask ends here: Keras drops it at a convolution.

    Args:
        layers: The layers, as `fusion` admits them.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        first = self.layers[0]
        assert isinstance(first, Conv1D | Conv2D)
        self.rank = first.rank
        self._buffers = ScratchPerThread()
        self._groups: dict[tuple[int, ...], int] = {}
        self._stages: dict[tuple[int, ...], list[Stage]] = {}
        self._steps: dict[tuple[int, ...], list[Step]] = {}

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Array, None]:
        """Compute the outputs of a group of examples; there is no mask."""
        x = self.layers[0].convert(inputs)
        if x.ndim != self.rank + 2 or not x.size:
            return run_plain(self.layers, inputs, mask, generator)
        group = self._group(x.shape[1:])
        run = self._run_few if min(len(x), group) < MANY else self._run_many
        parts = [run(x[start : start + group]) for start in range(0, len(x), group)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts), None

    def _group(self, shape: tuple[int, ...]) -> int:
        """Return how many examples of this shape to compute at once."""
        if shape not in self._groups:
            largest = max(_elements_after_each(self.layers, shape))
            self._groups[shape] = max(min(GROUP, LARGEST_ARRAY // largest), 1)
        return self._groups[shape]

    def _run_many(self, x: Array) -> Array:
        """Compute a group with the batch as last axis.

        Threads that come at the same time may each prepare the stages; the last one's are kept.
        """
        shape = x.shape[1:]
        if shape not in self._stages:
            self._stages[shape] = list(_stages(self.layers, shape))
        images = x if self.rank == 2 else x[:, :, None]
        outputs = run_stack(self._stages[shape], images, self._buffers.scratch)
        return outputs[:, :, 0] if outputs.ndim == 4 and self.rank == 1 else outputs

    def _run_few(self, x: Array) -> Array:
        """Compute a group with the channels last, all but convolutions by the plain layers."""
        shape = x.shape[1:]
        if shape not in self._steps:
            self._steps[shape] = list(_steps(self.layers, shape))
        for step in self._steps[shape]:
            x = step(x, self._buffers.scratch)
        return x


def _elements_after_each(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[int]:
    """Yield how many numbers each layer gives for an example; raises what does not fit."""
    for layer in layers:
        shape = layer.compute_output_shape((None, *shape))[1:]
        yield math.prod(shape)


def _stages(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[Stage]:
    """Make the stages for many examples of this shape, each of as many layers as it can take."""
    for taken, its_shape in _runs(layers, shape):
        if isinstance(taken[0], Conv1D | Conv2D):
            unit = _Unit.of(taken)
            yield prepare(
                unit.kernel,
                unit.bias,
                (its_shape[0], its_shape[1] if unit.conv.rank == 2 else 1, its_shape[-1]),
                strides=_pair(unit.conv.strides),
                padding=_padding(unit.conv, its_shape),
                dilation=_pair(unit.conv.dilation_rate),
                groups=unit.conv.groups,
                activation=unit.activation or "linear",
                pool=unit.pool,
            )
            if unit.activation is None:
                yield Elementwise(unit.conv.activation)
        else:
            yield from _stage(taken[0])


def _steps(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[Step]:
    """Make the steps for few examples: convolutions with what is behind them, and plain layers."""
    for taken, its_shape in _runs(layers, shape):
        conv = taken[0]
        if isinstance(conv, Conv2D) and conv.groups == 1 and conv.activation in _KERNEL_ACTIVATIONS:
            yield _Unit.of(taken).unrolled(its_shape)
        else:
            yield from (_plain_step(layer) for layer in taken)


def _plain_step(layer: Layer) -> Step:
    return lambda x, _: layer.run(x)[0]


def _runs(
    layers: list[Layer], shape: tuple[int, ...]
) -> Iterator[tuple[list[Layer], tuple[int, ...]]]:
    """Yield each layer, a convolution with those it can take along, and its input's shape."""
    rest = list(layers)
    while rest:
        count = _taken_along(rest) if isinstance(rest[0], Conv1D | Conv2D) else 1
        yield rest[:count], shape
        for layer in rest[:count]:
            shape = layer.compute_output_shape((None, *shape))[1:]
        rest = rest[count:]


def _taken_along(layers: list[Layer]) -> int:
    """Count a convolution and the normalisation, activation and pooling right behind it."""
    conv = layers[0]
    assert isinstance(conv, Conv1D | Conv2D)
    count, act = 1, _KERNEL_ACTIVATIONS.get(conv.activation)
    if act == "linear" and isinstance(_at(layers, count), BatchNormalization):
        count += 1
    if act == "linear" and _is_relu(_at(layers, count)):
        count += 1
    return count + (act is not None and _is_pooling(_at(layers, count)))


class _Unit(NamedTuple):
    """A convolution with what is computed on its way; no activation if the kernels lack it."""

    conv: Any
    kernel: Array  # (kh, kw, channels / groups, filters)
    bias: Array | None
    activation: Activation | None
    pool: Pool | None

    @classmethod
    def of(cls, layers: list[Layer]) -> Self:
        """Put together the layers of a run."""
        conv, *others = layers
        assert isinstance(conv, Conv1D | Conv2D)
        kernel, bias = conv.weights["kernel"], conv.weights.get("bias")
        act, pool = _KERNEL_ACTIVATIONS.get(conv.activation), None
        for layer in others:
            if isinstance(layer, BatchNormalization):
                kernel, bias = _normalised(kernel, bias, layer)
            elif _is_relu(layer):
                act = "relu"
            else:
                pool = _pool(layer)
        return cls(conv, kernel if conv.rank == 2 else kernel[:, None], bias, act, pool)

    def unrolled(self, shape: tuple[int, ...]) -> Unrolled:
        """Return the kernel for few examples of a 2-D convolution."""
        geometry = Geometry.of(
            self.kernel.shape,
            shape,
            _pair(self.conv.strides),
            _padding(self.conv, shape),
            _pair(self.conv.dilation_rate),
        )
        weights = np.ascontiguousarray(self.kernel.reshape(-1, geometry.filters))
        return Unrolled(geometry, weights, self.bias, self.activation or "linear", self.pool)


def _stage(layer: Layer) -> list[Stage]:
    """Make the stage of a layer that stands by itself; none for one that does nothing."""
    if isinstance(layer, BatchNormalization):
        return [ScaleShift(*_scale_and_shift(layer))]
    if _is_pooling(layer):
        return [Pooling(_pool(layer))]
    if isinstance(layer, Dense):
        act = _KERNEL_ACTIVATIONS.get(layer.activation)
        stage = DenseColumns(layer.weights["kernel"], layer.weights.get("bias"), act or "linear")
        return [stage] if act else [stage, Elementwise(layer.activation)]
    return [Flat() if isinstance(layer, Flatten) else Elementwise(layer.call)]


def _at(layers: list[Layer], index: int) -> Layer | None:
    return layers[index] if index < len(layers) else None


def _is_pooling(layer: Layer | None) -> bool:
    return isinstance(layer, SpatialLayer) and not isinstance(layer, Conv1D | Conv2D)


def _is_relu(layer: Layer | None) -> bool:
    if isinstance(layer, ActivationLayer):
        return layer.activation is activations.relu
    if not isinstance(layer, ReLU):
        return False
    return layer.max_value is None and layer.negative_slope == layer.threshold == 0


def _pool(layer: Any) -> Pool:
    average = isinstance(layer, AveragePooling1D | AveragePooling2D)
    return Pool("average" if average else "max", _pair(layer.window))


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Write the sizes of one or two axes as those of two."""
    return (sizes[0], sizes[1] if len(sizes) == 2 else 1)


def _padding(conv: Any, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what is padded (top, bottom), (left, right)."""
    sizes = [conv.pad_sizes(axis, size) for axis, size in enumerate(shape[:-1])]
    return (sizes[0], sizes[1] if len(sizes) == 2 else (0, 0))


def _scale_and_shift(layer: Any) -> tuple[Array, Array]:
    """Return a batch normalisation as `x * scale + shift`, rounded once."""
    weights = {name: np.float64(array) for name, array in layer.weights.items()}
    scale = weights.get("gamma", 1.0) / np.sqrt(weights["moving_variance"] + layer.epsilon)
    shift = weights.get("beta", 0.0) - weights["moving_mean"] * scale
    return scale.astype(layer.dtype), shift.astype(layer.dtype)


def _normalised(kernel: Array, bias: Array | None, layer: Any) -> tuple[Array, Array]:
    """Fold a batch normalisation into the kernel and bias before it."""
    scale, shift = _scale_and_shift(layer)
    return kernel * scale, shift if bias is None else bias * scale + shift
