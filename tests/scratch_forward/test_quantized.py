"""Models with integer weights, or with LoRA, against Keras: from files and live."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import layers as kl
from keras.quantizers import AbsMaxQuantizer, Int4QuantizationConfig, Int8QuantizationConfig

import scratch_forward as sf

pytestmark = pytest.mark.filterwarnings("ignore")

SMALL_RANGE = AbsMaxQuantizer(axis=-1, value_range=(-100, 90))
CONFIGS: dict[str, Any] = {
    "int8": "int8",
    "int8, inputs as they are": Int8QuantizationConfig(activation_quantizer=None),
    "int8, inputs in a small range": Int8QuantizationConfig(activation_quantizer=SMALL_RANGE),
    "int4": "int4",
    "int4 in blocks of 3": Int4QuantizationConfig(block_size=3),
    "int4, one scale": Int4QuantizationConfig(block_size=None),
    "int4, one scale, rounded inputs": Int4QuantizationConfig(
        block_size=None, activation_quantizer=AbsMaxQuantizer(axis=-1)
    ),
}


def dense() -> Any:
    return keras.Sequential([keras.Input((3, 7)), kl.Dense(5, "tanh"), kl.Dense(3, use_bias=False)])


def einsum() -> Any:
    x = keras.Input((3, 4))
    y = kl.EinsumDense("abc,cde->abde", (3, 5, 3), bias_axes="de")(x)
    y = kl.EinsumDense("abde,dec->abc", (3, 4), activation="relu")(y)
    return keras.Model(x, kl.EinsumDense("abc,dc->adb", (5, 3))(y))


def embedding() -> Any:
    ids = keras.Input((6,))
    return keras.Model(ids, kl.LSTM(3)(kl.Embedding(9, 7, mask_zero=True)(ids)))


def inputs_for(model: Any) -> np.ndarray:
    generator = np.random.default_rng(1)
    shape = (8, *model.input_shape[1:])
    values = generator.integers(0, 9, shape) if len(shape) == 2 else generator.normal(size=shape)
    return values.astype(np.float32)


def assert_equal_to_keras(model: Any, ours: Any) -> None:
    x = inputs_for(model)
    theirs, exact = np.asarray(model(x)), sf_in_float64(ours, x)
    bar = 2 * np.abs(theirs - exact).max() + 4 * np.spacing(np.abs(exact).max())
    assert np.abs(theirs - exact).max() < 1e-5 * max(1, np.abs(exact).max())
    assert np.abs(ours.predict(x) - exact).max() <= bar


def sf_in_float64(ours: Any, x: np.ndarray) -> np.ndarray:
    ours.set_dtype("float64")
    exact = ours.predict(x)
    ours.set_dtype("float32")
    return exact


QUICK = {(dense, "int8"), (einsum, "int4"), (embedding, "int8"), (embedding, "int4")}
CASES = [
    pytest.param(make, config, marks=[] if (make, config) in QUICK else pytest.mark.slow)
    for config in CONFIGS
    for make in (dense, einsum, embedding)
    if make is not embedding or "inputs" not in config  # an embedding has none to round
]


@pytest.mark.parametrize(("make", "config"), CASES)
def test_a_quantized_model_predicts_as_keras_does(make: Callable, config: str, tmp_path) -> None:
    keras.utils.set_random_seed(0)
    model = make()
    chosen = CONFIGS[config]
    model.quantize(chosen) if isinstance(chosen, str) else model.quantize(config=chosen)
    model.save(tmp_path / "m.keras")
    for ours in (sf.load(tmp_path / "m.keras"), sf.from_keras(model)):
        assert_equal_to_keras(model, ours)


def test_lora_is_part_of_the_weights(tmp_path) -> None:
    x, ids = keras.Input((3, 4)), keras.Input((6,))
    attention = kl.MultiHeadAttention(2, 3)
    y = kl.Conv1D(4, 2, padding="same")(attention(x, kl.Dense(4)(x)))
    y = kl.Flatten()(kl.EinsumDense("abc,cd->abd", (3, 4))(y))
    z = kl.GlobalMaxPooling1D()(kl.Embedding(9, 4)(ids))
    model = keras.Model([x, ids], kl.Concatenate()([y, z]))
    for layer in (*model.layers, attention.query_dense):
        if hasattr(layer, "enable_lora"):
            layer.enable_lora(2)
            layer.set_weights(
                [np.random.default_rng(0).normal(size=w.shape) for w in layer.weights]
            )
    model.save(tmp_path / "m.keras")
    generator = np.random.default_rng(1)
    inputs = [generator.normal(size=(5, 3, 4)), generator.integers(0, 9, (5, 6))]
    expected = np.asarray(model(inputs))
    for ours in (sf.load(tmp_path / "m.keras"), sf.from_keras(model)):
        np.testing.assert_allclose(ours.predict(inputs), expected, rtol=1e-5, atol=1e-5)


def test_what_keras_would_round_again_is_refused() -> None:
    model = dense()
    model.quantize("int8")
    model.layers[0].enable_lora(2)
    with pytest.raises(sf.UnsupportedModelError, match="lora_rank"):
        sf.from_keras(model)


def test_other_quantizations_are_refused() -> None:
    model = dense()
    model.quantize("float8")
    with pytest.raises(sf.UnsupportedModelError, match="QuantizedFloat8DTypePolicy"):
        sf.from_keras(model)
    half = keras.Sequential([keras.Input((4,)), kl.Dense(2, dtype="int8_from_bfloat16")])
    with pytest.raises(sf.UnsupportedModelError, match="int8"):
        sf.from_keras(half)
