"""The Keras models, from plain arguments.

A builder takes what its data decide (`sequence_length` and `vocabulary_size` of texts, or the
`input_shape` of images), the number of `classes`, its model's own settings, and `l1` and `l2`.
"""

from collections.abc import Callable, Sequence
from functools import partial

from pipeline.models.keras_backend import keras

layers = keras.layers

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
POOLINGS = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}


def recurrent(
    cell: str,
    *,
    sequence_length: int,
    vocabulary_size: int,
    classes: int,
    units: int,
    layers: int,
    bidirectional: bool,
    embedding_dim: int,
    mask: bool,
    dropout: float,
    recurrent_dropout: float,
    l1: float = 0.0,
    l2: float = 0.0,
) -> keras.Model:
    """Embedding, `layers` recurrent layers, dropout, softmax.

    Args:
        cell: `rnn` (SimpleRNN), `lstm` or `gru`.
        mask: whether id 0 is padding to be skipped (Keras `mask_zero`).

    Returns:
        A model from int32 ids `(N, sequence_length)` to float32 probabilities `(N, classes)`.
    """
    model = keras.Sequential(name=cell)
    model.add(keras.Input((sequence_length,), dtype="int32"))
    model.add(keras.layers.Embedding(vocabulary_size, embedding_dim, mask_zero=mask))
    for depth in range(layers):
        layer = CELLS[cell](
            units,
            return_sequences=depth < layers - 1,
            recurrent_dropout=recurrent_dropout,
            kernel_regularizer=_penalty(l1, l2),
        )
        model.add(keras.layers.Bidirectional(layer) if bidirectional else layer)
    _add_head(model, classes, dropout, l1, l2)
    return model


def convolutional(
    *,
    input_shape: tuple[int, int, int],
    classes: int,
    filters: Sequence[int],
    kernel_size: int,
    pooling: str,
    conv_padding: str,
    batch_norm: bool,
    dense_units: int,
    dropout: float,
    l1: float = 0.0,
    l2: float = 0.0,
) -> keras.Model:
    """Convolutions, each with ReLU and 2x2 pooling, then a dense layer, dropout, softmax.

    Returns:
        A model from float32 images `(N, height, width, channels)` to float32 probabilities
        `(N, classes)`.
    """
    model = keras.Sequential(name="cnn")
    model.add(keras.Input(input_shape))
    for width in filters:
        _add_convolution(model, width, kernel_size, conv_padding, batch_norm, _penalty(l1, l2))
        model.add(POOLINGS[pooling](2))
    model.add(layers.Flatten())
    model.add(layers.Dense(dense_units, "relu", kernel_regularizer=_penalty(l1, l2)))
    _add_head(model, classes, dropout, l1, l2)
    return model


def _add_convolution(
    model: keras.Model,
    filters: int,
    kernel_size: int,
    padding: str,
    batch_norm: bool,
    penalty: keras.regularizers.Regularizer | None,
) -> None:
    shared = {"padding": padding, "kernel_regularizer": penalty}
    if not batch_norm:
        model.add(layers.Conv2D(filters, kernel_size, activation="relu", **shared))
        return
    # The normalization's own offset makes the convolution's bias redundant.
    model.add(layers.Conv2D(filters, kernel_size, use_bias=False, **shared))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU())


def _add_head(model: keras.Model, classes: int, dropout: float, l1: float, l2: float) -> None:
    if dropout:
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(classes, "softmax", kernel_regularizer=_penalty(l1, l2)))


def _penalty(l1: float, l2: float) -> keras.regularizers.Regularizer | None:
    return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None


BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "cnn": convolutional,
    "rnn": partial(recurrent, "rnn"),
    "lstm": partial(recurrent, "lstm"),
    "gru": partial(recurrent, "gru"),
}
"""By the name that `model=` chooses."""
