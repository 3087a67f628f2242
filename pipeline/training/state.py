"""Where a fit stands after an epoch, as bytes that a later process can go on from; no TensorFlow.

An npz archive: every array under its name, what is not an array as JSON beside them. No pickle, and
zip's own checksums tell a file that was cut short.
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
    """Bytes that are no state, or not a whole one."""


@dataclass(frozen=True)
class Patience:
    """How an early-stopping rule stands.

    Attributes:
        best: the least validation loss so far.
        best_epoch: when it was, counted from 0.
        wait: epochs since.
        stopped: whether it has ended the fit.
        weights: the model's at the best epoch.
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
        epochs: those that have ended.
        variables: all of the model's, the state of its random generators included.
        optimizer: the optimizer's.
        patience: of early stopping, where it is on.
    """

    epochs: tuple[Epoch, ...]
    variables: Sequence[np.ndarray]
    optimizer: Sequence[np.ndarray]
    patience: Patience | None = None

    def to_bytes(self) -> bytes:
        """Pack everything."""
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
        """Unpack what `to_bytes` gave.

        Raises:
            TrainingStateError: when it is damaged or cut short.
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
    """A data class from stored fields, numbers and booleans of the types that it declares."""
    types = {"int": (int,), "float": (int, float), "bool": (bool,)}
    for field in fields(kind):  # type: ignore[arg-type]
        allowed = types.get(getattr(field.type, "__name__", ""))
        if allowed and type(stored[field.name]) not in allowed:
            raise ValueError(f"{field.name} is {stored[field.name]!r}")
    return kind(**stored)


def _numbered(kind: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{kind}/{number}": array for number, array in enumerate(arrays)}


def _collected(kind: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Take the arrays that `_numbered` named out of all."""
    count = sum(name.startswith(f"{kind}/") for name in arrays)
    return [arrays.pop(f"{kind}/{number}") for number in range(count)]
