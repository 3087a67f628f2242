"""The models whose speed counts, those of the report's studies, and the work they are given."""

import csv
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY, STEPS = 3000, 100
SEQUENCES, IMAGES = 400, 1000
ROWS, COLUMNS = 10_000, 32


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


def separable(filters: list[int]) -> Callable:
    """Describe 3x3 depthwise and 1x1 convolutions with batch normalization, as in MobileNet."""

    def build(keras: Any) -> Any:
        layers = keras.layers
        model = keras.Sequential([keras.Input((32, 32, 3))])
        model.add(layers.Conv2D(filters[0], 3, padding="same", activation="relu"))
        for number, count in enumerate(filters):
            model.add(layers.DepthwiseConv2D(3, 2 if number else 1, "same", use_bias=False))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
            model.add(layers.Conv2D(count, 1, use_bias=False))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
        model.add(layers.GlobalAveragePooling2D())
        model.add(layers.Dense(10, activation="softmax"))
        return model

    return build


def resnet(_: Any) -> Any:
    """Build the pipeline's `model=resnet`."""
    from pipeline.data.data_spec import ImageSpec
    from pipeline.models.residual import resnet

    return resnet(ImageSpec((32, 32, 3), "float32", 10))


def transformer(mask: bool) -> Callable:
    """Describe the pipeline's `model=transformer`."""

    def build(_: Any) -> Any:
        from pipeline.data.data_spec import TextSpec
        from pipeline.models.attention import transformer

        texts = TextSpec((STEPS,), "int32", 3, vocabulary_size=VOCABULARY, sequence_length=STEPS)
        return transformer(texts, mask=mask)

    return build


def mlp(_: Any) -> Any:
    """Build the pipeline's `model=mlp` for a table."""
    from pipeline.data.data_spec import TableSpec
    from pipeline.models.dense import mlp

    names = tuple(f"column {number}" for number in range(COLUMNS))
    return mlp(TableSpec((COLUMNS,), "float32", 10, columns=names))


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
        "ResNet 16-32-64": resnet,
        "Separable CNN 32-64-128": separable([32, 64, 128]),
        "MLP 128-64, table": mlp,
        "Transformer 1 x 64": transformer(mask=False),
        "Transformer 1 x 64, masked": transformer(mask=True),
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


def is_recurrent(name: str) -> bool:
    """Whether a model contains recurrent layers."""
    return "RNN" in name or "LSTM" in name


def bars(name: str) -> dict[str, float]:
    """Return how many times our time each peer's ought to be at least, on the whole set."""
    if not is_recurrent(name):
        return {"Keras": 2, "best peer": 1}
    return {"Keras": 5, "best peer": 2 if name.endswith("masked") else 1.5}


def bars_of_one(_: str) -> dict[str, float]:
    """Return the same for one example; as near to the best peer as NumPy's calls allow."""
    return {"Keras": 20, "best peer": 0}


def save(folder: Path, names: list[str]) -> None:
    """Write each model as `<number>.keras`, `.onnx` and `.tflite`, weights drawn with a fixed seed.

    There is no `.tflite` of a model that LiteRT's own operations cannot compute.
    """
    import keras

    for number, name in enumerate(names):
        keras.utils.set_random_seed(1)
        model = models()[name](keras)
        model.save(folder / f"{number}.keras")
        model.predict(
            np.zeros((1, *model.input_shape[1:])), verbose=0
        )  # the export asks for a call
        model.export(folder / f"{number}.onnx", format="onnx", verbose=False)
        _save_for_litert(model, folder / f"{number}.tflite")


def _save_for_litert(model: Any, path: Path) -> None:
    import tensorflow as tf

    with suppress(Exception):  # the converter raises errors of several kinds
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def work(name: str, lengths: np.ndarray) -> np.ndarray:
    """Return the inputs for a model: images or a table in [0, 1), or token ids, padded if masked.

    images: float32 (IMAGES, 32, 32, 3); table: float32 (ROWS, COLUMNS); tokens: int32
    (SEQUENCES, STEPS).
    """
    rng = np.random.default_rng(0)
    if name.startswith("MLP"):
        return rng.random((ROWS, COLUMNS), dtype=np.float32)
    if not (is_recurrent(name) or name.startswith("Transformer")):
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
