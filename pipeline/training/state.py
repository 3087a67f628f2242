"""The state of a fit after an epoch, as bytes for a later process to resume from; no TensorFlow.

An npz archive holds every array under its name, and all other values as JSON. It uses no pickle,
and zip's own checksums detect a truncated file.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

import numpy as np

from pipeline.training.history import Epoch
from scratch_forward.io.stored_arrays import read_arrays

_REST = "rest"

Item = TypeVar("Item")


class TrainingStateError(ValueError):
    """The bytes are not a state, or not a complete one."""


@dataclass(frozen=True)
class Patience:
    """The state of an early-stopping rule.

    Attributes:
        best: lowest validation loss so far.
        best_epoch: its epoch, counted from 0.
        wait: number of epochs since.
        stopped: whether the rule has ended the fit.
        weights: the model's weights at the best epoch.
    """

    best: float
    best_epoch: int
    wait: int
    stopped: bool
    weights: Sequence[np.ndarray]


@dataclass(frozen=True)
class TrainingState:
    """A fit between two epochs.

    Attributes:
        epochs: the epochs that have ended.
        variables: all variables of the model, including random generators.
        optimizer: the variables of the optimizer.
        patience: the state of early stopping, if it is enabled.
    """

    epochs: tuple[Epoch, ...]
    variables: Sequence[np.ndarray]
    optimizer: Sequence[np.ndarray]
    patience: Patience | None = None

    def to_bytes(self) -> bytes:
        """Serialise the state."""
        rest: dict[str, object] = {"epochs": [asdict(epoch) for epoch in self.epochs]}
        arrays = _numbered("variable", self.variables) | _numbered("optimizer", self.optimizer)
        if self.patience is not None:
            arrays |= _numbered("best", self.patience.weights)
            rest["patience"] = {
                name: getattr(self.patience, name)
                for name in ("best", "best_epoch", "wait", "stopped")
            }
        packed = io.BytesIO()
        np.savez(packed, **{_REST: np.array(json.dumps(rest)), **arrays})  # type: ignore[arg-type]
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> "TrainingState":
        """Deserialise the result of `to_bytes`.

        Raises:
            TrainingStateError: when it is damaged or truncated.
        """
        try:
            arrays = read_arrays(packed, "the state")
            rest = json.loads(str(arrays.pop(_REST)))
            patience = rest.get("patience")
            state = cls(
                epochs=tuple(_typed(Epoch, epoch) for epoch in rest["epochs"]),
                variables=_collected("variable", arrays),
                optimizer=_collected("optimizer", arrays),
                patience=patience
                and _typed(Patience, {**patience, "weights": _collected("best", arrays)}),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise TrainingStateError(f"not a whole training state: {error}") from error
        if arrays:
            raise TrainingStateError(f"not a whole training state: it holds {min(arrays)} too.")
        return state


def _typed(kind: type[Item], stored: Mapping[str, Any]) -> Item:
    """Build a data class from stored fields, with numbers and booleans of the declared types."""
    types = {"int": (int,), "float": (int, float), "bool": (bool,)}
    for field in fields(kind):  # type: ignore[arg-type]
        allowed = types.get(getattr(field.type, "__name__", ""))
        if allowed and type(stored[field.name]) not in allowed:
            raise ValueError(f"{field.name} is {stored[field.name]!r}")
    return kind(**stored)


def _numbered(kind: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{kind}/{number}": array for number, array in enumerate(arrays)}


def _collected(kind: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Remove and return the arrays that `_numbered` named."""
    count = sum(name.startswith(f"{kind}/") for name in arrays)
    return [arrays.pop(f"{kind}/{number}") for number in range(count)]
