import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.training.initial_weights import InitialWeightsError, load_initial_weights
from tests.support.equal_weights import same_arrays

layers = keras.layers


def network(units=3, depth=1):
    hidden = [layers.Dense(units), layers.BatchNormalization(), layers.Dropout(0.5)]
    more = [layers.Dense(units) for _ in range(depth - 1)]
    return keras.Sequential([keras.Input((4,)), *hidden, *more, layers.Dense(2)])


def saved(model, path, compiled=True):
    if compiled:
        model.compile("adam", "mse", metrics=["accuracy"], run_eagerly=True)
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    model.save_weights(path) if path.name.endswith("weights.h5") else model.save(path)
    return model.get_weights()


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_the_weights_of_a_file_are_assigned(tmp_path, name):
    weights = saved(network(), tmp_path / name)
    model = network()
    random = [variable.numpy() for variable in model.variables if "seed" in variable.path]
    load_initial_weights(model, tmp_path / name)
    assert same_arrays(model.get_weights(), weights)
    kept = [variable.numpy() for variable in model.variables if "seed" in variable.path]
    assert random
    assert same_arrays(random, kept)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"units": 5}, "shape=(4, 3), Received: value.shape=(4, 5)"),
        ({"depth": 2}, "the file holds 10 arrays of weights, and the model has 8."),
    ],
)
def test_weights_of_another_model_are_one_sentence(tmp_path, other, sentence):
    saved(network(**other), tmp_path / "a.keras", compiled=False)
    with pytest.raises(InitialWeightsError) as refused:
        load_initial_weights(network(), tmp_path / "a.keras")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_a_damaged_file_is_one_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing that Keras has saved")
    with pytest.raises(InitialWeightsError) as refused:
        load_initial_weights(network(), tmp_path / name)
    assert "\n" not in str(refused.value)
