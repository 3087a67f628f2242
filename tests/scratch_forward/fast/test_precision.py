"""Models of the size that people train: as near to the exact result as Keras, whatever the method.

The fast methods (Winograd along rows, frequencies, inputs and state in one product) round otherwise
than Keras does; the bar is the contract's.
"""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import layers as kl

import scratch_forward as sf
from tests.support.forward_models import assert_within_the_bar

pytestmark = pytest.mark.filterwarnings("ignore")


def cnn(filters, kernel, pooling=kl.MaxPooling2D, last="softmax"):
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for count in filters:
        model.add(kl.Conv2D(count, kernel, padding="same", activation="relu"))
        model.add(pooling(2))
    model.add(kl.Flatten())
    model.add(kl.Dense(64, activation="relu"))
    model.add(kl.Dense(10, activation=last))
    return model


def separable():
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            kl.SeparableConv2D(16, 3, padding="same", activation="relu"),
            kl.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False),
            kl.BatchNormalization(),
            kl.ReLU(),
            kl.Conv2D(32, 1, activation="relu"),
            kl.DepthwiseConv2D(5, dilation_rate=2, depth_multiplier=2, activation="relu"),
            kl.GlobalAveragePooling2D(),
            kl.Dense(10, activation="softmax"),
        ]
    )


def recurrent(layer, count, units, mask):
    model = keras.Sequential([keras.Input((40,)), kl.Embedding(500, 64, mask_zero=mask)])
    for index in range(count):
        model.add(kl.Bidirectional(layer(units, return_sequences=index < count - 1)))
    model.add(kl.Dense(3, activation="softmax"))
    return model


MODELS = {
    "3x3": lambda: cnn([32, 64, 128], 3),
    "3x3, logits": lambda: cnn([32, 64], 3, last=None),
    "3x3, average": lambda: cnn([16, 32], 3, kl.AveragePooling2D),
    "5x5": lambda: cnn([16, 32], 5),
    "7x7": lambda: cnn([16, 32], 7),
    "separable": separable,
    "LSTM": lambda: recurrent(kl.LSTM, 2, 32, True),
    "GRU": lambda: recurrent(kl.GRU, 2, 32, False),
    "SimpleRNN": lambda: recurrent(kl.SimpleRNN, 5, 32, False),
}
FEW = ("3x3", "5x5", "separable", "LSTM")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FEW else pytest.mark.slow) for name in MODELS]
)
def test_errors_are_those_of_keras_or_smaller(name, tmp_path) -> None:
    keras.utils.set_random_seed(3)
    model = MODELS[name]()
    model.save(tmp_path / "model.keras")
    ours = sf.load(tmp_path / "model.keras")
    rng = np.random.default_rng(4)
    x = rng.random((40, *model.input_shape[1:]), dtype=np.float32)
    if x.ndim == 2:
        x = np.where(np.arange(40) < rng.integers(1, 41, (40, 1)), (500 * x).astype(int), 0)
    exact = sf.load(tmp_path / "model.keras", dtype="float64").predict(x)
    theirs = np.asarray(model(x))
    for found in (ours.predict(x), ours.predict(x[:1]), ours.predict(x, threads=1)):
        count = len(found)
        assert_within_the_bar([found], [theirs[:count]], [exact[:count]])
        if "logits" not in name:
            assert np.abs(found - exact[:count]).max() < 1e-6


@pytest.mark.parametrize(("channels", "filters"), [(16, 32), (32, 64), (64, 128)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_one_convolution_is_within_the_bar_element_by_element(channels, filters, seed) -> None:
    keras.utils.set_random_seed(seed)
    convolution = kl.Conv2D(filters, 3, padding="same", activation="relu")
    model = keras.Sequential([keras.Input((16, 16, channels)), convolution])
    rng = np.random.default_rng(seed)
    x = np.maximum(rng.normal(size=(48, 16, 16, channels)), 0).astype(np.float32)
    exact = sf.from_keras(model, dtype="float64").predict(x)
    found = sf.from_keras(model).predict(x)
    assert_within_the_bar([found], [np.asarray(model(x))], [exact])
