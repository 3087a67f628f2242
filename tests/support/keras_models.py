"""Keras models in tests: given random weights, saved, loaded by ours and compared."""

import os
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np

import scratch_forward as sf


def fill(model: Any, seed: int = 0) -> Any:
    """Give a model random weights of a sensible size."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        values = generator.normal(0, 0.4, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return model


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def answer(model: Any, x: Any) -> Any:
    """Return what Keras makes of a structure of arrays, as arrays."""
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
    return keras.tree.map_structure(np.asarray, model(tensors, training=False))


def assert_agrees(model: Any, x: Any, folder: Path, **options: Any) -> sf.Model | sf.Sequential:
    """Save a model, load it, and compare outputs of both ways to predict with Keras's."""
    path = folder / "model.keras"
    model.save(path)
    ours = sf.load(path, **options)
    expected = answer(model, x)
    for way in ({"fast": True}, {"fast": False}, {"batch_size": 2}):
        assert_close(ours.predict(x, **way), expected)
    return ours


def assert_close(found: Any, expected: Any) -> None:
    """Compare two structures of arrays."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_close(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_close(*pair)
    else:
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
