"""A model with several inputs is trained, predicted and verified like one with a single input."""

import numpy as np
import pytest

import scratch_forward
from pipeline.data import large_arrays
from pipeline.models.keras_backend import keras
from pipeline.training.compilation import compile_model, set_seeds
from pipeline.training.fitting import fit
from pipeline.training.optimizers import build_optimizer
from pipeline.training.prediction import predict
from scratch_forward.card import write_card
from scratch_forward.classifier import Classifier
from scratch_forward.preprocessing import ArrayPreprocessing, InputsPreprocessing

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 2
INPUTS = {
    "row": (RNG.normal(0, 0.3, (60, 3)) + LABELS[:, None]).astype(np.float32),
    "ids": np.stack([LABELS, LABELS + 2], axis=1).astype(np.int32),
    "one": RNG.normal(0, 1, 60).astype(np.float32),
}
READING = InputsPreprocessing(
    {
        "row": ArrayPreprocessing((3,), "float32", (), (), ("no", "yes")),
        "ids": ArrayPreprocessing((2,), "int32", (), (), ("no", "yes")),
        "one": ArrayPreprocessing((), "float32", (0.5,), (2.0,), ("no", "yes")),
    },
    ("no", "yes"),
)


def model(as_dict):
    inputs = {
        "row": keras.Input((3,), name="row"),
        "ids": keras.Input((2,), dtype="int32", name="ids"),
        "one": keras.Input((), name="one"),
    }
    words = keras.layers.Flatten()(keras.layers.Embedding(5, 4)(inputs["ids"]))
    one = keras.layers.Reshape((1,))(inputs["one"])
    joined = keras.layers.Concatenate()([inputs["row"], words, one])
    outputs = keras.layers.Dense(2, "softmax")(joined)
    return keras.Model(inputs if as_dict else list(inputs.values()), outputs)


@pytest.fixture(
    scope="module", params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["dict", "list"]
)
def fitted(request):
    set_seeds(0)
    built = model(request.param)
    compile_model(built, build_optimizer("adam", 0.02))
    options = {"epochs": 4, "batch_size": 8, "seed": 0}
    history = fit(built, (INPUTS, LABELS), (INPUTS, LABELS), **options).history
    return built, history


def test_it_learns(fitted):
    _, history = fitted
    assert history.epochs[-1].loss_validation < history.epochs[0].loss_validation < 1


def test_large_inputs_are_predicted_in_batches_with_the_same_numbers(fitted, monkeypatch):
    built, _ = fitted
    plain = predict(built, INPUTS, trim=False)
    monkeypatch.setattr(large_arrays, "LARGE", 0)
    monkeypatch.setattr("pipeline.training.prediction.BATCH", 60)
    np.testing.assert_array_equal(predict(built, INPUTS, trim=False), plain)


def test_its_card_and_its_preprocessing_are_proven(fitted, tmp_path):
    built, _ = fitted
    built.save(tmp_path / "model.keras")
    (tmp_path / "preprocessing.json").write_text(READING.to_json())
    scratch = scratch_forward.load(tmp_path / "model.keras")
    write_card(
        tmp_path / "model.keras",
        scratch,
        lambda inputs: predict(built, scratch.arranged(inputs), trim=False),
        {},
        READING,
    )
    classifier = Classifier.load(tmp_path, verify=True)
    assert classifier.preprocessing_proven
    keras_says = predict(built, READING.encode(INPUTS), trim=False)
    np.testing.assert_allclose(classifier.probabilities(INPUTS), keras_says, atol=1e-6)
