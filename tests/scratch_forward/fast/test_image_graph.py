"""Residual networks: sums of images are computed in the layout of the kernels."""

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.fast.image_graph import ImageGraph
from tests.support.forward_models import filled

X = np.random.default_rng(0).normal(size=(70, 9, 8, 3)).astype(np.float32)


def block(x, filters: int, stride: int = 1):
    inner = sf.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    inner = sf.ReLU()(sf.BatchNormalization()(inner))
    inner = sf.Conv2D(filters, 3, padding="same")(inner)
    if x.shape[-1] != filters:
        x = sf.BatchNormalization()(sf.Conv2D(filters, 1, strides=stride, padding="same")(x))
    return sf.ReLU()(sf.Add()([inner, x]))


def scaled(model):
    """Give a model weights that keep values near 1."""
    generator = np.random.default_rng(1)
    filled(model)
    for layer in model.flatten():
        if "kernel" in layer.weights:
            kernel = layer.weights["kernel"]
            size = np.sqrt(2 / np.prod(kernel.shape[:-1]))
            layer.set_own_weights(
                {**layer.weights, "kernel": generator.normal(0, size, kernel.shape)}
            )
    return model


def residual():
    inputs = sf.Input(X.shape[1:])
    x = block(block(inputs, 4), 6, stride=2)
    x = sf.MaxPooling2D(2)(x)
    x = sf.Add()([x, sf.DepthwiseConv2D(3, padding="same", activation="tanh")(x), x])
    return inputs, x


def graphs(model) -> list[ImageGraph]:
    stages = [node.layer for node in model._plan.stage.nodes]
    stages += [inner for stage in stages for inner in getattr(stage, "stages", [])]
    return [stage for stage in stages if isinstance(stage, ImageGraph)]


@pytest.mark.parametrize("count", [1, 5, 12, 63, 70])
def test_a_residual_network_is_computed_as_its_layers_are(count) -> None:
    inputs, x = residual()
    model = scaled(sf.Model(inputs, sf.Dense(3)(sf.GlobalAveragePooling2D()(x))))
    expected = model.predict(X[:count], fast=False)
    np.testing.assert_allclose(model.predict(X[:count]), expected, rtol=1e-5, atol=1e-5)
    assert len(graphs(model)) == 1


def test_an_inner_output_of_the_graph_is_returned_too() -> None:
    inputs = sf.Input(X.shape[1:])
    inner = block(inputs, 4)
    model = scaled(sf.Model(inputs, [inner, block(inner, 4)]))
    found = model.predict(X)
    expected = model.predict(X, fast=False)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_answers_are_not_overwritten_by_the_next_call() -> None:
    inputs, x = residual()
    model = scaled(sf.Model(inputs, x))
    first = model.predict(X)
    kept = first.copy()
    model.predict(2 * X)
    np.testing.assert_array_equal(first, kept)


def test_a_profile_has_a_row_for_every_sum() -> None:
    inputs, x = residual()
    model = scaled(sf.Model(inputs, x))
    rows = [row.layers for row in model.profile(X, repeats=1).rows]
    assert sum("add" in row for row in rows) == 3


@pytest.mark.parametrize("count", [5, 70])
def test_a_convolution_and_the_1x1_convolution_after_it_are_one_stage(count) -> None:
    model = scaled(
        sf.Sequential(
            [
                sf.Input(X.shape[1:]),
                sf.DepthwiseConv2D(3, padding="same", use_bias=False),
                sf.BatchNormalization(),
                sf.ReLU(),
                sf.Conv2D(5, 1, activation="relu"),
                sf.Conv2D(4, 1, activation="tanh"),
                sf.MaxPooling2D(2),
                sf.Flatten(),
            ]
        )
    )
    np.testing.assert_allclose(
        model.predict(X[:count]), model.predict(X[:count], fast=False), rtol=1e-5, atol=1e-5
    )
    first, second, *_ = (row.layers.split(" + ") for row in model.profile(X, repeats=1).rows)
    assert [len(first), len(second)] == [4, 1]


@pytest.mark.parametrize(
    "layers",
    [
        [sf.Conv2D(4, 3), sf.MaxPooling2D(2), sf.Conv2D(5, 1)],
        [sf.Conv2D(1, 3), sf.SeparableConv2D(5, 1)],
        [sf.Conv2D(4, 3), sf.Conv2D(5, 1, strides=2)],
    ],
    ids=["pooled before", "separable", "strides"],
)
def test_a_convolution_that_reads_something_else_is_a_stage_of_its_own(layers) -> None:
    model = scaled(sf.Sequential([sf.Input(X.shape[1:]), *layers]))
    expected = model.predict(X, fast=False)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-5)
    assert len(model.profile(X[:64], repeats=1).rows) == 2
