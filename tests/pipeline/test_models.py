import numpy as np
import pytest

from pipeline import models
from pipeline.keras_backend import keras

RECURRENT = {
    "sequence_length": 9,
    "vocabulary_size": 50,
    "classes": 3,
    "units": 4,
    "layers": 2,
    "bidirectional": True,
    "embedding_dim": 5,
    "mask": True,
    "dropout": 0.5,
    "recurrent_dropout": 0.0,
}
CONVOLUTIONAL = {
    "input_shape": (8, 8, 1),
    "classes": 10,
    "filters": (3, 4),
    "kernel_size": 3,
    "pooling": "max",
    "conv_padding": "same",
    "batch_norm": False,
    "dense_units": 7,
    "dropout": 0.0,
}


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_the_reports_lstm():
    model = models.recurrent("lstm", **RECURRENT | {"layers": 1})
    assert kinds(model) == ["Embedding", "Bidirectional", "Dropout", "Dense"]
    assert model.layers[0].mask_zero
    assert model.layers[1].forward_layer.units == 4
    assert model.predict(np.zeros((2, 9), np.int32), verbose=0).shape == (2, 3)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_stacked_layers_pass_sequences_on(cell):
    model = models.recurrent(cell, **RECURRENT | {"bidirectional": False, "layers": 3})
    stack = model.layers[1:4]
    assert [type(layer) for layer in stack] == [models.CELLS[cell]] * 3
    assert [layer.return_sequences for layer in stack] == [True, True, False]


def test_masking_changes_nothing_but_what_is_read():
    ids = np.array([[4, 5, 6, 0, 0, 0, 0, 0, 0]], np.int32)
    masked = models.recurrent("lstm", **RECURRENT)
    unmasked = models.recurrent("lstm", **RECURRENT | {"mask": False})
    unmasked.set_weights(masked.get_weights())
    assert not np.allclose(masked(ids), unmasked(ids))


def test_the_reports_cnn():
    model = models.convolutional(**CONVOLUTIONAL)
    assert kinds(model) == [
        *["Conv2D", "MaxPooling2D"] * 2,
        "Flatten",
        "Dense",
        "Dense",
    ]
    assert model.layers[0].padding == "same"
    assert model.predict(np.zeros((2, 8, 8, 1), np.float32), verbose=0).shape == (2, 10)


def test_batch_normalization_stands_before_the_activation():
    options = {"batch_norm": True, "pooling": "average", "dropout": 0.2}
    model = models.convolutional(**CONVOLUTIONAL | options)
    assert kinds(model)[:4] == ["Conv2D", "BatchNormalization", "ReLU", "AveragePooling2D"]
    assert not model.layers[0].use_bias
    assert kinds(model)[-2:] == ["Dropout", "Dense"]


def test_penalties_reach_every_kernel():
    model = models.convolutional(**CONVOLUTIONAL, l1=0.1, l2=0.2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            assert (float(layer.kernel_regularizer.l1), float(layer.kernel_regularizer.l2)) == (
                pytest.approx(0.1),
                pytest.approx(0.2),
            )
