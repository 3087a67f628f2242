"""Building of Functional models: calls each layer as the configuration says."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from scratch_forward.errors import ArchiveError, Unsupported
from scratch_forward.io.call_nodes import Call, calls_of, is_keras_2
from scratch_forward.io.config_fields import field
from scratch_forward.io.constants import Reference, UnknownConstant
from scratch_forward.layers.core import InputLayer
from scratch_forward.layers.operations import Operation
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.nested_arrays import leaves, map_leaves
from scratch_forward.symbolic import SymbolicTensor, connect, is_symbolic


class Wiring:
    """Calls the layers of a functional configuration on one another.

    Args:
        config: Configuration of the model, with `layers`, `input_layers` and `output_layers`.
        layers: The layer of each entry, or None for a layer that is not supported.

    Raises:
        ArchiveError: If a call is malformed.
    """

    def __init__(self, config: dict[str, Any], layers: list[Any], path: str) -> None:
        self.path = path
        entries = field(config, "layers", path)
        self.tensors: dict[tuple[str, int], list[SymbolicTensor]] = {}
        self.calls: list[Call] = []
        self.layers: dict[str, Any] = {}
        for entry, layer in zip(entries, layers, strict=True):
            calls = calls_of(entry, layer, path)
            self.layers[calls.name] = layer
            self.calls += calls.calls
        ends = (field(config, key, path) for key in ("input_layers", "output_layers"))
        self.inputs, self.outputs = (_references(end, path) for end in ends)
        self.first_call = self._first_calls(any(map(is_keras_2, entries)))

    def problems(self) -> Iterator[Unsupported]:
        """Yield unsupported arguments in the calls of supported layers."""
        for call in self.calls:
            for value in leaves([call.args, call.kwargs]):
                if isinstance(value, UnknownConstant):
                    yield Unsupported(
                        call.path, "call", value.kind, "tensors, arrays, slices and plain values"
                    )
            if call.layer is not None and not isinstance(call.layer, Operation):
                yield from call.problems()

    def call_count(self, calls_in: dict[int, int]) -> int:
        """Count the calls of the graph, including those within its layers."""
        return sum(calls_in.get(id(call.layer), 1) for call in self.calls)

    def model(self, name: str | None) -> Model:
        """Call all layers and return the model between the listed inputs and outputs.

        Raises:
            ArchiveError: If a call reads a tensor that no call computes.
        """
        waiting: defaultdict[tuple[str, int], list[Call]] = defaultdict(list)
        missing: dict[Call, int] = {}
        for call in self.calls:
            sources = {self._source(reference) for reference in call.references()}
            missing[call] = len(sources)
            for source in sources:
                waiting[source].append(call)
        ready = deque(call for call in self.calls if not missing[call])
        for layer_name, layer in self.layers.items():
            if isinstance(layer, InputLayer):
                self._enter(layer_name, layer)
                ready.extend(_freed((layer_name, 0), waiting, missing))
        done = 0
        while ready:
            call = ready.popleft()
            self._connect(call)
            done += 1
            ready.extend(_freed((call.name, call.index), waiting, missing))
        if done < len(self.calls):
            names = sorted({call.name for call, count in missing.items() if count})[:10]
            raise ArchiveError(
                f"Model {self.path!r} has layers whose inputs nothing computes: {names}."
            )
        inputs = map_leaves(self._tensor, self.inputs)
        outputs = map_leaves(lambda end: self._tensor(end, of_model=True), self.outputs)
        return Model(inputs, outputs, name)

    def _enter(self, name: str, layer: InputLayer) -> None:
        """Create the tensor of an input layer."""
        self.tensors[name, 0] = [layer.as_tensor()]

    def _connect(self, call: Call) -> None:
        """Call a layer on the tensors that its node names."""
        resolved = map_leaves(
            lambda item: self._tensor(item) if isinstance(item, Reference) else item,
            [call.args, call.kwargs],
        )
        if isinstance(call.layer, Operation):
            connect(call.layer, resolved[0], **resolved[1])
        else:
            first, others = call.bound(*resolved)
            if not is_symbolic(first):
                raise ArchiveError(f"Layer {call.path!r} is called without inputs.")
            connect(call.layer, first, **others)
            call.layer.nodes[-1].written = resolved
        self.tensors[call.name, call.index] = call.layer.nodes[-1].outputs

    def _tensor(self, reference: Reference, of_model: bool = False) -> SymbolicTensor:
        """Return the tensor that a reference denotes."""
        tensors = self.tensors.get(self._source(reference, of_model))
        if tensors is None or reference.output >= len(tensors):
            raise ArchiveError(
                f"Model {self.path!r} refers to output {reference.output} of call "
                f"{reference.call} of {reference.layer!r}, which does not exist."
            )
        return tensors[reference.output]

    def _source(self, reference: Reference, of_model: bool = False) -> tuple[str, int]:
        """Return the call that a reference denotes, as (layer name, call number from 0).

        Keras 3 counts the calls of a nested Functional model from 1 where it lists the outputs of
        the outer model: number 0 is the call that built the nested model. Keras 2 does so wherever
        it refers to such a call.
        """
        first = self.first_call.get(reference.layer, 0)
        if first and (of_model or self.keras_2):
            return reference.layer, reference.call - first
        return reference.layer, reference.call

    def _first_calls(self, keras_2: bool) -> dict[str, int]:
        """Return the number of the first call of each nested model."""
        self.keras_2 = keras_2
        if not keras_2:
            return {name: 1 for name, layer in self.layers.items() if isinstance(layer, Model)}
        named: defaultdict[str, set[int]] = defaultdict(set)
        everywhere = [leaves(self.outputs), *(call.references() for call in self.calls)]
        for references in everywhere:
            for reference in references:
                named[reference.layer].add(reference.call)
        return {
            name: min(named[name], default=0)
            for name, layer in self.layers.items()
            if isinstance(layer, Model | Sequential)
        }


def _freed(
    source: tuple[str, int], waiting: dict[tuple[str, int], list[Call]], missing: dict[Call, int]
) -> Iterator[Call]:
    """Yield the calls that were waiting only for `source`."""
    for call in waiting.pop(source, []):
        missing[call] -= 1
        if not missing[call]:
            yield call


def _references(value: Any, path: str) -> Any:
    """Parse `input_layers` or `output_layers`: one reference, or nested lists and dicts of them."""
    if isinstance(value, dict):
        return {key: _references(item, path) for key, item in value.items()}
    if isinstance(value, list) and (not value or not isinstance(value[0], str)):
        return [_references(item, path) for item in value]
    return Reference.read(value, path)
