"""Attention models for text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.data.data_spec import TextSpec
from pipeline.models.head import output_layer, penalty
from pipeline.settings.schema import Count, Penalty, Share

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def transformer(
    data: TextSpec,
    *,
    embedding_dim: Count = 64,
    heads: Count = 4,
    blocks: Count = 1,
    feed_forward: Count = 128,
    mask: bool = True,
    dropout: Share = 0.1,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """A transformer encoder (Vaswani et al., 2017) with learned positions and mean pooling.

    Layer normalization precedes attention and feed-forward layers (pre-norm), which trains without
    a warm-up.
    """
    from pipeline.models.keras_backend import keras

    regularizer = penalty(l1, l2)
    ids = keras.Input(data.input_shape, dtype=data.dtype)
    positions = keras.ops.cumsum(keras.ops.ones_like(ids), axis=1) - 1
    words = keras.layers.Embedding(data.vocabulary_size, embedding_dim, mask_zero=mask)(ids)
    places = keras.layers.Embedding(data.sequence_length, embedding_dim)(positions)
    features = keras.layers.Add()([words, places])
    for _ in range(blocks):
        features = _block(features, embedding_dim, heads, feed_forward, dropout, regularizer)
    features = keras.layers.GlobalAveragePooling1D()(keras.layers.LayerNormalization()(features))
    if dropout:
        features = keras.layers.Dropout(dropout)(features)
    outputs = output_layer(regularizer, data)(features)
    return keras.Model(ids, outputs, name="transformer")


def _block(
    features: Any, width: int, heads: int, feed_forward: int, dropout: float, regularizer: Any
) -> Any:
    """Attention and two dense layers, each with a residual connection."""
    from pipeline.models.keras_backend import keras

    layers = keras.layers
    normalized = layers.LayerNormalization()(features)
    attention = layers.MultiHeadAttention(
        heads, max(1, width // heads), dropout=dropout, kernel_regularizer=regularizer
    )
    features = layers.Add()([features, attention(normalized, normalized)])
    inner = layers.LayerNormalization()(features)
    inner = layers.Dense(feed_forward, "relu", kernel_regularizer=regularizer)(inner)
    inner = layers.Dense(width, kernel_regularizer=regularizer)(inner)
    if dropout:
        inner = layers.Dropout(dropout)(inner)
    return layers.Add()([features, inner])
