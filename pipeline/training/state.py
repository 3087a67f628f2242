"""Where a fit stands after an epoch, as bytes that a later process can go on from; no TensorFlow.

An npz archive: every array under its name, what is not an array as JSON beside them. No pickle, and
zip's own checksums tell a file that was cut short.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pipeline.training.history import Epoch

_REST = "rest"


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
            with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            rest = json.loads(str(arrays.pop(_REST)))
            patience = rest.get("patience")
            return cls(
                epochs=tuple(Epoch(**epoch) for epoch in rest["epochs"]),
                variables=_collected("variable", arrays),
                optimizer=_collected("optimizer", arrays),
                patience=patience and Patience(**patience, weights=_collected("best", arrays)),
            )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise TrainingStateError(f"not a whole training state: {error}") from error


def _numbered(kind: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{kind}/{number}": array for number, array in enumerate(arrays)}


def _collected(kind: str, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    count = sum(name.startswith(f"{kind}/") for name in arrays)
    return [arrays[f"{kind}/{number}"] for number in range(count)]
