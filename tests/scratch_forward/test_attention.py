"""Attention within whole models: encoders, decoders, and whose masks are lost."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import h5py
import keras
from keras import layers as kl

import scratch_forward as sf
from tests.support.whole_models import assert_equal_to_keras, fill, inputs_for

pytestmark = pytest.mark.filterwarnings("ignore")


def embedded(size: int = 8) -> tuple[Any, Any]:
    """Return ids and what an embedding with a mask makes of them."""
    ids = keras.Input((5,))
    return ids, kl.Embedding(10, size, mask_zero=True)(ids)


def encoder_block(x: Any, dropout: float = 0.1) -> Any:
    """Attention, then two dense layers, each added to what came in and normalised."""
    attended = kl.MultiHeadAttention(2, 4, dropout=dropout)(x, x)
    x = kl.LayerNormalization()(kl.Add()([x, kl.Dropout(dropout)(attended)]))
    wide = kl.Dense(8)(kl.Dense(16, "gelu")(x))
    return kl.LayerNormalization()(kl.Add()([x, wide]))


def encoder() -> Any:
    ids, x = embedded()
    x = encoder_block(encoder_block(x))
    return keras.Model(ids, kl.Dense(3, "softmax")(kl.GlobalAveragePooling1D()(x)))


def decoder() -> Any:
    ids, x = embedded()
    others, memory = embedded()
    x = kl.MultiHeadAttention(2, 4, dropout=0.1)(x, x, use_causal_mask=True)
    x = kl.LayerNormalization()(x)
    x, scores = kl.MultiHeadAttention(4, 2, value_dim=3)(
        query=x, value=memory, key=kl.Dense(6)(memory), return_attention_scores=True
    )
    return keras.Model([ids, others], [kl.Dense(10)(x), scores])


def grouped() -> Any:
    ids, x = embedded()
    y = kl.GroupQueryAttention(4, 4, 2, use_gate=True)(x, x, use_causal_mask=True)
    return keras.Model(ids, kl.LSTM(3)(kl.Add()([x, y])))


def lists() -> Any:
    ids, x = embedded()
    others, memory = embedded()
    y, scores = kl.Attention(use_scale=True)([x, memory], return_attention_scores=True)
    z = kl.AdditiveAttention()([y, memory, memory], use_causal_mask=True)
    return keras.Model([ids, others], [kl.GRU(3)(z), scores])


def masks_that_are_lost() -> Any:
    """The same tensor read by layers before and after, and beside, an attention."""
    ids, x = embedded()
    same = kl.Dropout(0.5)(x)
    attended = kl.MultiHeadAttention(2, 4)(same, same)
    return keras.Model(
        ids,
        [
            kl.LSTM(2)(x),
            kl.LSTM(3)(kl.Dense(3)(x)),
            kl.LSTM(4)(kl.Dense(3)(kl.Dense(4)(same))),
            kl.LSTM(5)(kl.Add()([x, attended])),
            kl.GRU(2)(attended),
        ],
    )


def masks_lost_in_a_nested_model() -> Any:
    ids, x = embedded()
    inner = keras.Input((5, 8))
    block = keras.Model(inner, kl.Dense(8)(kl.MultiHeadAttention(2, 4)(inner, inner)))
    return keras.Model(ids, kl.LSTM(5)(kl.Add()([x, block(x)])))


@pytest.mark.parametrize(
    "make",
    [
        *(encoder, decoder, grouped, lists, masks_that_are_lost, masks_lost_in_a_nested_model),
    ],
    ids=lambda make: make.__name__,
)
def test_a_saved_model_with_attention_predicts_as_keras_does(make, tmp_path) -> None:
    model = fill(make())
    x = inputs_for(model)
    if make is lists:  # -1e9 swallows a float32 score: where nothing is attended, float64 differs
        x[1][:, 0] = 1
    assert_equal_to_keras(model, tmp_path, x, magnified=True)


def test_causal_attention_never_sees_a_later_position() -> None:
    generator = np.random.default_rng(0)
    layer = sf.MultiHeadAttention(2, 4)
    x = generator.normal(size=(3, 6, 5))
    layer.build([(None, 6, 5)] * 2)
    layer.set_weights(
        [
            generator.normal(size=shape)
            for inner in layer.flatten()
            for shape in inner.own_weight_shapes().values()
        ]
    )
    before = layer(x, x, use_causal_mask=True)
    x[:, 4:] += 1
    after = layer(x, x, use_causal_mask=True)
    assert np.array_equal(before[:, :4], after[:, :4])
    assert not np.array_equal(before[:, 4:], after[:, 4:])


def test_attention_in_blocks_of_examples_is_the_same(monkeypatch) -> None:
    from scratch_forward.layers import multi_head_attention

    generator = np.random.default_rng(0)
    layer = sf.GroupQueryAttention(4, 2, 1)
    x = generator.normal(size=(7, 6, 8))
    layer.build([(None, 6, 8)] * 2)
    layer.set_weights(
        [
            generator.normal(size=shape)
            for inner in layer.flatten()
            for shape in inner.own_weight_shapes().values()
        ]
    )
    mask = generator.random((7, 6)) > 0.3
    arguments = {"query_mask": mask, "value_mask": mask, "return_attention_scores": True}
    whole = layer(x, x, **arguments)
    monkeypatch.setattr(multi_head_attention, "_LARGEST_SCORES", 2 * 2 * 6 * 6)
    for part, one in zip(layer(x, x, **arguments), whole, strict=True):
        np.testing.assert_allclose(part, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: sf.MultiHeadAttention(0, 4), "num_heads"),
        (lambda: sf.MultiHeadAttention(2, 4, flash_attention=True), "flash_attention"),
        (lambda: sf.MultiHeadAttention(2, 4, attention_axes="1"), "attention_axes"),
        (lambda: sf.GroupQueryAttention(4, 4, 3), "num_key_value_heads"),
        (lambda: sf.Attention(score_mode="cosine"), "score_mode"),
        (lambda: sf.EinsumDense("ab->c", 3), "equation"),
        (lambda: sf.EinsumDense("ab,cd->ad", 3), "equation"),
        (lambda: sf.EinsumDense("ab,bc->ac", "3"), "output_shape"),
        (lambda: sf.EinsumDense("ab,bc->ac", 3, bias_axes="b"), "bias_axes"),
    ],
)
def test_an_option_that_is_wrong_is_named_with_its_value(make, option) -> None:
    with pytest.raises(sf.InvalidOption, match=option):
        make()


def test_projections_are_read_under_the_private_names_of_early_keras_3(tmp_path) -> None:
    model = fill(encoder())
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        for attention in ("layers/multi_head_attention", "layers/multi_head_attention_1"):
            for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
                file.move(f"{attention}/{name}", f"{attention}/_{name}")
    ours = sf.from_keras(encoder())
    ours.load_weights(tmp_path / "m.weights.h5")
    for mine, theirs in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
