"""A functional model's configuration: which layer is called on what, and the model that makes."""

from __future__ import annotations

from typing import Any

from scratch_forward.errors import ArchiveError, Unsupported, UnsupportedModelError
from scratch_forward.io.config_fields import field, text
from scratch_forward.layers.base import Layer
from scratch_forward.layers.core import InputLayer
from scratch_forward.layers.operations import Operation
from scratch_forward.models.functional import Model
from scratch_forward.symbolic import SymbolicTensor, connect, is_symbolic

_CALL_ARGUMENTS = ("mask", "initial_state")


class Wiring:
    """Calls the layers of a functional configuration on one another.

    Args:
        entries: The configuration's entries, each with its `inbound_nodes`.
        layers: The layer of each entry.
        path: Path of the model, for errors.
    """

    def __init__(self, entries: list[Any], layers: list[Any], path: str) -> None:
        self.path = path
        self.tensors: dict[tuple[str, int], list[SymbolicTensor]] = {}
        self.pending: list[tuple[str, int, Layer, Any]] = []
        for entry, layer in zip(entries, layers, strict=True):
            name = text(entry.get("name", layer.name), "name", path)
            if isinstance(layer, InputLayer):
                self.tensors[name, 0] = [layer.as_tensor()]
            for index, node in enumerate(entry.get("inbound_nodes") or []):
                self.pending.append((name, index, layer, node))

    def model(self, config: dict[str, Any], name: str | None) -> Model:
        """Call all layers and return the model between the stated inputs and outputs.

        Raises:
            ArchiveError: If some call reads what nothing computes.
        """
        while self.pending:
            waiting = [call for call in self.pending if not self._call(*call)]
            if len(waiting) == len(self.pending):
                names = sorted({call[0] for call in waiting})
                raise ArchiveError(
                    f"Model {self.path!r} has layers whose inputs nothing computes: {names}."
                )
            self.pending = waiting
        inputs = self._ends(field(config, "input_layers", self.path))
        outputs = self._ends(field(config, "output_layers", self.path))
        return Model(inputs, outputs, name)

    def _call(self, name: str, index: int, layer: Layer, node: Any) -> bool:
        """Call a layer if all that it reads is there; returns whether it was."""
        args, kwargs = field(node, "args", self.path), field(node, "kwargs", self.path)
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ArchiveError(f"Layer {self.path}/{name} has a call that is not well formed.")
        try:
            values = self._structure(args)
            given = {key: self._structure(value) for key, value in kwargs.items()}
        except LookupError:
            return False
        outputs = self._connect(layer, values, given, f"{self.path}/{name}")
        self.tensors[name, index] = list(outputs) if isinstance(outputs, tuple) else [outputs]
        return True

    def _connect(self, layer: Layer, values: list[Any], given: dict[str, Any], path: str) -> Any:
        """Call a layer on what its node names."""
        if isinstance(layer, Operation):
            return connect(layer, values, **given)
        given = {key: v for key, v in given.items() if v is not None and key != "training"}
        if len(values) == 2 and "initial_state" not in given:
            given["initial_state"] = values.pop()
        for option in [key for key in given if key not in _CALL_ARGUMENTS]:
            item = Unsupported(path, option, given[option], "mask and initial_state in a call")
            raise UnsupportedModelError([item])
        if len(values) != 1 or not is_symbolic(values[0]):
            raise ArchiveError(f"Layer {path!r} is called on {len(values)} arguments, not one.")
        return connect(layer, values[0], **given)

    def _structure(self, value: Any) -> Any:
        """Replace references by the tensors that they stand for.

        Raises:
            LookupError: If one is not computed yet.
        """
        if isinstance(value, list):
            return [self._structure(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("class_name") != "__keras_tensor__":
            raise ArchiveError(f"Model {self.path!r} calls a layer on {value.get('class_name')!r}.")
        history = field(field(value, "config", self.path), "keras_history", self.path)
        return self._tensor(history)

    def _tensor(self, history: Any) -> SymbolicTensor:
        """Return the tensor at (layer, call, output)."""
        if not isinstance(history, list) or len(history) != 3:
            raise ArchiveError(f"Model {self.path!r} refers to a tensor as {history!r}.")
        name, call, output = history
        if not isinstance(call, int) or not isinstance(output, int) or min(call, output) < 0:
            raise ArchiveError(f"Model {self.path!r} refers to a tensor as {history!r}.")
        tensors = self.tensors[text(name, "layer", self.path), call]
        if output >= len(tensors):
            raise ArchiveError(f"Model {self.path!r} refers to output {output} of {name!r}.")
        return tensors[output]

    def _ends(self, value: Any) -> Any:
        """Return the tensors of `input_layers` or `output_layers`: one, a list or a dict."""
        if isinstance(value, dict):
            return {key: self._ends(item) for key, item in value.items()}
        if isinstance(value, list) and value and isinstance(value[0], list):
            return [self._ends(item) for item in value]
        return self._tensor(value)
