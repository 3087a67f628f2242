"""The parity card: a few inputs with what Keras made of them, to be replayed wherever a model goes.

It is written beside the model while Keras is at hand, and checked without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import ArchiveError
from scratch_forward.layers.core import Embedding
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.nested_arrays import leaves
from scratch_forward.rounding import measure

BAR = 1e-6  # largest absolute difference that needs no explanation
LENGTH = 9  # of an axis whose size the model leaves open: odd, longer than most kernels
LARGEST_FILE = 64 * 2**20  # bytes; a card holds a handful of examples
_SEED = 20240229

Array = NDArray[Any]
AnyModel = Model | Sequential


def card_path(model_path: str | Path) -> Path:
    """Place of a model's card: `model.keras` has `model.card.npz` beside it."""
    return Path(model_path).with_suffix(".card.npz")


def probes(model: AnyModel) -> list[Array]:
    """Inputs that ask the awkward questions, one array of seven examples for each model input.

    Ids: a full row with the largest id, padding on the right, on the left, in holes, everywhere, a
    single token, and random ids among them 0. Numbers: zeros, ones, negatives, a ramp and noise.
    """
    rng = np.random.default_rng(_SEED)
    return [
        _ids(shape, vocabulary, rng) if vocabulary else _numbers(shape, rng)
        for shape, vocabulary in _inputs(model)
    ]


def write_card(
    model_path: str | Path,
    model: AnyModel,
    predict: Callable[[list[Array]], Any],
    about: Mapping[str, Any],
) -> Path:
    """Write the card of a model.

    Args:
        model_path: the `.keras` file that the card will lie beside.
        model: the same model, loaded by this package.
        predict: Keras's own prediction for a list of input arrays.
        about: versions, threads, batch size: what the outputs were computed with.

    Returns:
        The card's path.
    """
    inputs = probes(model)
    outputs = list(leaves(predict(inputs)))
    document = {"weights_sha256": weights_digest(model), "batch": len(inputs[0]), **about}
    arrays = {f"input_{index}": array for index, array in enumerate(inputs)}
    arrays |= {f"output_{index}": array for index, array in enumerate(outputs)}
    path = card_path(model_path)
    np.savez(path, about=np.array(json.dumps(document)), **arrays)  # type: ignore[arg-type]
    return path


def verify_card(model_path: str | Path, model: AnyModel, oracle: Callable[[], AnyModel]) -> None:
    """Replay a model's card, and refuse a model that does not answer as Keras did.

    Args:
        model_path: the `.keras` file beside which the card lies.
        model: what was loaded from it.
        oracle: gives the same model in float64; asked only where the bar is not met.

    Raises:
        ArchiveError: the card is missing or malformed, the weights are not those it was written
            for, or an output differs by more than 1e-6 and by more than rounding explains.
    """
    path = card_path(model_path)
    document, inputs, expected = _read(path)
    if document.get("weights_sha256") != weights_digest(model):
        raise ArchiveError(f"The weights of {model_path} are not those that {path} was made for.")
    given = model.arranged(inputs)
    found = list(leaves(model.predict(given)))
    if [array.shape for array in found] != [array.shape for array in expected]:
        raise ArchiveError(f"The outputs of {model_path} do not have the shapes that {path} holds.")
    worst = max(_distance(ours, keras) for ours, keras in zip(found, expected, strict=True))
    if worst <= BAR:
        return
    measured = measure(oracle(), given, expected, found)
    if not all(errors.explain for errors in measured):
        raise ArchiveError(
            f"The outputs of {model_path} differ by up to {worst:.1e} from those of Keras in {path}"
            ", which rounding does not explain."
        )


def weights_digest(model: AnyModel) -> str:
    """The sha256 over all weights in Keras's order, as little-endian float32 with their shapes."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()


def _inputs(model: AnyModel) -> Iterator[tuple[tuple[int, ...], int | None]]:
    """The shape of each input without its batch axis, and the vocabulary of one that takes ids."""
    if isinstance(model, Sequential):
        first = model.layers[0]
        if isinstance(first, Model | Sequential):
            yield from _inputs(first)
            return
        given = model.input_layer.shape if model.input_layer is not None else (None,)
        yield _closed(given), first.input_dim if isinstance(first, Embedding) else None
        return
    readers = [layer for layer in model.layers if isinstance(layer, Embedding)]
    for tensor in model.inputs:
        readings = [
            layer.input_dim for layer in readers for node in layer.nodes if node.inputs is tensor
        ]
        yield _closed(tensor.shape[1:]), min(readings, default=None)


def _closed(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(LENGTH if size is None else size for size in shape)


def _ids(shape: tuple[int, ...], vocabulary: int, rng: np.random.Generator) -> Array:
    ids = rng.integers(1, vocabulary, (7, *shape)) if vocabulary > 1 else np.zeros((7, *shape), int)
    length = shape[-1]
    ids[0, ..., -1] = vocabulary - 1
    ids[1, ..., (length + 1) // 2 :] = 0
    ids[2, ..., : length // 2] = 0
    ids[3, ..., 1::2] = 0
    ids[4] = 0
    ids[5, ..., 1:] = 0
    ids[6] = rng.integers(0, vocabulary, shape)
    return ids.astype(np.int32)


def _numbers(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    numbers = rng.standard_normal((7, *shape))
    numbers[0], numbers[1], numbers[2] = 0, 1, -1
    numbers[3] = np.linspace(0, 1, num=int(np.prod(shape))).reshape(shape)
    numbers[4, ..., len(shape) > 0 and shape[0] // 2 :] *= -1
    return numbers.astype(np.float32)


def _read(path: Path) -> tuple[dict[str, Any], list[Array], list[Array]]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ArchiveError(f"{path} is larger than a card may be ({LARGEST_FILE} bytes).")
        with np.load(path, allow_pickle=False) as stored:
            document = json.loads(str(stored["about"]))
            inputs, outputs = (
                [stored[f"{kind}_{index}"] for index in range(_count(stored.files, kind))]
                for kind in ("input", "output")
            )
    except FileNotFoundError as error:
        raise ArchiveError(f"There is no parity card at {path}.") from error
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(f"The parity card {path} cannot be read: {error}") from error
    if not (isinstance(document, dict) and inputs and outputs):
        raise ArchiveError(f"The parity card {path} holds no examples.")
    return document, inputs, outputs


def _count(names: list[str], kind: str) -> int:
    return sum(name.startswith(f"{kind}_") for name in names)


def _distance(one: Array, other: Array) -> float:
    """Largest absolute difference; infinite where only one is NaN."""
    same_nan = np.isnan(one) & np.isnan(other)
    difference = np.where(same_nan, 0, np.abs(one - other))
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0))
