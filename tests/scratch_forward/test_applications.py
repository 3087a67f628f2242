"""Architectures of `keras.applications`, with random weights of the size of trained ones.

Keras is called once in training mode with a momentum of 0, so that every BatchNormalization has the
statistics of what it sees: with wild ones the outputs would be noise on both sides.
"""

from inspect import isfunction
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

import scratch_forward as sf

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SHORT = ("MobileNetV3Small", "EfficientNetB0", "ResNet50")  # unlike each other; all take minutes
NAMES = sorted(name for name, value in vars(keras.applications).items() if isfunction(value))
ARCHITECTURES = [
    pytest.param(name, marks=[] if name in SHORT else pytest.mark.long) for name in NAMES
]


def fill(model: Any) -> None:
    """Give a model weights that keep what passes through it at one size."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            continue  # it computes with copies of its weights
        for weight in layer.weights:
            fan = max(np.prod(weight.shape[:-1]), 1)
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                fan = max(np.prod(weight.shape[:2]), 1)
            size = 0.1 if len(weight.shape) == 1 else np.sqrt(2 / fan)
            values = generator.normal(0, size, weight.shape)
            ones = weight.name in ("gamma", "moving_variance")
            weight.assign(1 + values if ones else values)


def settle(model: Any, x: np.ndarray) -> None:
    """Set the statistics of every BatchNormalization to those of its inputs."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(x, training=True)


# With 64 pixels and two images, the last layers have a handful of cells, whose variance is next to
# 0 for some channels: dividing by it turns the rounding of both sides into noise.
IMAGES = (4, 160, 160, 3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_answers_as_keras_does(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=IMAGES[1:])
    x = np.random.default_rng(1).uniform(0, 255, IMAGES).astype(np.float32)
    fill(model)
    settle(model, x)
    theirs = model.predict(x, verbose=0)
    limits = sf.Limits(parameters=400_000_000)  # ConvNeXtXLarge has 350 million
    ours = sf.from_keras(model, limits=limits).predict(x)
    exact = sf.from_keras(model, dtype="float64", limits=limits).predict(x)
    assert np.array_equal(ours.argmax(-1), theirs.argmax(-1))
    assert np.abs(ours - exact).max() <= 2 * np.abs(theirs - exact).max() + 1e-7
    assert np.abs(theirs - exact).max() <= 1e-3  # 1e-4 in 152 layers; with more, both are noise
