"""Models: layers in a row or in a graph, and how a data set is run through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scratch_forward.archive import read_weights
from scratch_forward.fast.fusion import Row, fuse, fuse_nodes
from scratch_forward.fast.plan import Plan, Stage, in_order, most_worth_a_thread, spread
from scratch_forward.fast.profile import Clock, Profile, measure, timed
from scratch_forward.kernels.threads import one_blas_thread
from scratch_forward.layers.base import Array, Generator, Layer, numbered, shape_of
from scratch_forward.layers.core import Embedding, InputLayer
from scratch_forward.layers.operations import Operation
from scratch_forward.limits import Limits
from scratch_forward.symbolic import Node, SymbolicTensor, map_structure, tensors_in

BATCH_SIZE = 128


class _Network(Layer):
    """What models of both kinds do: predict, stream, describe themselves, take weights."""

    layers: list[Layer]

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

        Returns:
            Array, or a list or dict of them as the model's outputs are, first axis as in `x`.

        Raises:
            ValueError: If the inputs do not fit the model, or there are none.
        """
        for option, value in (("batch_size", batch_size), ("threads", threads)):
            if value is not None and value < 1:
                raise ValueError(f"Expected a positive `{option}`, got {value}.")
        columns, count = _columns(x)
        plan = self._fast_plan(columns) if fast else None
        if plan is None:
            plain = in_order(
                lambda rows: self(_rows(columns, rows)), count, batch_size or BATCH_SIZE
            )
            return plain.joined()
        return spread(
            lambda rows: plan.stage.run(_rows(columns, rows))[0],
            count,
            _elements(columns),
            batch_size,
            threads,
            plan.worth_a_thread,
        ).joined()

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
        columns, count = _columns(x)
        plan = self._fast_plan(columns)
        stage = plan.stage if plan else self.plain_stage()
        self.require_weights()

        def run(clock: Clock) -> None:
            clocked = timed(stage, clock)
            spread(
                lambda rows: clocked.run(_rows(columns, rows)), count, _elements(columns), threads=1
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

    def stream(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the outputs of each batch as it arrives, holding one batch at a time.

        Args:
            batches: Batches as `predict` takes them.
        """
        for batch in batches:
            yield self.predict(batch)

    def load_weights(self, path: str | Path, limits: Limits | None = None) -> None:
        """Set the weights from a `.weights.h5` or `.keras` file written for the same layers.

        Args:
            path: The file.
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


class Sequential(_Network):
    """Layers in a row: the output and the mask of each go to the next.

    A model that begins with an `InputLayer`, a tensor of `Input`, or an `Embedding` knows all
    shapes at once; any other learns them from the first batch, or from `build(input_shape)`.

    Args:
        layers: The layers, first to last.
        name: Name of the model.
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name)
        given = [x.node.layer if isinstance(x, SymbolicTensor) else x for x in layers]
        first = given[0] if given else None
        self.input_layer = first if isinstance(first, InputLayer) else None
        self.layers = [layer for layer in given if not isinstance(layer, InputLayer)]
        self._pending: list[Array] | None = None
        _give_unique_names(self.layers)
        if self.input_layer is not None:
            self.build((None, *self.input_layer.shape))
        elif isinstance(first, Embedding):
            self.build((None, None))

    def build(self, input_shape: Any) -> None:
        """Fix the shapes of all weights, and set those that were given before."""
        super().build(input_shape)
        if self._pending is not None:
            self.set_weights(self._pending)

    def build_children(self, input_shape: Any) -> None:
        """Build each layer for the output of the one before."""
        for layer in self.layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the last layer's output."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def set_weights(self, arrays: Sequence[Any]) -> None:
        """Set all weights; before the input's shape is known they are kept until it is.

        Args:
            arrays: As Keras's `get_weights` returns them.

        Raises:
            ValueError: If their number or a shape is not what the model has.
        """
        if self.built:
            super().set_weights(arrays)
        else:
            self._pending = [np.asarray(array) for array in arrays]

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **_: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their mask, layer by layer."""
        return self.plain_stage().run(inputs, mask, generator)

    def plain_stage(self) -> Row:
        """Return the layers as they are, in a row."""
        return Row([*self._entrance(), *self.layers])

    def fused(self) -> Stage:
        """Return the layers in a row, those taken together that can be."""
        return Row([*self._entrance(), *fuse(self.layers)])

    def _entrance(self) -> list[InputLayer]:
        return [] if self.input_layer is None else [self.input_layer]

    def __call__(self, inputs: Any, *args: Any, **arguments: Any) -> Any:
        """Compute the outputs of a batch; see `Layer.__call__`."""
        if not self.built and not any(tensors_in(inputs)):
            self.build(shape_of(np.asarray(inputs)))
        return super().__call__(inputs, *args, **arguments)


class Model(_Network):
    """Layers in a graph: branches, shared layers, models inside, several inputs and outputs.

    Args:
        inputs: What `Input` returned, or a list or dict of those.
        outputs: Tensors computed from them by calling layers, or a list or dict of those.
        name: Name of the model.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(outputs, list | tuple) and len(outputs) == 1:
            outputs = outputs[0]  # Keras too returns one array for a list of one
        self.inputs = list(tensors_in(inputs))
        self.outputs = list(tensors_in(outputs))
        self._input_structure = inputs
        self._output_structure = outputs
        self._nodes = _in_order(self.inputs, self.outputs)
        self.layers = [
            layer
            for layer in _layers_by_depth(self.inputs, self.outputs, self._nodes)
            if not isinstance(layer, Operation)
        ]
        _give_unique_names(self.layers)
        self.output_shape = self.compute_output_shape(None)
        self.built = True

    @property
    def class_name(self) -> str:
        """Keras's name of a model that is a graph."""
        return "Functional"

    def build(self, input_shape: Any) -> None:
        """Do nothing: the graph was built when its layers were called."""

    def compute_output_shape(self, _input_shape: Any) -> Any:
        """Return the shape of the output, or a list of shapes."""
        shapes = [tensor.shape for tensor in self.outputs]
        return shapes[0] if isinstance(self._output_structure, SymbolicTensor) else shapes

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **_: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks, node by node."""
        return self.run_nodes(self._nodes, inputs, mask, generator)

    def fused(self) -> Stage:
        """Return the graph with rows of its nodes taken together where they can be."""
        return _OtherNodes(self, fuse_nodes(self._nodes, self.outputs))

    def plain_stage(self) -> Stage:
        """Return the graph of the layers as they are."""
        return _OtherNodes(self, self._nodes)

    def run_nodes(
        self, nodes: Sequence[Node], inputs: Any, mask: Any, generator: Generator | None
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks by these nodes, the model's own or fused ones."""
        masks = mask if isinstance(mask, list | tuple) else [mask] * len(self.inputs)
        values: dict[SymbolicTensor, tuple[Any, Any]] = {
            tensor: (tensor.node.layer.convert(value), its_mask)
            for tensor, value, its_mask in zip(
                self.inputs, self._flat_inputs(inputs), masks, strict=True
            )
        }
        for node in nodes:
            outputs, output_masks = _run_node(node, values, generator)
            values.update(_paired(node.outputs, outputs, output_masks))
        if isinstance(self._output_structure, SymbolicTensor):
            return values[self._output_structure]
        packed = map_structure(lambda tensor: values[tensor][0], self._output_structure)
        return packed, [values[tensor][1] for tensor in self.outputs]

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        """Return one array for each input, from an array, a list, or a dict by name.

        Raises:
            ValueError: If some are missing or there are others.
        """
        if isinstance(inputs, dict):
            structure = self._input_structure
            keys = (
                list(structure)
                if isinstance(structure, dict)
                else [tensor.node.layer.name for tensor in self.inputs]
            )
            if set(keys) - set(inputs):
                raise ValueError(f"Model {self.name!r} takes inputs {keys}, got {sorted(inputs)}.")
            return [inputs[key] for key in keys]
        single = isinstance(self._input_structure, SymbolicTensor)
        several = isinstance(inputs, list | tuple) and not (single and len(inputs) != 1)
        flat = list(inputs) if several else [inputs]
        if len(flat) != len(self.inputs):
            raise ValueError(
                f"Model {self.name!r} takes {len(self.inputs)} inputs, got {len(flat)}."
            )
        return flat


class _OtherNodes:
    """A graph model by way of other nodes."""

    def __init__(self, model: Model, nodes: Sequence[Node]) -> None:
        self.model, self.nodes = model, nodes

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks."""
        return self.model.run_nodes(self.nodes, inputs, mask, generator)

    @property
    def worth_a_thread(self) -> int:
        """How many examples gain by a thread of their own."""
        return most_worth_a_thread(node.layer for node in self.nodes)

    def timed(self, clock: Clock) -> _OtherNodes:
        """Return the graph with every node telling a clock of what it does."""
        nodes = [
            Node(timed(node.layer, clock), node.inputs, node.arguments, node.outputs)
            for node in self.nodes
        ]
        return _OtherNodes(self.model, nodes)


def _run_node(
    node: Node, values: dict[SymbolicTensor, tuple[Any, Any]], generator: Generator | None
) -> tuple[Any, Any]:
    """Call a node's layer on values and masks computed before.

    Keras hands a layer its input's mask only if the input is the one tensor argument: a recurrent
    layer with an `initial_state` runs unmasked, yet passes the mask on.
    """

    def value(item: Any) -> Any:
        return values[item][0] if isinstance(item, SymbolicTensor) else item

    inputs = _resolve(node.inputs, value)
    arguments = {name: _resolve(item, value) for name, item in node.arguments.items()}
    attached = _resolve(
        node.inputs, lambda item: values[item][1] if isinstance(item, SymbolicTensor) else None
    )
    explicit = arguments.pop("mask", None)
    if "initial_state" in arguments and explicit is None:
        outputs, _ = node.layer.run(inputs, None, generator, **arguments)
        return outputs, node.layer.compute_mask(inputs, attached)
    return node.layer.run(
        inputs, attached if explicit is None else explicit, generator, **arguments
    )


def _resolve(structure: Any, value: Callable[[Any], Any]) -> Any:
    """Replace every leaf of a structure of lists."""
    if isinstance(structure, list | tuple):
        return [_resolve(item, value) for item in structure]
    return value(structure)


def _paired(
    tensors: list[SymbolicTensor], outputs: Any, masks: Any
) -> Iterator[tuple[SymbolicTensor, tuple[Any, Any]]]:
    """Pair a node's tensors with what was computed for them; masks may be fewer than outputs."""
    several = isinstance(outputs, list | tuple | dict)
    flat = list(leaves(outputs)) if several else [outputs]
    its_masks = list(masks) if isinstance(masks, list | tuple) else [masks]
    its_masks += [None] * (len(flat) - len(its_masks))
    return zip(tensors, zip(flat, its_masks, strict=False), strict=True)


def _in_order(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[Node]:
    """List the nodes between inputs and outputs, each after those that it reads.

    Raises:
        ValueError: If an output does not follow from the inputs.
    """
    given = set(inputs)
    ordered: dict[Node, None] = {}
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, parents_done = stack.pop()
        if tensor in given or tensor.node in ordered:
            continue
        if parents_done:
            ordered[tensor.node] = None
            continue
        parents = tensor.node.parents()
        if not parents:
            raise ValueError(
                f"An output needs {tensor.node.layer.name!r}, which is not among the inputs."
            )
        stack.append((tensor, True))
        stack.extend((parent, False) for parent in reversed(parents))
    return list(ordered)


def _layers_by_depth(
    inputs: list[SymbolicTensor], outputs: list[SymbolicTensor], nodes: list[Node]
) -> list[Layer]:
    """List the layers as Keras orders them, which decides their paths in a weights file.

    Farthest from the outputs first; among equals, the one met first when going back from the
    outputs, depth first. Inputs that nothing reads come last but before layers of depth 0.
    """
    depth_of_node: dict[Node, int] = {}
    depth: dict[Layer, int] = {}
    for node in reversed([*(tensor.node for tensor in inputs), *nodes]):
        here = max(depth_of_node.get(node, 0), depth.get(node.layer, 0))
        depth_of_node[node] = depth[node.layer] = here
        for parent in node.parents():
            depth_of_node[parent.node] = max(here + 1, depth_of_node.get(parent.node, 0))
    met: dict[Layer, int] = {}
    stack = list(reversed(outputs))
    seen: set[Node] = set()
    while stack:
        node = stack.pop().node
        if node in seen:
            continue
        seen.add(node)
        met.setdefault(node.layer, len(met))
        stack.extend(reversed(node.parents()))
    return sorted(depth, key=lambda layer: (-depth[layer], met.get(layer, -1)))


def _give_unique_names(layers: list[Layer]) -> None:
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


def leaves(structure: Any) -> Iterator[Any]:
    """Yield the arrays in a list, tuple or dict, however deep."""
    if isinstance(structure, list | tuple):
        for item in structure:
            yield from leaves(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from leaves(item)
    else:
        yield structure


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every array of a tuple or dict, or of a list of arrays."""
    if isinstance(structure, dict):
        return {key: map_leaves(function, item) for key, item in structure.items()}
    arrays = isinstance(structure, list) and any(isinstance(i, np.ndarray) for i in structure)
    if arrays or isinstance(structure, tuple):
        return [map_leaves(function, item) for item in structure]
    return function(structure)


def _columns(x: Any) -> tuple[Any, int]:
    """Return the inputs as arrays, and the number of examples in each.

    Raises:
        ValueError: If it differs, or is 0.
    """
    columns = map_leaves(np.asarray, x)
    sizes = {len(column) for column in leaves(columns)}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"Expected the same positive number of examples, got {sizes}.")
    return columns, sizes.pop()


def _elements(columns: Any) -> int:
    """Count the numbers in the inputs of one example."""
    return sum(column.size // len(column) for column in leaves(columns))


def _rows(columns: Any, chunk: slice) -> Any:
    """Take some examples of every array."""
    return map_leaves(lambda column: column[chunk], columns)


def _shape_text(shape: Any) -> str:
    """Write a shape, or several."""
    if isinstance(shape, list):
        return ", ".join(map(_shape_text, shape))
    return "?" if shape is None else str(shape)
