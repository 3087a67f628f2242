"""What models of both kinds do: how a data set is run through them, and their summary."""

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
    """What models of both kinds do: predict, describe themselves, take weights."""

    layers: list[Layer]
    call_arguments = ("inputs", "training", "mask")

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self._plan: Plan | None = None

    def children(self) -> dict[str, Layer]:
        """Return the layers by their path in a weights file."""
        names = numbered(self.layers)
        return {f"layers/{name}": layer for name, layer in zip(names, self.layers, strict=True)}

    def convert(self, inputs: Any) -> Any:
        """Leave the inputs to the layers that they enter by."""
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
        """Compute the outputs of a data set, some examples at a time.

        The result depends neither on `batch_size` nor on `threads`, up to rounding.

        Args:
            x: Array whose first axis counts the examples, or a list or dict of them for a model
                with several inputs.
            batch_size: How many examples to compute at once; chosen for speed unless given.
            fast: Whether layers may be computed together, and on several cores; without it, and in
                float64 or with stateful layers, every layer runs by itself, as it is written.
            threads: Number of threads; one for every available core unless given.
            verbose: Ignored: taken so that calls written for Keras run.

        Returns:
            Array, or a list or dict of them as the model's outputs are, first axis as in `x`.

        Raises:
            ValueError: If the inputs do not fit the model, or there are none.
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
            threads,
            plan.worth_a_thread,
        ).joined()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name, or by its place in `layers`.

        Raises:
            ValueError: If there is none; lists the names that there are.
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
        """Return the model that ends at a layer: its outputs are the layer's, its weights these.

        Raises:
            ValueError: If there is no layer of this name.
        """
        raise NotImplementedError

    def arranged(self, arrays: list[Any]) -> Any:
        """Return one array for each input, in the order of `inputs`, as `predict` takes them."""
        return arrays if len(arrays) > 1 else arrays[0]

    def profile(self, x: Any, repeats: int = 5) -> Profile:
        """Measure where the time of `predict` goes, on one core.

        Args:
            x: Examples as `predict` takes them; a few hundred say what many more would.
            repeats: How many passes to time; the least time of each row counts.

        Returns:
            A table of the layers that are computed together, with milliseconds, operations a
            second and share; print it.

        Raises:
            ValueError: If the inputs do not fit the model, there are none, or `repeats` is 0.
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
        """Return the layers as they are, each its own stage."""
        raise NotImplementedError

    def _fast_plan(self, columns: Any) -> Plan | None:
        """Return what computes the model fast, made anew if weights have changed; None if nothing.

        Stateful layers need the examples in order, and float64 is there to check the fast way.
        """
        if self._plan is not None and self._plan.is_current:
            return self._plan
        if not self.built:
            self.build(shape_of(columns))
        self.require_weights()
        layers = list(self.flatten())
        if any(getattr(layer, "stateful", False) or layer.dtype != np.float32 for layer in layers):
            return None
        with one_blas_thread():  # its other threads would hold a core for a while after a product
            self._plan = Plan(self)
        return self._plan

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be made again."""
        return {**vars(self), "_plan": None}

    def load_weights(self, path: str | Path, limits: Limits | None = None) -> None:
        """Set the weights from a file that was written for the same layers.

        Args:
            path: Weights (`.weights.h5`, the `.h5` of Keras 2, the `.weights.json` of shards), or a
                whole model.
            limits: How much it may ask for.

        Raises:
            ArchiveError: If the file is malformed or its weights are not those of this model.
        """
        if not self.built:
            raise ValueError(
                f"Model {self.name!r} does not know its input's shape yet: begin with `Input`, or "
                "call `build(input_shape)`, before loading weights."
            )
        read_weights(path, self, limits or Limits())

    def reset_state(self) -> None:
        """Forget the states of stateful layers."""
        for layer in self.flatten():
            if layer is not self and hasattr(layer, "reset_state"):
                layer.reset_state()

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print the layers with their output shapes and numbers of weights.

        Args:
            print_fn: Receives each line.
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
    """Name layers that were given no name after their class, numbered within the model.

    Raises:
        ValueError: If two layers were given the same name.
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
    """Write a shape, or several."""
    if isinstance(shape, list):
        return ", ".join(map(_shape_text, shape))
    if isinstance(shape, dict):
        return ", ".join(f"{key} {_shape_text(item)}" for key, item in shape.items())
    return "?" if shape is None else str(shape)
