"""Layer calls in a functional configuration, in the formats of Keras 3 and Keras 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from scratch_forward.errors import ArchiveError, Unsupported
from scratch_forward.io.config_fields import field, text
from scratch_forward.io.constants import Reference, decoded
from scratch_forward.layers.recurrent.bidirectional import Bidirectional
from scratch_forward.layers.recurrent.rnn import RNN
from scratch_forward.nested_arrays import leaves

_CONSTANT = "_CONSTANT_VALUE"  # the name that Keras 2 writes instead of a layer for a constant


@dataclass(eq=False)
class Call:
    """One call of a layer."""

    name: str  # name of the layer in the model
    index: int  # number of the call among the calls of this layer, from 0
    layer: Any  # the layer, or None if it is not supported
    path: str  # Path of the layer, used in error messages
    args: list[Any]  # positional arguments, with a `Reference` for each tensor
    kwargs: dict[str, Any]  # keyword arguments, with a `Reference` for each tensor

    def references(self) -> Iterator[Reference]:
        """Yield a reference for each tensor that the call reads."""
        return (item for item in leaves([self.args, self.kwargs]) if isinstance(item, Reference))

    def problems(self) -> Iterator[Unsupported]:
        """Yield the arguments that the layer does not accept."""
        known = self.layer.call_arguments
        if len(self.args) > len(known):
            yield Unsupported(self.path, "call", f"{len(self.args)} arguments", f"{known}")
        for name, value in self._named(self.args, self.kwargs).items():
            if value is None or value is False:
                continue
            if name == "training":
                yield Unsupported(self.path, "training", value, "a call without it: inference")
            elif name not in known:
                yield Unsupported(self.path, name, "given in a call", ", ".join(known))

    def bound(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Split resolved arguments into the layer's inputs and its other arguments by name."""
        named = self._named(args, kwargs)
        first = named.pop(self.layer.call_arguments[0], None)
        if isinstance(self.layer, RNN | Bidirectional) and isinstance(first, list):
            first, *states = first  # Keras 2 appends initial states to the list of inputs
            if states:
                named["initial_state"] = states
        named.pop("training", None)
        others = {name: value for name, value in named.items() if value is not None}
        inputs, arguments = self.layer.gathered(first, others)
        return inputs, arguments

    def _named(self, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        return dict(zip(self.layer.call_arguments, args, strict=False)) | kwargs


class CallsOfLayer(NamedTuple):
    """A layer's name in the model, with the calls of that layer."""

    name: str
    calls: list[Call]


def calls_of(entry: Any, layer: Any, path: str) -> CallsOfLayer:
    """Read the calls listed in an entry of `layers`.

    Raises:
        ArchiveError: If a call is malformed.
    """
    name = entry.get("name") or field(entry["config"], "name", path)
    name = text(name, "name", path)
    nodes = entry.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise ArchiveError(f"Layer {path}/{name} has calls that are not a list.")
    calls = []
    for index, node in enumerate(nodes):
        args, kwargs = _arguments(node, f"{path}/{name}")
        calls.append(Call(name, index, layer, f"{path}/{name}", args, kwargs))
    return CallsOfLayer(name, calls)


def is_keras_2(entry: Any) -> bool:
    """Whether the calls of an entry are in the format of Keras 2."""
    nodes = entry.get("inbound_nodes")
    return bool(nodes) and not (isinstance(nodes[0], dict) and "args" in nodes[0])


def _arguments(node: Any, path: str) -> tuple[list[Any], dict[str, Any]]:
    """Return the positional and keyword arguments of a call, in either format."""
    if isinstance(node, dict) and "args" in node:
        args = decoded(node["args"], path)
        named = decoded(field(node, "kwargs", path), path)
        if not isinstance(args, list) or not isinstance(named, dict):
            raise ArchiveError(f"Layer {path} has a call that is not well formed.")
        return args, named
    kwargs: dict[str, Any] = {}
    inputs = _keras_2_inputs(node, kwargs, path)
    if isinstance(inputs, list) and len(inputs) == 1:
        inputs = inputs[0]
    return [inputs], kwargs


def _keras_2_inputs(node: Any, kwargs: dict[str, Any], path: str) -> Any:
    """Decode inputs that Keras 2 writes as `[layer, call, output, other arguments]`."""
    if isinstance(node, dict):
        return {key: _keras_2_inputs(item, kwargs, path) for key, item in node.items()}
    if not isinstance(node, list) or not node:
        raise ArchiveError(f"Layer {path} has a call that is not well formed: {node!r}.")
    if not isinstance(node[0], str):
        return [_keras_2_inputs(item, kwargs, path) for item in node]
    if len(node) > 3 and isinstance(node[3], dict):
        kwargs.update((key, _keras_2_value(value, path)) for key, value in node[3].items())
    if node[0] == _CONSTANT:
        return node[2] if len(node) > 2 else None
    return Reference.read(node, path)


def _keras_2_value(value: Any, path: str) -> Any:
    """Decode another argument of a Keras 2 call. A triple that starts with text is a tensor."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return Reference.read(value, path)
    if isinstance(value, list):
        return [_keras_2_value(item, path) for item in value]
    return decoded(value, path)
