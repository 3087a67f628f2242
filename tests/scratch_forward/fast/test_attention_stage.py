"""Self-attention in blocks, and when the layer itself computes it."""

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.fast import attention_stage
from scratch_forward.fast.attention_stage import AttentionStage

IDS = np.random.default_rng(0).integers(0, 9, (40, 7))
IDS[3] = 0  # all padding


def encoder(mask: bool = True, size: float = 0.5, **options):
    """Build an embedding and self-attention with random weights of a given size."""
    inputs = sf.Input((7,), dtype="int32")
    x = sf.Embedding(9, 6, mask_zero=mask)(inputs)
    model = sf.Model(inputs, sf.MultiHeadAttention(2, 3, **options)(x, x))
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, size, array) for array in shapes(model)])
    return model


def shapes(model):
    return [s for layer in model.flatten() for s in layer.own_weight_shapes().values()]


def stages(model) -> list:
    return [node.layer for node in model._plan.stage.nodes]


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("options", [{}, {"dropout": 0.1}, {"use_bias": False, "value_dim": 5}])
def test_blocks_give_what_the_layer_gives(mask, options, monkeypatch) -> None:
    monkeypatch.setattr(attention_stage, "LARGEST_SCORES", 300)
    model = encoder(mask, **options)
    expected = model.predict(IDS, fast=False)
    np.testing.assert_allclose(model.predict(IDS), expected, rtol=1e-5, atol=1e-5)
    assert any(isinstance(stage, AttentionStage) for stage in stages(model))


def test_large_scores_are_left_to_the_layer() -> None:
    model = encoder(size=30.0)
    expected = model.predict(IDS, fast=False)
    found = model.predict(IDS)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, expected)


def test_other_windows_of_attention_are_left_to_the_layer() -> None:
    model = encoder(sliding_window=2)
    np.testing.assert_array_equal(model.predict(IDS), model.predict(IDS, fast=False))
    assert not any(isinstance(stage, AttentionStage) for stage in stages(model))


def constant_scores(score: float, value: float):
    """Build attention with the same score everywhere and values of a given size."""
    inputs = sf.Input((8, 4))
    model = sf.Model(inputs, sf.MultiHeadAttention(1, 4)(inputs, inputs))
    draw = np.random.default_rng(1).normal
    bias = np.full((1, 4), np.sqrt(abs(score) / 2))  # four products, divided by the root of four
    kernels = [draw(0, size, (4, 1, 4)) for size in (0.01, 0.01, value)]
    key, no_bias = np.sign(score) * bias, np.zeros((1, 4))
    projections = [kernels[0], bias, kernels[1], key, kernels[2], no_bias]
    model.set_weights([*projections, draw(0, 1, (1, 4, 4)), np.zeros(4)])
    return model


@pytest.mark.parametrize("score", [-78, -29, 29, 78])
@pytest.mark.parametrize("value", [1e-30, 1e-6, 1, 1e6, 1e25])
def test_no_size_of_scores_and_values_costs_digits(score, value) -> None:
    """Exponentials of scores are not scaled: products with values could leave float32's range."""
    model = constant_scores(score, value)
    x = np.random.default_rng(2).normal(0, 1, (3, 8, 4)).astype(np.float32)
    layer, block = model.predict(x, fast=False), model.predict(x)
    np.testing.assert_allclose(block, layer, rtol=0, atol=2e-5 * np.abs(layer).max())
