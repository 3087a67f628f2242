"""The base class of all models: prediction, profile, summary, weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scratch_forward.fast.plan import Plan, Stage, in_order, spread
from scratch_forward.fast.profile import Clock, Profile, measure, timed
from scratch_forward.io.limits import Limits
from scratch_forward.io.model_files import read_weights
from scratch_forward.kernels.runtime.threads import one_blas_thread
from scratch_forward.layers.base import Layer, numbered, shape_of
from scratch_forward.nested_arrays import columns_of, elements_of, rows_of

BATCH_SIZE = 128


class Network(Layer):
    """Base class of `Sequential` and `Model`: prediction, profile, summary, weights."""

    layers: list[Layer]
    call_arguments = ("inputs", "training", "mask")

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self._plan: Plan | None = None

    def children(self) -> dict[str, Layer]:
        """Return the layers, keyed by their path in a weights file."""
        names = numbered(self.layers)
        return {f"layers/{name}": layer for name, layer in zip(names, self.layers, strict=True)}

    def convert(self, inputs: Any) -> Any:
        """Return the inputs unchanged. The layers that receive them convert them."""
        return inputs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        *,
        fast: bool = True,
        threads: int | None = None,
        verbose: Any = None,
    ) -> Any:
        """Compute the outputs for a data set, in batches.

        The result does not depend on `batch_size` or `threads`, except for rounding.

        Args:
            x: Array whose first axis counts the examples, or a list or dict of such arrays for a
                model with several inputs.
            batch_size: Number of examples per batch. By default it is chosen for speed.
            fast: Whether layers may be fused and computed on several cores. If False, in float64,
                or if the model has stateful layers, every layer runs separately by its own
                equation.
            threads: Number of threads. By default as many as make it faster: at most one per core,
                and at most four, or eight for images.
            verbose: Ignored. Accepted for compatibility with Keras.

        Returns:
            Array with the same first axis as `x`, or a list or dict of such arrays in the structure
            of the model's outputs.

        Raises:
            ValueError: If the inputs do not fit the model, or contain no examples.
        """
        for option, value in (("batch_size", batch_size), ("threads", threads)):
            if value is not None and value < 1:
                raise ValueError(f"Expected a positive `{option}`, got {value}.")
        columns, count = columns_of(x)
        plan = self._fast_plan(columns) if fast else None
        if plan is None:
            plain = in_order(
                lambda rows: self(rows_of(columns, rows)), count, batch_size or BATCH_SIZE
            )
            return plain.joined()
        return spread(
            lambda rows: plan.stage.run(rows_of(columns, rows))[0],
            count,
            elements_of(columns),
            batch_size,
            threads or plan.threads_for(count),
            plan.worth_a_thread,
            plan.chunk,
            plan.turns,
        ).joined()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name, or by its index in `layers`.

        Raises:
            ValueError: If there is no such layer. The message lists the existing names.
        """
        if (name is None) == (index is None):
            raise ValueError("Expected either a `name` or an `index`.")
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        found = next((layer for layer in self.layers if layer.name == name), None)
        if found is None:
            names = ", ".join(layer.name for layer in self.layers)
            raise ValueError(f"Model {self.name!r} has no layer {name or index!r}, but: {names}.")
        return found

    def upto(self, name: str) -> Network:
        """Return the model that ends at the given layer. It shares this model's weights.

        Raises:
            ValueError: If there is no layer of this name.
        """
        raise NotImplementedError

    def arranged(self, arrays: list[Any]) -> Any:
        """Arrange one array per input, in the order of `inputs`, as `predict` takes them."""
        return arrays if len(arrays) > 1 else arrays[0]

    def listed(self, values: Any) -> list[Any]:
        """Return one array per input, in the order of `inputs`, from what `predict` takes.

        Raises:
            ValueError: If the values do not fit the inputs.
        """
        return [values]

    def profile(self, x: Any, repeats: int = 5) -> Profile:
        """Measure the time that each part of `predict` takes on one core.

        Args:
            x: Examples in the structure that `predict` takes. A few hundred are representative.
            repeats: Number of timed passes. The shortest time of each row is reported.

        Returns:
            A table with one row for each group of fused layers: milliseconds, operations per second
            and share of the time. Print it to see the table.

        Raises:
            ValueError: If the inputs do not fit the model, contain no examples, or `repeats` is 0.
        """
        if repeats < 1:
            raise ValueError(f"Expected a positive `repeats`, got {repeats}.")
        columns, count = columns_of(x)
        plan = self._fast_plan(columns)
        stage = plan.stage if plan else self.plain_stage()
        self.require_weights()

        def run(clock: Clock) -> None:
            clocked = timed(stage, clock)
            spread(
                lambda rows: clocked.run(rows_of(columns, rows)),
                count,
                elements_of(columns),
                threads=1,
            )

        return measure(run, count, repeats)

    def plain_stage(self) -> Stage:
        """Return the layers as separate stages, without fusion."""
        raise NotImplementedError

    def _fast_plan(self, columns: Any) -> Plan | None:
        """Return the plan for fast prediction, or None if the model must run layer by layer.

        The plan is made again if weights have changed. Stateful layers need the examples in order,
        and float64 serves to check the fast path.
        """
        if self._plan is not None and self._plan.is_current:
            return self._plan
        if not self.built:
            self.build(shape_of(columns))
        self.require_weights()
        layers = list(self.flatten())
        if any(getattr(layer, "stateful", False) or layer.dtype != np.float32 for layer in layers):
            return None
        with one_blas_thread():  # idle BLAS threads would occupy a core for a while after a product
            self._plan = Plan(self)
        return self._plan

    def __getstate__(self) -> dict[str, Any]:
        """Exclude from pickling what can be recreated."""
        return {**vars(self), "_plan": None}

    def load_weights(self, path: str | Path, limits: Limits | None = None) -> None:
        """Load the weights from a file that was written for the same architecture.

        Args:
            path: A weights file (`.weights.h5`, the `.h5` of Keras 2, or the `.weights.json` of a
                sharded file), or a file with a whole model.
            limits: Limits on the file. Defaults to `Limits()`.

        Raises:
            ArchiveError: If the file is malformed or its weights do not match this model.
        """
        if not self.built:
            raise ValueError(
                f"Model {self.name!r} does not know its input's shape yet: begin with `Input`, or "
                "call `build(input_shape)`, before loading weights."
            )
        read_weights(path, self, limits or Limits())

    def reset_state(self) -> None:
        """Reset the states of stateful layers."""
        for layer in self.flatten():
            if layer is not self and hasattr(layer, "reset_state"):
                layer.reset_state()

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print the layers with their output shapes and numbers of weights.

        Args:
            print_fn: Function that receives each line.
        """
        rows = [("Layer", "Output shape", "Weights")]
        for layer in self.layers:
            title = f"{layer.name} ({type(layer).__name__})"
            rows.append((title, _shape_text(layer.output_shape), f"{layer.count_params():,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        print_fn(f"Model {self.name!r}")
        for left, middle, right in rows:
            print_fn(f"{left:<{widths[0]}}  {middle:<{widths[1]}}  {right:>{widths[2]}}")
        print_fn(f"Total weights: {self.count_params():,}")


def give_unique_names(layers: list[Layer]) -> None:
    """Name each unnamed layer after its class, numbered within the model.

    Raises:
        ValueError: If two layers have the same explicit name.
    """
    unnamed = [layer for layer in layers if not layer.named]
    for layer, name in zip(unnamed, numbered(unnamed), strict=True):
        layer.name = name
    taken: set[str] = set()
    for layer in layers:
        if layer.named and layer.name in taken:
            raise ValueError(f"Two layers of a model are named {layer.name!r}.")
        taken.add(layer.name)


def _shape_text(shape: Any) -> str:
    """Format a shape, or several shapes."""
    if isinstance(shape, list):
        return ", ".join(map(_shape_text, shape))
    if isinstance(shape, dict):
        return ", ".join(f"{key} {_shape_text(item)}" for key, item in shape.items())
    return "?" if shape is None else str(shape)
