"""Whole Keras models, filled with weights, saved, and held against what is loaded from the file."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

import scratch_forward as sf
from tests.support.forward_models import assert_within_the_bar

SHAPE = (5, 4)


def fill(model: Any, seed: int = 0) -> Any:
    """Give a model random weights of a sensible size."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name in ("mean", "variance", "count"):
            continue  # Normalization computes with a copy made when it was adapted
        values = generator.normal(0, 0.4, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return model


def inputs_for(model: Any, seed: int = 1, batch: int = 7) -> Any:
    """Return inputs with zeros, so that masks of all kinds arise."""
    generator = np.random.default_rng(seed)
    arrays = []
    for tensor in model.inputs:
        values = generator.normal(size=(batch, *tensor.shape[1:])).astype(np.float32)
        if values.ndim == 2 and tensor.shape[1] == SHAPE[0]:
            values = generator.integers(0, 10, values.shape).astype(np.float32)
        rows = values.reshape(batch, values.shape[1], -1)
        rows[generator.random(rows.shape[:2]) < 0.3] = 0
        rows[0] = 0
        arrays.append(values)
    return arrays if len(arrays) > 1 else arrays[0]


def assert_equal_to_keras(model: Any, path: Path, x: Any = None, magnified: bool = False) -> None:
    """Save a model, load it with ours, and hold the outputs to the bar of the contract.

    With `magnified`, what the model makes of one rounding of its weights is allowed too: layers
    that divide by a small deviation turn the last place before them into many behind them.
    """
    model.save(path / "model.keras")
    ours = sf.load(path / "model.keras")
    oracle = sf.load(path / "model.keras", dtype="float64")
    x = inputs_for(model) if x is None else x
    assert [layer.name for layer in ours.layers] == [layer.name for layer in model.layers]
    for array, weight in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, weight)
    theirs = [np.asarray(y) for y in keras.tree.flatten(model(x, training=False))]
    exact = keras.tree.flatten(oracle.predict(x))
    slack = rounding_magnified(oracle, x, exact) if magnified else [0.0] * len(exact)
    for way in ({"fast": True}, {"fast": False}, {"batch_size": 2, "threads": 3}):
        assert_within_the_bar(keras.tree.flatten(ours.predict(x, **way)), theirs, exact, slack)


def rounding_magnified(oracle: Any, x: Any, exact: list[Any]) -> list[float]:
    """Return how far each output of a float64 model moves if its weights were rounded otherwise."""
    generator, weights = np.random.default_rng(0), oracle.get_weights()
    furthest = [0.0] * len(exact)
    for _ in range(4):
        oracle.set_weights([w * (1 + generator.choice([-1, 1], w.shape) * 2**-24) for w in weights])
        moved = keras.tree.flatten(oracle.predict(x))
        changes = [np.nan_to_num(np.abs(a - b)).max() for a, b in zip(moved, exact, strict=True)]
        furthest = [max(pair) for pair in zip(furthest, changes, strict=True)]
    oracle.set_weights(weights)
    return furthest
