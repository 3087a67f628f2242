"""Profile of a model: milliseconds, operations per second and share of each run of layers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scratch_forward.layers.base import Generator, Layer
from scratch_forward.layers.convolution import Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D
from scratch_forward.layers.core import Dense, InputLayer
from scratch_forward.layers.recurrent.bidirectional import Bidirectional
from scratch_forward.layers.recurrent.rnn import RNN

_BY_CELL = (Dense, Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D)
_BY_STEP = (RNN, Bidirectional)


class ProfileRow(NamedTuple):
    """The cost of layers that are computed together, for one pass over the examples.

    Attributes:
        layers: Names of the layers.
        milliseconds: Time on one core, the shortest of all repeats.
        gigaflops: Operations in the equations of the layers divided by the time, in 1e9 per second.
            A multiplication and an addition count as two. Masked steps are included. A method that
            needs fewer operations, such as Winograd's, can exceed the peak of the processor.
        share: Fraction of the total time, from 0 to 1.
    """

    layers: str
    milliseconds: float
    gigaflops: float
    share: float


@dataclass(frozen=True)
class Profile:
    """A table of rows in the order of computation. `print` shows it as text."""

    rows: list[ProfileRow]
    examples: int

    @property
    def milliseconds(self) -> float:
        """Total time of all rows."""
        return sum(row.milliseconds for row in self.rows)

    def __str__(self) -> str:
        width = max(len(row.layers) for row in self.rows)
        lines = [f"{'Layers':<{width}}  {'ms':>9}  {'GFLOP/s':>8}  {'share':>6}"]
        for name, milliseconds, gigaflops, share in self.rows:
            lines.append(f"{name:<{width}}  {milliseconds:9.3f}  {gigaflops:8.1f}  {share:6.1%}")
        lines.append(f"{self.examples} examples, {self.milliseconds:.3f} ms on one core")
        return "\n".join(lines)


@dataclass
class Clock:
    """Collects the time and the operations of every run of layers during one pass."""

    seconds: dict[str, float] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    _last: float = 0.0

    def start(self) -> None:
        """Start timing the next run of layers."""
        self._last = time.perf_counter()

    def lap(self, layers: Sequence[Layer], examples: int, shapes: Sequence[Any]) -> None:
        """Record that layers with inputs of these shapes have finished."""
        now = time.perf_counter()
        name = " + ".join(layer.name for layer in layers)
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        done = sum(_operations(*pair) for pair in zip(layers, shapes, strict=True))
        self.operations[name] = self.operations.get(name, 0) + examples * done
        self.start()


class Timed:
    """A stage that reports its time to a clock. All else is the stage's own."""

    def __init__(self, stage: Any, clock: Clock) -> None:
        self.stage, self.clock = stage, clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stage, name)

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **arguments: Any
    ) -> tuple[Any, Any]:
        """Run the stage and report its time. A stage with several parts reports each part."""
        self.clock.start()
        if isinstance(self.stage, InputLayer):
            return self.stage.run(inputs, mask, generator)
        if not isinstance(self.stage, Layer):
            return self.stage.run(inputs, mask, generator, clock=self.clock)
        result = self.stage.run(inputs, mask, generator, **arguments)
        several = isinstance(inputs, list | tuple)
        shape = [np.shape(x) for x in inputs] if several else np.shape(inputs)
        self.clock.lap([self.stage], len(inputs[0] if several else inputs), [shape])
        return result


def timed(stage: Any, clock: Clock) -> Any:
    """Return the stage with its time, or that of each of its parts, reported to a clock."""
    return stage.timed(clock) if hasattr(stage, "timed") else Timed(stage, clock)


def measure(run: Callable[[Clock], object], examples: int, repeats: int) -> Profile:
    """Build the table from `repeats` timed passes. An additional first pass is not timed."""
    run(Clock())
    passes = [Clock() for _ in range(repeats)]
    for clock in passes:
        run(clock)
    least = {name: min(clock.seconds[name] for clock in passes) for name in passes[0].seconds}
    total = sum(least.values())
    operations = passes[0].operations
    rows = [
        ProfileRow(name, 1e3 * seconds, operations[name] / seconds / 1e9, seconds / total)
        for name, seconds in least.items()
    ]
    return Profile(rows, examples)


def shapes_through(layers: Sequence[Layer], shape: Any) -> list[Any]:
    """Return the shape of each layer's input, for layers in a row."""
    shapes = []
    for layer in layers:
        shapes.append(shape)
        shape = layer.compute_output_shape(shape)
    return shapes


def _operations(layer: Layer, input_shape: Any) -> int:
    """Return the number of multiplications and additions in a layer's products, per example."""
    kernels = sum(
        math.prod(shape)
        for part in layer.flatten()
        for name, shape in part.own_weight_shapes().items()
        if "kernel" in name
    )
    if isinstance(layer, _BY_STEP):
        return 2 * kernels * input_shape[1]
    if isinstance(layer, _BY_CELL):
        output: Any = layer.compute_output_shape(input_shape)
        channels_first = getattr(layer, "data_format", "") == "channels_first"
        return 2 * kernels * math.prod(output[2:] if channels_first else output[1:-1])
    return 0
