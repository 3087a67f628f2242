"""A loss, metrics and callbacks of the user, or Keras's by name, in a fit."""

import sys
from collections import defaultdict

import numpy as np
import pytest

from pipeline.functions.lookup import FunctionError
from pipeline.models.keras_backend import keras
from pipeline.settings.keras_names import keras_names
from pipeline.training.brought_check import check_fit
from pipeline.training.compilation import KeptModel
from pipeline.training.fitting import fit
from pipeline.training.objective import Objective
from pipeline.training.optimizers import build_optimizer
from pipeline.training.own_callbacks import own_callbacks
from pipeline.training.state import TrainingState
from tests.support.equal_weights import same_arrays
from tests.support.my_fits import write_fits

RNG = np.random.default_rng(0)
INPUTS = RNG.random((40, 4), np.float32)
LABELS = (INPUTS[:, 0] > 0.5).astype(np.int64)
TRAIN, VALIDATION = (INPUTS[:30], LABELS[:30]), (INPUTS[30:], LABELS[30:])
NEEDS_ARGUMENTS = {
    *("io_u", "mean_io_u", "one_hot_io_u", "one_hot_mean_io_u", "binary_io_u"),
    *("precision_at_recall", "recall_at_precision"),
    *("sensitivity_at_specificity", "specificity_at_sensitivity"),
}
DOUBLED = Objective(loss="my_fits:doubled", metrics=("my_fits:certainty",))
kept: defaultdict[Objective, KeptModel] = defaultdict(KeptModel)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    write_fits(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def classifier():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])


def trained(objective=None, **options):
    objective = objective or Objective()
    fresh = build_optimizer("sgd", 0.1)
    model = kept[objective].compiled(
        "dense", classifier, fresh, at_once=1, seed=1, objective=objective
    )
    options = {"epochs": 3} | options
    fitted = fit(model, TRAIN, VALIDATION, batch_size=8, seed=1, objective=objective, **options)
    return model, fitted.history.epochs


@pytest.mark.parametrize("package", ["losses", "metrics"])
def test_the_names_are_those_that_keras_resolves(package):
    assert {"mean_squared_error", "mse"} < {*keras_names(package)}
    for name in keras_names(package):
        if name not in NEEDS_ARGUMENTS:
            assert callable(getattr(keras, package).get(name))


def test_a_loss_of_ones_own_is_trained_and_validated_with():
    model, epochs = trained(DOUBLED)
    loss = model.evaluate(*VALIDATION, verbose=0, return_dict=True)["loss"]
    assert epochs[-1].loss_validation == pytest.approx(loss, rel=1e-5)
    _, plain = trained()
    assert epochs[0].loss_train > 1.5 * plain[0].loss_train


def test_further_metrics_are_those_of_keras_on_both_splits():
    metrics = ("sparse_categorical_crossentropy", "my_fits:certainty")
    model, epochs = trained(Objective(metrics=metrics))
    assert {*epochs[0].further} == {
        *("sparse_categorical_crossentropy/train", "sparse_categorical_crossentropy/validation"),
        *("certainty/train", "certainty/validation"),
    }
    further = epochs[-1].further
    evaluated = model.evaluate(*VALIDATION, verbose=0, return_dict=True)
    assert further["certainty/validation"] == pytest.approx(evaluated["certainty"], rel=1e-5)
    losses = [further[f"{metrics[0]}/{split}"] for split in ("train", "validation")]
    assert losses == pytest.approx([epochs[-1].loss_train, epochs[-1].loss_validation], rel=1e-5)
    plain_model, plain = trained()
    assert same_arrays(model.get_weights(), plain_model.get_weights())
    assert [one.loss_validation for one in plain] == [one.loss_validation for one in epochs]


def test_a_fit_with_a_loss_and_metrics_resumes():
    def interrupt(state):
        states.append(state.to_bytes())
        raise KeyboardInterrupt

    states = []
    model, epochs = trained(DOUBLED)
    weights = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        trained(DOUBLED, on_state=interrupt)
    model, again = trained(DOUBLED, resume=TrainingState.from_bytes(states[0]))
    assert same_arrays(weights, model.get_weights())
    told = [[(one.loss_train, one.further) for one in each] for each in (epochs, again)]
    assert told[0] == told[1]


def test_callbacks_act_on_the_fit_which_then_keeps_no_state():
    states = []
    _, epochs = trained(callbacks=own_callbacks(["my_fits:halving"]), on_state=states.append)
    assert [one.learning_rate for one in epochs] == pytest.approx([0.1, 0.05, 0.025])
    assert states == []


@pytest.mark.parametrize(
    ("objective", "callbacks", "sentence"),
    [
        (Objective(loss="my_fits:wrong_shape"), [], "loss=my_fits:wrong_shape cannot be computed"),
        (Objective(loss="my_fits:duobled"), [], "has no such function (did you mean `doubled`?)."),
        (Objective(metrics=("mean_io_u",)), [], "metrics: mean_io_u cannot be computed from the"),
        (Objective(), ["my_fits:nothing"], "callbacks=my_fits:nothing returns NoneType instead"),
        (Objective(), ["my_fits:doubled"], "callbacks=my_fits:doubled raises TypeError: doubled"),
        (Objective(), ["my_fist:halving"], "there is no module my_fist in "),
    ],
)
def test_what_cannot_be_used_is_one_sentence(objective, callbacks, sentence):
    with pytest.raises(FunctionError) as refused:
        check_fit(classifier(), objective, callbacks)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
