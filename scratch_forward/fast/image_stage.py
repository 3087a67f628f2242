"""Stage for convolutions, the element-wise layers after them, and dense layers at the end."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from scratch_forward import activations
from scratch_forward.fast.fallback import run_plain
from scratch_forward.fast.profile import Clock, shapes_through
from scratch_forward.kernels.convolution.batch_last import (
    BatchLastDense,
    Both,
    Elementwise,
    Every,
    Flat,
    Lap,
    Pooling,
    ScaleShift,
    Stage,
    run_stack,
)
from scratch_forward.kernels.convolution.convolution2d import Convolution, prepare
from scratch_forward.kernels.convolution.fused_pooling import Activation, Pool
from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.convolution.im2col import Im2col, Im2colChain
from scratch_forward.kernels.runtime.workspace import Workspace, WorkspacePerThread
from scratch_forward.layers.activation import Activation as ActivationLayer
from scratch_forward.layers.activation import ReLU
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.convolution import Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D
from scratch_forward.layers.core import Dense
from scratch_forward.layers.normalization import BatchNormalization
from scratch_forward.layers.pooling import AveragePooling1D, AveragePooling2D
from scratch_forward.layers.reshaping import Flatten
from scratch_forward.layers.spatial import SpatialLayer

MANY = 12  # examples from which the batch axis fills whole vector registers
GROUP = 64  # examples: 64-column matrix products run near peak speed, and the data stays in cache
LARGEST_ARRAY = 1 << 22  # elements of a layer's output for one group; bounds the memory
MOST_THREADS = 8  # on 16 cores, a small ResNet took 134 ms on four threads, 87 on 8, 103 on 16
KEPT_SHAPES = 4  # example shapes for which prepared kernels and buffers are kept

_KERNEL_ACTIVATIONS: dict[Any, Activation] = {
    activations.linear: "linear",
    activations.relu: "relu",
}

ConvolutionLayer = Conv1D | Conv2D | DepthwiseConv2D | SeparableConv2D
Step = Callable[[Array, Workspace], Array]  # batch as the first axis of both arrays
Run = tuple[list[Layer], tuple[int, ...]]  # fused layers, input shape without the batch


class Prepared(Protocol):
    """Layers for examples of one shape."""

    group: int  # number of examples that are computed at a time

    def run(self, x: Array, clock: Clock | None) -> Array:
        """Compute the outputs of a group."""
        ...


class ByShape:
    """Computes examples in groups by what is prepared for their shape. The last few are kept."""

    def __init__(self, prepare: Callable[[tuple[int, ...]], Prepared]) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, ...], Prepared] = {}

    def run(self, x: Array, clock: Clock | None) -> Array:
        """Compute the outputs of a batch."""
        prepared = self._prepared(x.shape[1:])
        parts = [
            prepared.run(x[start : start + prepared.group], clock)
            for start in range(0, len(x), prepared.group)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _prepared(self, shape: tuple[int, ...]) -> Prepared:
        with self._lock:
            if shape not in self._kept:
                if len(self._kept) == KEPT_SHAPES:
                    del self._kept[next(iter(self._kept))]
                self._kept[shape] = self._prepare(shape)
            return self._kept[shape]


def group_size(largest: int) -> int:
    """Return the number of examples per group, given the elements of the largest output."""
    return max(min(GROUP, LARGEST_ARRAY // largest), 1)


class ImageStage:
    """Layers from a convolution on, computed on groups of examples with the batch as the last axis.

    Groups of fewer than 12 examples are computed with the channels as the last axis instead.
    Kernels are transformed once for each image size. Sequences `(N, T, C)` are treated as images of
    width 1. The stage returns no mask, because Keras drops the mask at a convolution.
    """

    most_threads = MOST_THREADS

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        first = self.layers[0]
        assert isinstance(first, ConvolutionLayer)
        self.rank = first.rank
        self._by_shape = ByShape(lambda shape: _Prepared(self.layers, shape))

    def run(
        self,
        inputs: Any,
        mask: Any = None,
        generator: Generator | None = None,
        clock: Clock | None = None,
    ) -> tuple[Array, None]:
        """Compute the outputs of a batch. The returned mask is None."""
        x = self.layers[0].convert(inputs)
        if x.ndim != self.rank + 2 or not x.size:
            return run_plain(self.layers, inputs, mask, generator)
        return self._by_shape.run(x, clock), None


class _Prepared:
    """The layers for examples of one shape: transformed kernels and buffers."""

    def __init__(self, layers: list[Layer], shape: tuple[int, ...]) -> None:
        self.group = group_size(max(elements_after_each(layers, shape)))
        self._of = layers, shape
        self._buffers = WorkspacePerThread()
        self._lock = threading.Lock()

    def run(self, x: Array, clock: Clock | None) -> Array:
        """Compute a group of examples, one run of layers after another."""
        if len(x) >= MANY:
            with self._lock:  # only one thread may prepare: buffers are named by stage
                runs, stages = self._stages
            lap = _laps(clock, runs, len(x))
            images = x if x.ndim == 4 else x[:, :, None]
            outputs = run_stack(stages, images, self._buffers.workspace, lap)
            return outputs[:, :, 0] if outputs.ndim > x.ndim else outputs
        with self._lock:
            steps = self._steps
        lap = _laps(clock, self._runs_of_few, len(x))
        for number, step in enumerate(steps):
            x = step(x, self._buffers.workspace)
            lap(number)
        return x

    @cached_property
    def _stages(self) -> tuple[list[Run], list[Stage]]:
        """Runs of layers and their stages, with the batch as the last axis."""
        runs, stages = zip(*stages_of(*self._of), strict=True)
        return list(runs), list(stages)

    @cached_property
    def _steps(self) -> list[Step]:
        """One step per run of layers for few examples, with the channels as the last axis."""
        return [_step(layers, shape) for layers, shape in self._runs_of_few]

    @cached_property
    def _runs_of_few(self) -> list[Run]:
        """The runs of layers, with convolutions in a row in one run."""
        joined: list[Run] = []
        before = False
        for layers, shape in runs_of(*self._of):
            now = _is_unrolled(layers[0])
            if now and before:
                joined[-1][0].extend(layers)
            else:
                joined.append((list(layers), shape))
            before = now
        return joined


def _laps(clock: Clock | None, runs: Sequence[Run], examples: int) -> Lap:
    """Return a function that reports each finished run of layers to the clock."""
    if clock is None:
        return lambda _: None

    def lap(number: int) -> None:
        layers, shape = runs[number]
        clock.lap(layers, examples, shapes_through(layers, (None, *shape)))

    return lap


def elements_after_each(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[int]:
    """Yield the number of output elements per example of each layer.

    Raises:
        ValueError: If a layer does not accept its input shape.
    """
    for layer in layers:
        shape = layer.compute_output_shape((None, *shape))[1:]
        yield math.prod(shape)


def stages_of(layers: list[Layer], shape: tuple[int, ...]) -> list[tuple[Run, Stage]]:
    """Return runs of layers with their stages for many examples.

    A convolution and the 1x1 convolution after it are one stage, which reads what is in cache: a
    depthwise one and its 1x1 take 0.8 of the time.
    """
    found: list[tuple[Run, Stage]] = []
    for run in runs_of(layers, shape):
        stage = _stage_of(*run)
        if found and isinstance(before := found[-1][1], Convolution) and before.takes(stage):
            joined, size = found.pop()[0]
            run, stage = (joined + run[0], size), replace(before, pointwise=stage)
        found.append((run, stage))
    return found


def _stage_of(layers: list[Layer], shape: tuple[int, ...]) -> Stage:
    """Return the stage of a run of layers for many examples."""
    layer = layers[0]
    if isinstance(layer, ConvolutionLayer):
        return _Unit.of(layers).stage(shape)
    if isinstance(layer, BatchNormalization):
        return ScaleShift(*_scale_and_shift(layer))
    if _is_pooling(layer):
        return Pooling(_pool(layer))
    if isinstance(layer, Dense):
        act = _KERNEL_ACTIVATIONS.get(layer.activation)
        stage = BatchLastDense.prepare(
            layer.weights["kernel"], layer.weights.get("bias"), act or "linear"
        )
        return stage if act else Both(stage, Elementwise(layer.activation))
    return Flat() if isinstance(layer, Flatten) else Elementwise(layer.call)


def _step(layers: list[Layer], shape: tuple[int, ...]) -> Step:
    """Return the step of a run of layers for few examples."""
    if not _is_unrolled(layers[0]):
        return lambda x, _: run_plain(layers, x, None, None)[0]
    runs = runs_of(layers, shape)
    convolutions = [part for run, size in runs for part in _Unit.of(run).unrolled(size)]
    name, out_shape = id(convolutions), convolutions[-1].out_shape

    def one_by_one(x: Array, workspace: Workspace) -> Array:
        chain = workspace.kept(name, lambda: Im2colChain(convolutions, x.dtype))
        outputs = np.empty((len(x), *out_shape), x.dtype)
        for image, out in zip(x, outputs, strict=True):
            chain(image, out)
        return outputs

    return one_by_one


def _is_unrolled(layer: Layer) -> bool:
    """Whether few examples are computed by `Im2col`."""
    if not isinstance(layer, Conv2D | DepthwiseConv2D | SeparableConv2D):
        return False
    dense = layer.groups == 1 if isinstance(layer, Conv2D) else layer.depth_multiplier == 1
    return dense and layer.activation in _KERNEL_ACTIVATIONS


def runs_of(layers: list[Layer], shape: tuple[int, ...]) -> Iterator[Run]:
    """Yield runs of layers, a convolution with the layers fused into it, and their input shapes."""
    rest = list(layers)
    while rest:
        count = _taken_along(rest) if isinstance(rest[0], ConvolutionLayer) else 1
        yield rest[:count], shape
        for layer in rest[:count]:
            shape = layer.compute_output_shape((None, *shape))[1:]
        rest = rest[count:]


def _taken_along(layers: list[Layer]) -> int:
    """Count a convolution and the normalization, activation and pooling fused into it."""
    conv = layers[0]
    assert isinstance(conv, ConvolutionLayer)
    count, act = 1, _KERNEL_ACTIVATIONS.get(conv.activation)
    if act == "linear" and isinstance(_at(layers, count), BatchNormalization):
        count += 1
    if act == "linear" and is_relu(_at(layers, count)):
        count += 1
    return count + (act is not None and _is_pooling(_at(layers, count)))


class _Unit(NamedTuple):
    """A convolution with the layers fused into it.

    `activation` is None if the kernels do not support it. For a separable convolution this is the
    pointwise part; `stage` adds the depthwise part before it.
    """

    conv: Any
    kernel: Array  # (kh, kw, channels / groups, filters)
    bias: Array | None
    activation: Activation | None
    pool: Pool | None

    @classmethod
    def of(cls, layers: list[Layer]) -> Self:
        """Combine the layers of a run."""
        conv, *others = layers
        assert isinstance(conv, ConvolutionLayer)
        kernel, bias = _kernel(conv), conv.weights.get("bias")
        act, pool = _KERNEL_ACTIVATIONS.get(conv.activation), None
        for layer in others:
            if isinstance(layer, BatchNormalization):
                kernel, bias = _normalised(kernel, bias, layer)
            elif is_relu(layer):
                act = "relu"
            else:
                pool = _pool(layer)
        return cls(conv, kernel, bias, act, pool)

    def stage(self, shape: tuple[int, ...]) -> Stage:
        """Return the kernel for many examples."""
        act = self.activation or "linear"
        stage: Stage
        if self._skips_pixels:
            seen = (*self.conv.compute_output_shape((None, *shape))[1:-1], shape[-1])
            stage = prepare(self.kernel, self.bias, _image(seen), activation=act, pool=self.pool)
            stage = Both(Every(_pair(self.conv.strides)), stage)
        elif isinstance(self.conv, SeparableConv2D):
            depthwise = _one_per_filter(self.conv.weights["depthwise_kernel"])
            first = prepare(depthwise, None, _image(shape), **self._sliding(shape, depthwise))
            size = first.out_shape
            last = prepare(self.kernel, self.bias, size, activation=act, pool=self.pool)
            stage = replace(first, pointwise=last)
        else:
            sliding = self._sliding(shape, self.kernel)
            stage = prepare(
                self.kernel, self.bias, _image(shape), **sliding, activation=act, pool=self.pool
            )
        return stage if self.activation else Both(stage, Elementwise(self.conv.activation))

    @property
    def _skips_pixels(self) -> bool:
        """Whether the convolution is 1x1 with strides, and so reads only every so many pixels."""
        conv = self.conv
        plain = type(conv) is Conv2D and conv.groups == 1
        return plain and self.kernel.shape[:2] == (1, 1) and max(conv.strides) > 1

    def _sliding(self, shape: tuple[int, ...], kernel: Array) -> dict[str, Any]:
        """Return how a kernel slides over an image or a sequence."""
        return {
            "strides": _pair(self.conv.strides),
            "padding": _padding(self.conv, shape),
            "dilation": _pair(self.conv.dilation_rate),
            "groups": shape[-1] // kernel.shape[2],
        }

    def unrolled(self, shape: tuple[int, ...]) -> list[Im2col]:
        """Return the im2col kernels of a 2-D convolution, for few examples."""
        last = partial(
            Im2col, bias=self.bias, activation=self.activation or "linear", pool=self.pool
        )
        if not isinstance(self.conv, SeparableConv2D):
            return [last(self._geometry(shape, self.kernel), self.kernel)]
        depthwise = _one_per_filter(self.conv.weights["depthwise_kernel"])
        first = Im2col(self._geometry(shape, depthwise), depthwise, None, "linear", None)
        return [first, last(Geometry.of(self.kernel.shape, first.out_shape), self.kernel)]

    def _geometry(self, shape: tuple[int, ...], kernel: Array) -> Geometry:
        return Geometry.of(kernel.shape, _image(shape), **self._sliding(shape, kernel))


def _kernel(conv: ConvolutionLayer) -> Array:
    """Return the kernel of a convolution as (kh, kw, channels / groups, filters)."""
    if isinstance(conv, SeparableConv2D):
        return conv.weights["pointwise_kernel"]
    if isinstance(conv, DepthwiseConv2D):
        return _one_per_filter(conv.weights["kernel"])
    kernel = conv.weights["kernel"]
    return kernel if conv.rank == 2 else kernel[:, None]


def _one_per_filter(kernel: Array) -> Array:
    """Convert a depthwise kernel (kh, kw, channels, multiplier) to one with a group per channel."""
    return kernel.reshape(*kernel.shape[:2], 1, -1)


def _at(layers: list[Layer], index: int) -> Layer | None:
    return layers[index] if index < len(layers) else None


def _is_pooling(layer: Layer | None) -> bool:
    return isinstance(layer, SpatialLayer) and not isinstance(layer, ConvolutionLayer)


def is_relu(layer: Layer | None) -> bool:
    """Whether a layer computes `max(x, 0)`."""
    if isinstance(layer, ActivationLayer):
        return layer.activation is activations.relu
    if not isinstance(layer, ReLU):
        return False
    return layer.max_value is None and layer.negative_slope == layer.threshold == 0


def _pool(layer: Any) -> Pool:
    average = isinstance(layer, AveragePooling1D | AveragePooling2D)
    return Pool("average" if average else "max", _pair(layer.window))


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the sizes (H, W, C) of an image, or of a sequence as an image of width 1."""
    return shape[0], shape[1] if len(shape) == 3 else 1, shape[-1]


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Extend the sizes of one axis to two axes."""
    return (sizes[0], sizes[1] if len(sizes) == 2 else 1)


def _padding(conv: Any, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding as (top, bottom), (left, right)."""
    sizes = [conv.pad_sizes(axis, size) for axis, size in enumerate(shape[:-1])]
    return (sizes[0], sizes[1] if len(sizes) == 2 else (0, 0))


def _scale_and_shift(layer: Any) -> tuple[Array, Array]:
    """Return scale and shift of a batch normalization `x * scale + shift`, rounded once."""
    weights = {name: np.float64(array) for name, array in layer.weights.items()}
    scale = weights.get("gamma", 1.0) / np.sqrt(weights["moving_variance"] + layer.epsilon)
    shift = weights.get("beta", 0.0) - weights["moving_mean"] * scale
    return scale.astype(layer.dtype), shift.astype(layer.dtype)


def _normalised(kernel: Array, bias: Array | None, layer: Any) -> tuple[Array, Array]:
    """Fold a batch normalization into the kernel and bias before it."""
    scale, shift = _scale_and_shift(layer)
    return kernel * scale, shift if bias is None else bias * scale + shift
