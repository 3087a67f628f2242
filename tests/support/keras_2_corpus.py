"""Models of Keras 2 in every file format it had, with inputs and answers: a program.

    TF_USE_LEGACY_KERAS=1 python -m tests.support.keras_2_corpus FOLDER [NAME ...]

Writes `NAME.h5`, `NAME.keras`, `NAME.weights.h5`, `NAME.only_weights.h5` and `NAME.npz` per model.
It runs in a process of its own: Keras 2 and 3 do not stand beside each other.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import numpy as np
import tf_keras as keras
from tf_keras import layers as kl
from tf_keras.src.saving.legacy.hdf5_format import _convert_rnn_weights

Models = dict[str, Callable[[], Any]]


def row(*layers: Any, shape: tuple = (6, 4)) -> Callable[[], Any]:
    """Describe layers in a row."""
    return lambda: keras.Sequential([keras.Input(shape), *layers])


def bare(*layers: Any) -> Callable[[], Any]:
    """Describe layers in a row, the first of which states its input."""
    return lambda: keras.Sequential(list(layers))


def image(*layers: Any) -> Callable[[], Any]:
    """Describe layers in a row on images."""
    return row(*layers, shape=(9, 8, 3))


def masked_text(*layers: Any) -> Callable[[], Any]:
    """Describe layers on padded texts."""
    return bare(kl.Embedding(9, 4, mask_zero=True, input_length=6), *layers)


def graph(make: Callable[..., Any], *shapes: tuple) -> Callable[[], Any]:
    """Describe a graph on inputs of these shapes."""

    def build() -> Any:
        inputs = [keras.Input(shape) for shape in shapes]
        return keras.Model(inputs if len(inputs) > 1 else inputs[0], make(*inputs))

    return build


def tower() -> Any:
    """Build a small model to stand inside another."""
    i = keras.Input((4,))
    return keras.Model(i, kl.Dense(4, activation="tanh")(i))


def twins(a: Any, b: Any) -> Any:
    shared = tower()
    ta, tb = shared(a), shared(b)
    return [ta, tb, kl.Subtract()([ta, tb])]


def twin_rows(a: Any, b: Any) -> Any:
    shared = keras.Sequential([kl.Dense(3, input_shape=(4,)), kl.BatchNormalization()])
    return [shared(b), kl.Dot(1, normalize=True)([shared(a), shared(b)])]


def decoder_of_encoder(a: Any, b: Any) -> Any:
    encoder, decoder = tower(), tower()
    return [decoder(encoder(a)), encoder(b)]


def states(x: Any) -> Any:
    _, h, c = kl.LSTM(3, return_state=True)(x)
    return [kl.LSTM(3, return_sequences=True)(x, initial_state=[h, c]), kl.GRU(2)(x)]


def operators(x: Any) -> Any:
    return [2.0 * x + 1.0 - x / 3.0, 1.0 - x, x[:, 1:], -x, x**2, x * x, x[:, 0]]


def frozen(x: Any) -> Any:
    inner = keras.Sequential([kl.Dense(4), kl.BatchNormalization(), kl.Dense(4)])
    inner.build((None, 4))
    inner.layers[0].trainable = False
    other = keras.Sequential([kl.Dense(4), kl.BatchNormalization(), kl.Dense(4)])
    other.trainable = False
    norm = kl.BatchNormalization(trainable=False)
    return norm(other(inner(x)))


def dictionary() -> Any:
    a, b = keras.Input((4,), name="zeta"), keras.Input((4,), name="alpha")
    outputs = {"y": kl.Dense(2)(a), "x": kl.Dense(3)(b)}
    return keras.Model({"zeta": a, "alpha": b}, outputs)


def merged(a: Any, b: Any) -> Any:
    kinds = (kl.Add, kl.Multiply, kl.Average, kl.Maximum, kl.Minimum, kl.Concatenate)
    return [kind()([a, b]) for kind in kinds]


def masks(x: Any) -> Any:
    m = kl.Masking()(x)
    y = kl.Bidirectional(kl.LSTM(2, return_sequences=True))(m)
    return [kl.GRU(2)(kl.Concatenate()([m, y])), kl.GlobalAveragePooling1D()(y)]


both = {"backward_layer": kl.LSTM(3, go_backwards=True)}

MODELS: Models = {
    "dense": row(kl.Dense(5, activation="relu"), kl.Dense(2, activation="softmax"), shape=(4,)),
    "dense_first": bare(kl.Dense(5, input_shape=(4,)), kl.Dropout(0.5), kl.Dense(2)),
    "lstm": row(kl.LSTM(3)),
    "lstm_hard": row(kl.LSTM(3, recurrent_activation="hard_sigmoid", return_sequences=True)),
    "lstm_first": bare(kl.LSTM(3, input_shape=(6, 4), implementation=1), kl.Dense(2)),
    "gru": row(kl.GRU(3)),
    "gru_before": row(kl.GRU(3, reset_after=False, recurrent_activation="hard_sigmoid")),
    "simple_rnn": row(kl.SimpleRNN(3, return_sequences=True), kl.SimpleRNN(2)),
    "bidirectional": row(kl.Bidirectional(kl.LSTM(3, return_sequences=True)), kl.GRU(2)),
    "bidirectional_first": bare(kl.Bidirectional(kl.GRU(3), merge_mode="sum", input_shape=(6, 4))),
    "bidirectional_both": row(kl.Bidirectional(kl.LSTM(3), **both)),
    "cells": row(kl.RNN([kl.LSTMCell(3), kl.GRUCell(2)], return_sequences=True)),
    "time_distributed": row(kl.TimeDistributed(kl.Dense(3)), kl.LSTM(2)),
    "backwards": row(kl.LSTM(3, go_backwards=True, return_sequences=True)),
    "text": masked_text(kl.LSTM(3), kl.Dense(2, activation="sigmoid")),
    "text_both": masked_text(kl.Bidirectional(kl.LSTM(3, return_sequences=True)), kl.GRU(3)),
    "text_average": masked_text(kl.GlobalAveragePooling1D(), kl.Dense(2)),
    "text_dropout": masked_text(kl.SpatialDropout1D(0.3), kl.LSTM(3, dropout=0.2)),
    "conv1d": row(kl.Conv1D(3, 3, padding="causal"), kl.MaxPooling1D(2), kl.Conv1D(2, 2)),
    "pooling1d": row(kl.AveragePooling1D(2, padding="same"), kl.GlobalMaxPooling1D()),
    "conv2d": image(kl.Conv2D(4, 3, activation="relu"), kl.MaxPooling2D(2), kl.Flatten()),
    "conv2d_options": image(kl.Conv2D(4, (3, 2), strides=2, padding="same", use_bias=False)),
    "dilated": image(kl.Conv2D(4, 3, dilation_rate=2, padding="same"), kl.GlobalMaxPooling2D()),
    "grouped": image(kl.Conv2D(6, 3, groups=3), kl.GlobalAveragePooling2D()),
    "depthwise": image(kl.DepthwiseConv2D(3, depth_multiplier=2), kl.AveragePooling2D(2)),
    "separable": image(kl.SeparableConv2D(4, 3, padding="same"), kl.ZeroPadding2D(1)),
    "batch_norm": image(kl.Conv2D(4, 3), kl.BatchNormalization(), kl.ReLU(6.0), kl.Flatten()),
    "batch_norm_plain": row(kl.BatchNormalization(center=False, scale=False), shape=(4,)),
    "layer_norm": row(kl.LayerNormalization(), kl.Dense(2)),
    "activations": row(kl.Dense(4), kl.LeakyReLU(0.1), kl.ELU(0.7), kl.PReLU(), kl.Softmax()),
    "activation_names": row(*(kl.Activation(a) for a in ("selu", "swish", "gelu", "softplus"))),
    "hard_sigmoid": row(kl.Dense(3, activation="hard_sigmoid"), kl.Activation("hard_sigmoid")),
    "thresholded": row(kl.ThresholdedReLU(0.4), kl.ReLU(1.5, 0.1, 0.2)),
    "shapes": row(kl.Permute((2, 1)), kl.Reshape((8, 3)), kl.Flatten(), kl.RepeatVector(2)),
    "noise": row(kl.GaussianNoise(0.1), kl.GaussianDropout(0.1), kl.AlphaDropout(0.1)),
    "rescaled": row(kl.Rescaling(0.5, 1.0), kl.ZeroPadding1D(1), kl.ActivityRegularization(0.1)),
    "row_in_row": row(keras.Sequential([kl.Dense(3), kl.Dense(2)]), kl.Dense(2), shape=(4,)),
    "frozen": graph(frozen, (4,)),
    "twins": graph(twins, (4,), (4,)),
    "twin_rows": graph(twin_rows, (4,), (4,)),
    "decoder_of_encoder": graph(decoder_of_encoder, (4,), (4,)),
    "states": graph(states, (6, 4)),
    "operators": graph(operators, (6, 4)),
    "merged": graph(merged, (4,), (4,)),
    "masks": graph(masks, (6, 4)),
    "dictionary": dictionary,
}


def arrays_for(model: Any, generator: np.random.Generator) -> list[np.ndarray]:
    """Draw five examples for each input: ids for an embedding, else numbers; some are zero."""
    arrays = []
    for tensor in model.inputs:
        shape = (5, *tensor.shape[1:])
        kept = generator.random((*shape[:2], *(1 for _ in shape[2:]))) > 0.3
        ids = isinstance(model.layers[0], kl.Embedding)
        drawn = generator.integers(1, 9, shape) if ids else generator.normal(size=shape)
        arrays.append((drawn * kept).astype(np.float32))
    return arrays


def write(name: str, folder: Path) -> None:
    """Write a model in every format, with inputs and what Keras 2 makes of them."""
    generator = np.random.default_rng(len(name))
    model = MODELS[name]()
    for weight in model.weights:
        values = generator.normal(0, 0.4, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    arrays = arrays_for(model, generator)
    names = model.input_names if name == "dictionary" else []
    given = dict(zip(names, arrays, strict=True)) if names else arrays
    found = model(given if len(arrays) > 1 else arrays[0], training=False)
    keys = sorted(found) if isinstance(found, dict) else []
    outputs = [found[key] for key in keys] or (found if isinstance(found, list) else [found])
    np.savez(
        folder / f"{name}.npz",
        names=names,
        keys=keys,
        **{f"x{index}": array for index, array in enumerate(arrays)},
        **{f"y{index}": np.asarray(array) for index, array in enumerate(outputs)},
    )
    model.save(folder / f"{name}.h5")
    model.save(folder / f"{name}.keras")
    model.save_weights(folder / f"{name}.weights.h5")
    model.save_weights(folder / f"{name}.only_weights.h5")


# Files of versions before, made of those that this one writes


def _rewritten(source: Path, target: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Copy an HDF5 file with another configuration, as of Keras 2.2."""
    shutil.copy(source, target)
    shutil.copy(source.with_suffix(".npz"), target.with_suffix(".npz"))
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(change(config))
        for group in (file, file["model_weights"]):
            group.attrs["keras_version"] = "2.2.2"


def _layers_alone(config: dict[str, Any]) -> dict[str, Any]:
    """Write a Sequential as the bare list that it was before 2.2.3."""
    layers = [entry for entry in config["config"]["layers"] if entry["class_name"] != "InputLayer"]
    return {"class_name": "Sequential", "config": layers}


def _old_names(config: Any) -> Any:
    """Use the class names of before, and tuples as they were written."""
    if isinstance(config, list):
        return [_old_names(item) for item in config]
    if not isinstance(config, dict):
        return config
    old = {"Functional": "Model", "BatchNormalization": "BatchNormalizationV1"}
    made = {key: _old_names(value) for key, value in config.items() if key != "module"}
    if "class_name" in made:
        made["class_name"] = old.get(made["class_name"], made["class_name"])
    if "kernel_size" in made:
        made["kernel_size"] = {"class_name": "__tuple__", "items": made["kernel_size"]}
    return made


def _cudnn(folder: Path, source: str, kind: str) -> None:
    """Write a recurrent layer as cuDNN's, whose weights are stored otherwise."""
    target = folder / f"old_{kind.lower()}.h5"
    unknown = ("implementation", "recurrent_activation", "activation", "use_bias", "reset_after")

    def renamed(config: dict[str, Any]) -> dict[str, Any]:
        entry = config["config"]["layers"][-1]
        entry["class_name"] = kind
        entry["config"] = {k: v for k, v in entry["config"].items() if k not in unknown}
        return config

    _rewritten(folder / f"{source}.h5", target, renamed)
    with h5py.File(target, "r+") as file:
        (name,) = (name for name, group in file["model_weights"].items() if len(group))
        group = file["model_weights"][name]
        names = [str(name) for name in group.attrs["weight_names"]]
        layer_like = type(kind, (), {})()
        converted = _convert_rnn_weights(layer_like, [group[name][()] for name in names])
        for name, array in zip(names, converted, strict=True):
            del group[name]
            group[name] = array


def write_old_ones(folder: Path) -> None:
    """Write files as versions of Keras before wrote them."""
    _rewritten(folder / "dense_first.h5", folder / "old_bare_list.h5", _layers_alone)
    for name in ("batch_norm", "twins", "twin_rows", "states"):
        _rewritten(folder / f"{name}.h5", folder / f"old_{name}.h5", _old_names)
    _cudnn(folder, "lstm", "CuDNNLSTM")
    _cudnn(folder, "gru", "CuDNNGRU")


def main() -> None:
    """Write the models of the names given, or all of them and those of versions before."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    for name in names or MODELS:
        write(name, folder)
    if not names:
        write_old_ones(folder)


if __name__ == "__main__":
    main()
