"""The models whose speed counts, those of the report's studies, and the work they are given."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY, STEPS = 3000, 100
SEQUENCES, IMAGES = 400, 1000


def cnn(filters: list[int], kernel: int, pooling: str = "max") -> Callable:
    """Describe convolutions, each with ReLU and 2x2 pooling, on 32x32x3, and two dense layers."""

    def build(keras: Any) -> Any:
        layers = keras.layers
        pool = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
        model = keras.Sequential([keras.Input((32, 32, 3))])
        for count in filters:
            model.add(layers.Conv2D(count, kernel, padding="same", activation="relu"))
            model.add(pool(2))
        model.add(layers.Flatten())
        model.add(layers.Dense(128, activation="relu"))
        model.add(layers.Dense(10, activation="softmax"))
        return model

    return build


def recurrent(cell: str, count: int, units: int, both: bool, mask: bool = False) -> Callable:
    """Describe an embedding, recurrent layers in one or both directions, and a dense layer."""

    def build(keras: Any) -> Any:
        layers = keras.layers
        model = keras.Sequential([keras.Input((STEPS,), dtype="int32")])
        model.add(layers.Embedding(VOCABULARY, 128, mask_zero=mask))
        for index in range(count):
            layer = getattr(layers, cell)(units, return_sequences=index < count - 1)
            model.add(layers.Bidirectional(layer) if both else layer)
        model.add(layers.Dropout(0.5))
        model.add(layers.Dense(3, activation="softmax"))
        return model

    return build


def models() -> dict[str, Callable]:
    """Return what builds each model from the `keras` module, by name."""
    found = {
        "CNN 32, 3x3": cnn([32], 3),
        "CNN 32-64, 3x3": cnn([32, 64], 3),
        "CNN 32-64-128, 3x3": cnn([32, 64, 128], 3),
        "CNN 16-32, 3x3": cnn([16, 32], 3),
        "CNN 64-128, 3x3": cnn([64, 128], 3),
        "CNN 32-64, 5x5": cnn([32, 64], 5),
        "CNN 32-64, 7x7": cnn([32, 64], 7),
        "CNN 32-64-128, 5x5": cnn([32, 64, 128], 5),
        "CNN 32-64-128, 7x7": cnn([32, 64, 128], 7),
        "CNN 32-64, 3x3, average": cnn([32, 64], 3, "average"),
        "CNN 32-64-128, 3x3, average": cnn([32, 64, 128], 3, "average"),
    }
    for both in (False, True):
        prefix = "Bi" if both else ""
        for count, units in ((5, 32), (6, 32), (7, 32), (5, 64), (5, 128)):
            name = f"{prefix}SimpleRNN {count} x {units}"
            found[name] = recurrent("SimpleRNN", count, units, both)
        for count, units in ((1, 32), (1, 64), (1, 128), (2, 64), (3, 64)):
            for mask in (False, True):
                name = f"{prefix}LSTM {count} x {units}{', masked' if mask else ''}"
                found[name] = recurrent("LSTM", count, units, both, mask)
    return found


def bars(name: str) -> dict[str, float]:
    """Return how many times our time each peer's ought to be at least, on the whole set."""
    if name.startswith("CNN"):
        return {"Keras predict": 2, "ONNX Runtime": 1}
    return {"Keras predict": 5, "ONNX Runtime": 2 if name.endswith("masked") else 1.5}


def bars_of_one(_: str) -> dict[str, float]:
    """Return the same for one example; as near to ONNX Runtime as NumPy's calls allow."""
    return {"Keras predict": 20, "ONNX Runtime": 0}


def save(folder: Path, names: list[str]) -> None:
    """Write each model as `<number>.keras` and `<number>.onnx`, weights drawn with a fixed seed."""
    import keras

    for number, name in enumerate(names):
        keras.utils.set_random_seed(1)
        model = models()[name](keras)
        model.save(folder / f"{number}.keras")
        model.predict(
            np.zeros((1, *model.input_shape[1:])), verbose=0
        )  # the export asks for a call
        model.export(folder / f"{number}.onnx", format="onnx", verbose=False)


def work(name: str, lengths: np.ndarray) -> np.ndarray:
    """Return the inputs for a model: images in [0, 1), or token ids, padded if it has a mask.

    images: float32 (IMAGES, 32, 32, 3); tokens: int32 (SEQUENCES, STEPS).
    """
    rng = np.random.default_rng(0)
    if name.startswith("CNN"):
        return rng.random((IMAGES, 32, 32, 3), dtype=np.float32)
    tokens = rng.integers(1, VOCABULARY, (SEQUENCES, STEPS), dtype=np.int32)
    if name.endswith("masked"):
        tokens[np.arange(STEPS) >= lengths[:, None]] = 0
    return tokens


def sentence_lengths(texts: Path | None) -> np.ndarray:
    """Count the words of SEQUENCES sentences in a CSV file's column `text`; at most STEPS each.

    Without a file: drawn log-normal with a mean of about 23 words, as NusaX sentences have.
    """
    if texts is None:
        drawn = np.random.default_rng(1).lognormal(3.0, 0.5, SEQUENCES)
        return np.clip(drawn.astype(int), 1, STEPS)
    with texts.open(newline="", encoding="utf-8") as file:
        counts = [len(row["text"].split()) for row in csv.DictReader(file)]
    if not counts:
        raise ValueError(f"Expected sentences in {os.fspath(texts)!r}, found none.")
    return np.clip(np.resize(counts, SEQUENCES), 1, STEPS)
