"""Convolutions, what follows them cell by cell, and dense layers behind them, as one stage."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scratch_forward import activations
from scratch_forward.fast.fallback import run_plain
from scratch_forward.kernels.convolution import prepare
from scratch_forward.kernels.pooling import Activation, Pool
from scratch_forward.kernels.scratch import ScratchPerThread
from scratch_forward.kernels.stack import (
    DenseColumns,
    Elementwise,
    Flat,
    Pooling,
    ScaleShift,
    Stage,
    run_stack,
)
from scratch_forward.layers.activation import Activation as ActivationLayer
from scratch_forward.layers.activation import ReLU
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.convolution import Conv1D, Conv2D
from scratch_forward.layers.core import Dense
from scratch_forward.layers.normalization import BatchNormalization
from scratch_forward.layers.pooling import AveragePooling1D, AveragePooling2D
from scratch_forward.layers.reshaping import Flatten
from scratch_forward.layers.spatial import SpatialLayer

GROUP = 64  # examples: matrix products of 64 columns run near their peak, caches hold the rest
LARGEST_ARRAY = 1 << 22  # elements of what a layer gives for a group, so that memory is bounded

_KERNEL_ACTIVATIONS: dict[Any, Activation] = {
    activations.linear: "linear",
    activations.relu: "relu",
}


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
        self._stages: dict[tuple[int, ...], tuple[list[Stage], int]] = {}

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Array, None]:
        """Compute the outputs of a group of examples; there is no mask."""
        x = self.layers[0].convert(inputs)
        if x.ndim != self.rank + 2 or not x.size:
            return run_plain(self.layers, inputs, mask, generator)
        stages, largest = self._prepared(x.shape[1:])
        images = x if self.rank == 2 else x[:, :, None]
        groups = np.array_split(images, -(-len(x) // largest))
        parts = [run_stack(stages, group, self._buffers.scratch) for group in groups]
        outputs = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if outputs.ndim == 4 and self.rank == 1:
            outputs = outputs[:, :, 0]
        return outputs, None

    def _prepared(self, shape: tuple[int, ...]) -> tuple[list[Stage], int]:
        """Return the stages for examples of this shape, and how many examples make a group.

        Threads that come at the same time may each prepare them; the last one's are kept.
        """
        if shape not in self._stages:
            largest = max(_elements_after_each(self.layers, shape))
            group = max(min(GROUP, LARGEST_ARRAY // largest), 1)
            self._stages[shape] = list(_stages(self.layers, shape)), group
        return self._stages[shape]


def _elements_after_each(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[int]:
    """Yield how many numbers each layer gives for an example; raises what does not fit."""
    for layer in layers:
        shape = layer.compute_output_shape((None, *shape))[1:]
        yield math.prod(shape)


def _stages(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[Stage]:
    """Make the stages for examples of this shape, each of as many layers as it can take."""
    rest = list(layers)
    while rest:
        taken = 1
        if isinstance(rest[0], Conv1D | Conv2D):
            taken, stages = _convolution(rest, shape)
        else:
            stages = _stage(rest[0])
        yield from stages
        for layer in rest[:taken]:
            shape = layer.compute_output_shape((None, *shape))[1:]
        rest = rest[taken:]


def _convolution(layers: list[Layer], shape: tuple[int, ...]) -> tuple[int, list[Stage]]:
    """Take a convolution with the normalisation, activation and pooling right behind it."""
    conv = layers[0]
    assert isinstance(conv, Conv1D | Conv2D)
    taken, act, pool = 1, _KERNEL_ACTIVATIONS.get(conv.activation), None
    kernel, bias = conv.weights["kernel"], conv.weights.get("bias")
    if act == "linear" and isinstance(_at(layers, taken), BatchNormalization):
        kernel, bias = _normalised(kernel, bias, layers[taken])
        taken += 1
    if act == "linear" and _is_relu(_at(layers, taken)):
        act, taken = "relu", taken + 1
    if act and _is_pooling(_at(layers, taken)):
        pool, taken = _pool(layers[taken]), taken + 1
    stage = prepare(
        kernel if conv.rank == 2 else kernel[:, None],
        bias,
        (shape[0], shape[1] if conv.rank == 2 else 1, shape[-1]),
        strides=_pair(conv.strides),
        padding=_padding(conv, shape),
        dilation=_pair(conv.dilation_rate),
        groups=conv.groups,
        activation=act or "linear",
        pool=pool,
    )
    return taken, [stage] if act else [stage, Elementwise(conv.activation)]


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
