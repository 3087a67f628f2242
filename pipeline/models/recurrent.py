"""Recurrent models for text: SimpleRNN, LSTM and GRU layers on an embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.data.data_spec import TextSpec
from pipeline.models.head import add_head, penalty
from pipeline.settings.schema import Count, Penalty, Share

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def rnn(
    data: TextSpec,
    *,
    units: Count = 32,
    layers: Count = 5,
    bidirectional: bool = True,
    embedding_dim: Count = 128,
    mask: bool = False,
    dropout: Share = 0.5,
    recurrent_dropout: Share = 0.0,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """Simple recurrent layers (Elman, 1990): Keras's SimpleRNN with tanh."""
    return _stack("rnn", "SimpleRNN", **locals())


def lstm(
    data: TextSpec,
    *,
    units: Count = 64,
    layers: Count = 1,
    bidirectional: bool = True,
    embedding_dim: Count = 128,
    mask: bool = False,
    dropout: Share = 0.5,
    recurrent_dropout: Share = 0.0,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """Long short-term memory (Hochreiter & Schmidhuber, 1997)."""
    return _stack("lstm", "LSTM", **locals())


def gru(
    data: TextSpec,
    *,
    units: Count = 64,
    layers: Count = 1,
    bidirectional: bool = True,
    embedding_dim: Count = 128,
    mask: bool = False,
    dropout: Share = 0.5,
    recurrent_dropout: Share = 0.0,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """Gated recurrent units (Cho et al., 2014), as Keras's GRU computes them."""
    return _stack("gru", "GRU", **locals())


def _stack(
    name: str,
    cell: str,
    *,
    data: TextSpec,
    units: int,
    layers: int,
    bidirectional: bool,
    embedding_dim: int,
    mask: bool,
    dropout: float,
    recurrent_dropout: float,
    l1: float,
    l2: float,
) -> keras.Model:
    """Embedding, `layers` recurrent layers, dropout, softmax.

    Returns:
        A model from int32 ids `(N, sequence_length)` to float32 probabilities `(N, outputs)`.
    """
    from pipeline.models.keras_backend import keras

    model = keras.Sequential(name=name)
    model.add(keras.Input(data.input_shape, dtype=data.dtype))
    model.add(keras.layers.Embedding(data.vocabulary_size, embedding_dim, mask_zero=mask))
    for depth in range(layers):
        layer = getattr(keras.layers, cell)(
            units,
            return_sequences=depth < layers - 1,
            recurrent_dropout=recurrent_dropout,
            kernel_regularizer=penalty(l1, l2),
        )
        model.add(keras.layers.Bidirectional(layer) if bidirectional else layer)
    return add_head(model, data, dropout, l1, l2)
