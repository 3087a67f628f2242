"""Which layers are computed together, and that it changes nothing but the time."""

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.fast.fusion import fuse
from tests.support.forward_models import filled

IMAGE, STEPS = (12, 11, 3), (9, 4)


def kinds(layers) -> list[str]:
    """Name the stages: a layer by its class, a stage by how many layers it took."""
    return [
        f"{type(stage).__name__}({len(stage.layers)})"
        if type(stage).__name__.endswith("Stage")
        else type(stage).__name__
        for stage in fuse(layers)
    ]


def images(*layers):
    return filled(sf.Sequential([sf.Input(IMAGE), *layers]))


def steps(*layers):
    return filled(sf.Sequential([sf.Input(STEPS), *layers]))


def words(*layers, mask_zero=True):
    model = [sf.Input((9,)), sf.Embedding(20, 4, mask_zero=mask_zero), *layers]
    return filled(sf.Sequential(model))


CASES = {
    "a CNN": (
        images(
            sf.Conv2D(16, 3, padding="same", activation="relu"),
            sf.MaxPooling2D(2),
            sf.Dropout(0.3),
            sf.Conv2D(4, 3, padding="same", activation="relu"),
            sf.AveragePooling2D((2, 3)),
            sf.Flatten(),
            sf.Dense(6, "relu"),
            sf.Dense(3, "softmax"),
        ),
        ["ImageStage(6)", "DenseStage(1)"],
    ),
    "normalised": (
        images(
            sf.Conv2D(4, 3, use_bias=False),
            sf.BatchNormalization(),
            sf.ReLU(),
            sf.MaxPooling2D(2),
            sf.Conv2D(4, (1, 2), strides=(2, 1), activation="tanh"),
            sf.BatchNormalization(),
            sf.LeakyReLU(),
            sf.GlobalAveragePooling2D(),
        ),
        ["ImageStage(7)", "GlobalAveragePooling2D"],
    ),
    "depthwise and separable": (
        images(
            sf.DepthwiseConv2D(3, padding="same", use_bias=False),
            sf.BatchNormalization(),
            sf.ReLU(),
            sf.Conv2D(8, 1, activation="relu"),
            sf.SeparableConv2D(6, 3, strides=2, padding="same", activation="gelu"),
            sf.SeparableConv2D(5, 2, depth_multiplier=2, use_bias=False),
            sf.BatchNormalization(),
            sf.ReLU(),
            sf.MaxPooling2D(2),
            sf.DepthwiseConv2D((1, 2), depth_multiplier=3, activation="tanh"),
            sf.Flatten(),
            sf.Dense(3, "softmax"),
        ),
        ["ImageStage(11)", "DenseStage(1)"],
    ),
    "channels first": (
        images(
            sf.DepthwiseConv2D(3, padding="same", data_format="channels_first"),
            sf.SeparableConv2D(3, 3, padding="same", data_format="channels_first"),
            sf.Flatten(),
        ),
        ["DepthwiseConv2D", "SeparableConv2D", "Flatten"],
    ),
    "other options": (
        images(
            sf.Conv2D(4, 3, activation="softmax"),
            sf.Conv2D(4, 3, groups=2, dilation_rate=2, padding="same", activation="elu"),
            sf.MaxPooling2D(2, strides=1),
            sf.Conv2D(2, 2, activation=sf.ReLU(max_value=1.0)),
            sf.BatchNormalization(axis=1),
            sf.Flatten(),
        ),
        [
            "Conv2D",
            "ImageStage(1)",
            "MaxPooling2D",
            "ImageStage(1)",
            "BatchNormalization",
            "Flatten",
        ],
    ),
    "over time": (
        steps(
            sf.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
            sf.MaxPooling1D(2),
            sf.Conv1D(3, 2, strides=2, padding="same"),
            sf.LSTM(3),
        ),
        ["ImageStage(3)", "SequenceStage(1)"],
    ),
    "a text model": (
        words(
            sf.SpatialDropout1D(0.2),
            sf.Bidirectional(sf.LSTM(3, return_sequences=True), merge_mode="ave"),
            sf.GRU(4, return_sequences=True, reset_after=False, use_bias=False),
            sf.SimpleRNN(5, go_backwards=True),
            sf.Dense(3, "softmax"),
        ),
        ["SequenceStage(4)", "DenseStage(1)"],
    ),
    "every step": (
        words(
            sf.LSTM(3, return_sequences=True, zero_output_for_mask=True),
            sf.Dense(4),
            sf.Bidirectional(sf.GRU(3, return_sequences=True), merge_mode="mul"),
            sf.GlobalAveragePooling1D(),
        ),
        ["SequenceStage(2)", "DenseStage(1)", "SequenceStage(1)", "GlobalAveragePooling1D"],
    ),
    "masked steps to the end": (
        words(
            sf.GRU(3, return_sequences=True),
            sf.Bidirectional(sf.LSTM(3, return_sequences=True), merge_mode="sum"),
        ),
        ["SequenceStage(3)"],
    ),
    "masked steps as the cell left them": (
        words(sf.SimpleRNN(3, return_sequences=True)),
        ["SequenceStage(2)"],
    ),
    "other recurrent options": (
        words(
            sf.LSTM(3, activation="relu", return_sequences=True),
            sf.GRU(3, go_backwards=True, return_sequences=True),
            sf.RNN([sf.LSTMCell(3), sf.GRUCell(2)], return_sequences=True),
            sf.RNN(sf.LSTMCell(3)),
        ),
        ["Embedding", "LSTM", "GRU", "RNN", "SequenceStage(1)"],
    ),
}


def inputs_for(model, count=23):
    generator = np.random.default_rng(5)
    shape = (count, *model.input_layer.shape)
    if model.input_layer.shape != (9,):
        return generator.normal(size=shape).astype(np.float32)
    ids = generator.integers(-3, 20, shape)
    ids[generator.random(shape) < 0.4] = 0
    ids[0] = 0
    return ids


@pytest.mark.parametrize("name", CASES)
def test_layers_are_taken_together_and_give_the_same(name) -> None:
    model, expected = CASES[name]
    assert kinds(model.layers) == expected
    x = inputs_for(model)
    plain = model.predict(x, fast=False)
    for way in ({}, {"batch_size": 1}, {"batch_size": 5, "threads": 3}, {"threads": 1}):
        fast = model.predict(x, **way)
        assert fast.dtype == np.float32
        assert fast.flags.c_contiguous
        np.testing.assert_allclose(fast, plain, rtol=2e-5, atol=2e-6 * np.nanmax(np.abs(plain)))


def test_a_graph_is_fused_only_where_nothing_else_reads() -> None:
    ids = sf.Input((9,))
    embedded = sf.Embedding(20, 4, mask_zero=True)(ids)
    below = sf.LSTM(3, return_sequences=True)(embedded)
    end, state = sf.GRU(3, return_state=True)(below)
    again = sf.SimpleRNN(3)(below, initial_state=[state])
    model = filled(sf.Model(ids, [end, again, sf.Dense(2)(sf.LSTM(2)(embedded))]))
    stages = [type(node.layer).__name__ for node in model.fused().nodes]
    assert sorted(stages) == [
        *("Embedding", "GRU", "Row", "SequenceStage", "SimpleRNN"),
    ]
    x = inputs_for_words()
    for fast, plain in zip(model.predict(x), model.predict(x, fast=False), strict=True):
        np.testing.assert_allclose(fast, plain, atol=1e-6)


def test_a_layer_with_an_initial_state_runs_as_it_is() -> None:
    x, state = sf.Input((9, 4)), sf.Input((3,))
    below = sf.LSTM(2, return_sequences=True)(x)
    model = filled(sf.Model([x, state], sf.GRU(3)(below, initial_state=[state])))
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(5, 9, 4)), rng.normal(size=(5, 3))]
    found = model.predict(inputs)
    np.testing.assert_allclose(found, model.predict(inputs, fast=False), atol=1e-6)
    assert not np.allclose(found, model.predict([inputs[0], 0 * inputs[1]]))


def inputs_for_words():
    return np.random.default_rng(0).integers(0, 20, (23, 9))


def test_models_inside_models_are_fused_too() -> None:
    inner = sf.Sequential([sf.Input((9, 4)), sf.LSTM(3, return_sequences=True), sf.GRU(2)])
    model = words(inner, sf.Dense(2))
    x = inputs_for_words()
    assert kinds(inner.layers) == ["SequenceStage(2)"]
    np.testing.assert_allclose(model.predict(x), model.predict(x, fast=False), atol=1e-6)
