"""The parity card: a few inputs with Keras's outputs, stored beside a model to check it anywhere.

The card is written where Keras is installed, and checked without Keras. For a model with
preprocessing it also contains raw inputs, so that a changed class name or vocabulary is detected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import ArchiveError, PreprocessingError
from scratch_forward.io.stored_arrays import ARRAYS_BYTES, read_arrays
from scratch_forward.layers.core import Embedding
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.nested_arrays import leaves
from scratch_forward.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    InputsPreprocessing,
    Preprocessing,
    TextPreprocessing,
)
from scratch_forward.preprocessing.stored_fields import described
from scratch_forward.rounding import measure

MOST_EXAMPLES = 64  # this package writes seven
BAR = 1e-6  # largest absolute difference that needs no explanation
LENGTH = 9  # of an axis of unknown size: odd, and longer than most kernels
UNPROVEN = (
    "The parity card does not cover preprocessing.json (class names and vocabulary or scale): it "
    "is of an earlier version."
)
_SEED = 20240229
_RAW = 5  # raw examples in a card
_WORDS = 200  # in the longest raw text
_RAW_TEXTS, _RAW_NUMBERS = "raw_texts", "raw_images"  # numbers were only images at first
_RAW_INPUT = "raw_input_"  # followed by the name of one of several inputs
_ABOUT_BYTES = 2**20

Array = NDArray[Any]
AnyModel = Model | Sequential


def card_path(model_path: str | Path) -> Path:
    """Return the path of a model's card: `model.card.npz` for `model.keras`."""
    return Path(model_path).with_suffix(".card.npz")


def probes(model: AnyModel) -> list[Array]:
    """Return inputs that cover unusual cases, one array of seven examples per model input.

    Token ids, int32: a full row with the largest id; padding on the right, on the left, and in
    between; padding only; a single token; random ids that include 0. Numbers, float32: zeros, ones,
    minus ones, a ramp, and noise.
    """
    rng = np.random.default_rng(_SEED)
    return [
        _ids(shape, vocabulary, rng) if vocabulary else _numbers(shape, rng)
        for shape, vocabulary in _inputs(model)
    ]


def raw_probes(preprocessing: Preprocessing) -> Any:
    """Return raw examples that use all of the preprocessing; a dict of them for several inputs.

    Texts: empty, known and unknown words, capitals and punctuation, more words than the sequence
    length. Images `(N, H, W, C)` uint8: the smallest and largest values, and noise. Tables and
    arrays, float64 or int32: zeros, what is scaled to one, and noise around the mean.
    """
    if isinstance(preprocessing, InputsPreprocessing):
        return {name: raw_probes(one) for name, one in preprocessing.inputs.items()}
    rng = np.random.default_rng(_SEED)
    if isinstance(preprocessing, TextPreprocessing):
        return _raw_texts(preprocessing, rng)
    if isinstance(preprocessing, ImagePreprocessing):
        return _raw_images(preprocessing, rng)
    if isinstance(preprocessing, ArrayPreprocessing) and preprocessing.dtype == "int32":
        return rng.integers(0, 2, (_RAW, *preprocessing.input_shape), np.int32)
    numbers = rng.standard_normal((_RAW, *preprocessing.input_shape))
    numbers[0], numbers[1] = 0, 1
    if preprocessing.mean:
        numbers[1:] = numbers[1:] * preprocessing.scale + preprocessing.mean
    return numbers


def _raw_texts(preprocessing: TextPreprocessing, rng: np.random.Generator) -> list[str]:
    words = preprocessing.vocabulary[2:] or ("word",)
    drawn = [
        " ".join(rng.choice(words, min(count, _WORDS)))
        for count in (1, 3, preprocessing.sequence_length + 1)
    ]
    return ["", "zqxj", drawn[0].upper() + "!", f"{drawn[1]}, zqxj", drawn[2]]


def _raw_images(preprocessing: ImagePreprocessing, rng: np.random.Generator) -> Array:
    brightest = int(np.clip(round(1 / preprocessing.scale), 1, 255))
    images = rng.integers(0, brightest + 1, (_RAW, *preprocessing.input_shape), np.uint8)
    images[0], images[1] = 0, brightest
    return images


def write_card(
    model_path: str | Path,
    model: AnyModel,
    predict: Callable[[list[Array]], Any],
    about: Mapping[str, Any],
    preprocessing: Preprocessing | None = None,
    task: str = "multiclass",
) -> Path:
    """Write the card of a model.

    Args:
        model_path: The `.keras` file. The card is written beside it.
        predict: Returns Keras's prediction for a list of input arrays.
        about: How the outputs were computed: versions, threads, batch size.
        preprocessing: The preprocessing of a classifier, if the card is to cover it.
        task: The meaning of the outputs, which the card covers as well.

    Returns:
        The path of the card.
    """
    inputs = probes(model)
    document = {"weights_sha256": weights_digest(model), "batch": len(inputs[0]), **about}
    arrays = {f"input_{index}": array for index, array in enumerate(inputs)}
    arrays |= {f"output_{i}": array for i, array in enumerate(leaves(predict(inputs)))}
    if preprocessing is not None:
        raw = raw_probes(preprocessing)
        document["preprocessing_sha256"] = preprocessing_digest(preprocessing)
        document["task"] = task
        for name, values in _raw_fields(raw).items():
            kept: dict[str, Any] = document if isinstance(values, list) else arrays
            kept[name] = values
        arrays["answers"] = predict(model.listed(preprocessing.encode(raw)))
    path = card_path(model_path)
    np.savez(path, about=np.array(json.dumps(document)), **arrays)  # type: ignore[arg-type]
    return path


def verify_card(
    model_path: str | Path,
    model: AnyModel,
    oracle: Callable[[], AnyModel],
    preprocessing: Preprocessing | None = None,
    task: str = "multiclass",
) -> bool:
    """Replay a model's card and refuse a model whose outputs differ from those of Keras.

    Args:
        model_path: The `.keras` file. The card is beside it.
        model: The model loaded from this file.
        oracle: Returns the same model in float64. Called only if a difference exceeds 1e-6.
        preprocessing: The preprocessing of the model, if it is to be checked as well.
        task: The meaning of the outputs, checked with the preprocessing.

    Returns:
        Whether the card covers the preprocessing. Cards of version 0.1 do not.

    Raises:
        ArchiveError: If the card is missing or malformed, if the weights or the preprocessing are
            not those for which it was written, or if an output differs by more than 1e-6 and by
            more than rounding explains.
    """
    path = card_path(model_path)
    card = _read(path)
    if card.document.get("weights_sha256") != weights_digest(model):
        raise ArchiveError(f"The weights of {model_path} are not those that {path} was made for.")
    shapes = [shape for shape, _ in _inputs(model)]
    if [array.shape[1:] for array in card.inputs] != shapes:
        raise ArchiveError(f"The inputs in {path} are not of the shape that {model_path} takes.")
    _replay(model, oracle, card.inputs, card.outputs, f"The outputs of {model_path}", path)
    if preprocessing is None or card.answers is None:
        return False
    same = card.document.get("preprocessing_sha256") == preprocessing_digest(preprocessing)
    if not same or card.document.get("task", "multiclass") != task:
        raise ArchiveError(
            f"The preprocessing beside {model_path} (class names, vocabulary, scale) is not what "
            f"{path} was made for."
        )
    try:
        encoded = preprocessing.encode(card.raw)
    except (PreprocessingError, TypeError, AttributeError) as error:
        raise ArchiveError(f"The raw inputs in {path} cannot be read: {error}") from error
    _replay(
        model, oracle, model.listed(encoded), [card.answers], f"The answers of {model_path}", path
    )
    return True


def _replay(
    model: AnyModel,
    oracle: Callable[[], AnyModel],
    inputs: list[Array],
    expected: list[Array],
    what: str,
    path: Path,
) -> None:
    """Predict again and refuse outputs that differ from Keras's by more than rounding."""
    try:
        given = model.arranged(inputs)
        found = list(leaves(model.predict(given)))
    except (ValueError, IndexError, TypeError) as error:
        raise ArchiveError(f"The inputs in {path} do not fit the model: {error}") from error
    if [array.shape for array in found] != [array.shape for array in expected]:
        raise ArchiveError(f"{what} do not have the shapes that {path} holds.")
    worst = max(_distance(ours, keras) for ours, keras in zip(found, expected, strict=True))
    if worst <= BAR:
        return
    measured = measure(oracle(), given, expected, found)
    if not all(errors.explain for errors in measured):
        raise ArchiveError(
            f"{what} differ by up to {worst:.1e} from those of Keras in {path}, which rounding "
            "does not explain."
        )


def preprocessing_digest(preprocessing: Preprocessing) -> str:
    """SHA-256 of the kind and all fields of a preprocessing."""
    fields = json.dumps(described(preprocessing), sort_keys=True)
    return hashlib.sha256(fields.encode()).hexdigest()


def weights_digest(model: AnyModel) -> str:
    """SHA-256 of all weights in Keras's order, as little-endian float32, and their shapes."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()


def _inputs(model: AnyModel) -> Iterator[tuple[tuple[int, ...], int | None]]:
    """Yield each input's shape without the batch axis, and its vocabulary size or None."""
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
    numbers[(4, ..., slice(shape[0] // 2, None)) if shape else 4] *= -1
    return numbers.astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Card:
    """The content of a card. Arrays have one row per example.

    Attributes:
        document: The model for which the card was made, and how its outputs were computed.
        inputs: Inputs of the model.
        outputs: Outputs of Keras.
        raw: Raw examples as `raw_probes` returns them, as many as `answers` has rows.
        answers: Keras's probabilities for `raw`. None in a card of version 0.1.
    """

    document: dict[str, Any]
    inputs: list[Array]
    outputs: list[Array]
    raw: Any
    answers: Array | None


def _read(path: Path) -> _Card:
    if not path.is_file():
        raise ArchiveError(f"There is no parity card at {path}.")
    stored = read_arrays(path, f"The parity card {path}", ARRAYS_BYTES)
    document = _document(stored.pop("about", np.array("")), path)
    inputs, outputs = (_numbered(stored, kind) for kind in ("input", "output"))
    if not (inputs and outputs):
        raise ArchiveError(f"The parity card {path} holds no examples.")
    raw, answers = _raw(document, stored), stored.get("answers")
    results = [*outputs, *([] if answers is None else [answers])]
    if not all(map(_is_sound, [*inputs, *results])) or any(
        one.dtype.kind != "f" for one in results
    ):
        raise ArchiveError(f"The parity card {path} holds more, or other, than a few examples.")
    return _Card(document, inputs, outputs, raw, answers)


def _raw_fields(raw: Any) -> dict[str, Any]:
    """Return raw examples under the names that they are stored by."""
    if isinstance(raw, dict):
        return {f"{_RAW_INPUT}{name}": values for name, values in raw.items()}
    return {_RAW_TEXTS if isinstance(raw, list) else _RAW_NUMBERS: raw}


def _raw(document: Mapping[str, Any], stored: Mapping[str, Array]) -> Any:
    """Return the raw examples that `_raw_fields` named."""
    several = {
        name.removeprefix(_RAW_INPUT): values
        for name, values in {**document, **stored}.items()
        if name.startswith(_RAW_INPUT)
    }
    return several or document.get(_RAW_TEXTS, stored.get(_RAW_NUMBERS))


def _is_sound(examples: Array) -> bool:
    """Whether an array contains numbers for few examples, which limits the time of a prediction."""
    return examples.dtype.kind in "fiu" and examples.ndim > 0 and len(examples) <= MOST_EXAMPLES


def _document(about: Array, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(str(about) if about.nbytes <= _ABOUT_BYTES else "")
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"The parity card {path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise ArchiveError(f"The parity card {path} does not say what it was made for.")
    return document


def _numbered(stored: Mapping[str, Array], kind: str) -> list[Array]:
    """Return the arrays `input_0`, `input_1` and so on."""
    count = sum(name.startswith(f"{kind}_") for name in stored)
    return [stored[name] for name in (f"{kind}_{i}" for i in range(count)) if name in stored]


def _distance(one: Array, other: Array) -> float:
    """Largest absolute difference. It is infinite if only one of two values is NaN."""
    same_nan = np.isnan(one) & np.isnan(other)
    difference = np.where(same_nan, 0, np.abs(one - other))
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0))
