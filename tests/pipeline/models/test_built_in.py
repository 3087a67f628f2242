import numpy as np
import pytest

import scratch_forward
from pipeline.data import load
from pipeline.data.sharing import shared_data
from pipeline.job.run import compiled_model
from pipeline.models.build import build_model, data_spec
from pipeline.models.keras_backend import keras
from pipeline.settings.composer import CONF
from pipeline.settings.model_function import KERAS_FILE, built_in_models, model_function
from tests.support import models as builders

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
CELLS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_the_reports_lstm():
    model = builders.recurrent("lstm", **RECURRENT | {"layers": 1})
    assert kinds(model) == ["Embedding", "Bidirectional", "Dropout", "Dense"]
    assert model.layers[0].mask_zero
    assert model.layers[1].forward_layer.units == 4
    assert model(np.zeros((2, 9), np.int32)).shape == (2, 3)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_stacked_layers_pass_sequences_on(cell):
    model = builders.recurrent(cell, **RECURRENT | {"bidirectional": False, "layers": 3})
    stack = model.layers[1:4]
    assert [type(layer) for layer in stack] == [CELLS[cell]] * 3
    assert [layer.return_sequences for layer in stack] == [True, True, False]


def test_masking_changes_nothing_but_what_is_read():
    ids = np.array([[4, 5, 6, 0, 0, 0, 0, 0, 0]], np.int32)
    masked = builders.recurrent("lstm", **RECURRENT)
    unmasked = builders.recurrent("lstm", **RECURRENT | {"mask": False})
    unmasked.set_weights(masked.get_weights())
    assert not np.allclose(masked(ids), unmasked(ids))


def test_the_reports_cnn():
    model = builders.convolutional(**CONVOLUTIONAL)
    assert kinds(model) == [
        *["Conv2D", "MaxPooling2D"] * 2,
        "Flatten",
        "Dense",
        "Dense",
    ]
    assert model.layers[0].padding == "same"
    assert model(np.zeros((2, 8, 8, 1), np.float32)).shape == (2, 10)


def test_batch_normalization_stands_before_the_activation():
    options = {"batch_norm": True, "pooling": "average", "dropout": 0.2}
    model = builders.convolutional(**CONVOLUTIONAL | options)
    assert kinds(model)[:4] == ["Conv2D", "BatchNormalization", "ReLU", "AveragePooling2D"]
    assert not model.layers[0].use_bias
    assert kinds(model)[-2:] == ["Dropout", "Dense"]


def test_penalties_reach_every_kernel():
    model = builders.convolutional(**CONVOLUTIONAL, l1=0.1, l2=0.2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            assert (float(layer.kernel_regularizer.l1), float(layer.kernel_regularizer.l2)) == (
                pytest.approx(0.1),
                pytest.approx(0.2),
            )


def test_every_model_has_a_file():
    assert {path.stem for path in (CONF / "model").glob("*.yaml")} == set(built_in_models())


@pytest.mark.parametrize("name", sorted({*built_in_models()} - {KERAS_FILE}))
def test_every_models_settings_reach_its_function_and_scratch_forward_computes_it(
    settings_for, name, tmp_path
):
    image = "image" in model_function(name).reads
    settings = settings_for(
        f"model={name}", f"dataset={'digits' if image else 'reviews'}", "l1=0.1"
    )
    data = load(settings.dataset.name, data_dir=tmp_path)
    model = build_model(name, data_spec(data), settings.model.model_dump())
    inputs = data.test.inputs[:2]
    assert model.losses, "the penalties are not used"
    ours = scratch_forward.from_keras(model).predict(inputs)
    assert np.abs(ours - model(inputs).numpy()).max() < 1e-6


@pytest.mark.parametrize(
    ("same", "changes"),
    [
        (True, ["seed=1", "learning_rate=0.1", "epochs=3", "batch_size=16"]),
        (False, ["units=4", "l1=0.1"]),
        pytest.param(
            False, ["dropout=0.1", "l2=0.1", "dataset.max_length=5"], marks=pytest.mark.slow
        ),
        (False, ["optimizer=sgd", "optimizer.beta_1=0.8", "model=gru"]),
    ],
)
def test_a_job_takes_the_model_before_where_that_has_the_same_graph(settings_for, same, changes):
    def model(*overrides):
        settings = settings_for("units=3", *overrides)
        return compiled_model(settings, shared_data(**settings.data))

    for change in changes:
        before = model()
        assert (model(change) is before) is same, change
