from functools import partial

import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.training import batches, compilation
from pipeline.training.augmentation import drop_words
from pipeline.training.compilation import KeptModel, compile_model, steps_at_once
from pipeline.training.fitting import DivergedError, fit
from pipeline.training.optimizers import build_optimizer
from pipeline.training.prediction import predict
from pipeline.training.state import TrainingState
from tests.support.equal_weights import same_arrays
from tests.support.models import recurrent

RNG = np.random.default_rng(0)
IDS = RNG.integers(1, 30, (60, 7)).astype(np.int32)
LABELS = IDS[:, 0] % 3
TRAIN, VALIDATION = (IDS[:40], LABELS[:40]), (IDS[40:], LABELS[40:])


def flat_model():
    """A tenth of a recurrent model's time to compile."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(30, 5),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, "softmax", kernel_regularizer=keras.regularizers.L2(1e-4)),
        ]
    )


def recurrent_model(cell="rnn", **options):
    """Its states are random too; the commands' tests repeat an LSTM bit for bit."""
    small = {
        "sequence_length": 7,
        "vocabulary_size": 30,
        "classes": 3,
        "units": 6,
        "layers": 1,
        "bidirectional": False,
        "embedding_dim": 5,
        "mask": True,
        "dropout": 0.3,
        "recurrent_dropout": 0.1,
    }
    return recurrent(cell, **small | options)


_COMPILED: dict[object, KeptModel] = {}  # each is as good as a new one: see test_compilation


def compiled(seed=0, build=flat_model, learning_rate=0.02, batch_size=8):
    """A model that is compiled once for all tests, with the weights and the state of a new one."""
    at_once = steps_at_once(len(TRAIN[0]), batch_size)
    optimizer = build_optimizer("adam", learning_rate)
    kept = _COMPILED.setdefault((build, at_once), KeptModel())
    return kept.compiled(build, build, optimizer, at_once=at_once, seed=seed)


def new(seed, build):
    """A model that shares nothing with the one before."""
    _COMPILED.pop((build, 1), None)
    return compiled(seed, build)


def fit_small(fitted, seed=0, **options):
    return fit(fitted, TRAIN, VALIDATION, **{"epochs": 3, "batch_size": 8, "seed": seed} | options)


def trained(seed=0, build=flat_model, learning_rate=0.02, batch_size=8, **options):
    """Weights and history of a fit."""
    fitted = compiled(seed, build, learning_rate, batch_size)
    history = fit_small(fitted, seed, batch_size=batch_size, **options).history
    return fitted.get_weights(), history


def measures(history):
    return [(e.loss_train, e.measure_train, e.loss_validation) for e in history.epochs]


def test_a_step_is_traced_once(monkeypatch):
    steps, step = [], keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda *arguments: steps.append(1) or step(*arguments)
    )
    fit_small(new(0, flat_model), epochs=2)
    assert len(steps) == 1


@pytest.mark.parametrize(
    "build", [flat_model, pytest.param(recurrent_model, marks=pytest.mark.slow)]
)
def test_the_same_seed_gives_bit_identical_weights_and_metrics(build):
    weights, history = trained(3, build)
    other = new(3, build)
    again = fit_small(other, 3).history
    assert same_arrays(weights, other.get_weights())
    assert measures(history) == measures(again)
    assert not same_arrays(weights, trained(4, build)[0])


def test_every_epoch_is_told_as_it_ends():
    told = []
    _, history = trained(on_epoch=told.append)
    assert tuple(told) == history.epochs
    assert [epoch.number for epoch in told] == [1, 2, 3]
    assert told[0].learning_rate == pytest.approx(0.02)
    assert all(epoch.seconds > 0 for epoch in told)
    assert not history.restored


def test_steps_executed_at_once_change_no_bit(monkeypatch):
    assert compiled(batch_size=3).steps_per_execution == 1
    one_by_one, history = trained(batch_size=3)
    monkeypatch.setattr(compilation, "_MANY_STEPS", 14)  # so many an epoch has: ten, and four
    assert compiled(batch_size=3).steps_per_execution == 10
    at_once, again = trained(batch_size=3)
    assert same_arrays(one_by_one, at_once)
    assert measures(history) == measures(again)


def test_validation_scores_are_those_of_keras():
    fitted = compiled()
    certain = fitted.layers[-1].kernel
    evaluated = []

    def evaluate(epoch):
        evaluated.append(fitted.evaluate(*VALIDATION, verbose=0))
        certain.assign(certain * 100)  # probabilities fall below Keras's epsilon of 1e-7

    outcome = fit_small(fitted, epochs=2, on_epoch=evaluate)
    told = [[each.loss_validation, each.measure_validation] for each in outcome.history.epochs]
    assert outcome.validation[np.arange(20), VALIDATION[1]].min() < 1e-7
    assert told == pytest.approx(np.array(evaluated), rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"epochs": 60, "early_stopping": 1, "learning_rate": 0.1}])
def test_a_fit_gives_the_predictions_of_the_weights_it_ends_with(options):
    options = {**options}
    fitted = compiled(learning_rate=options.pop("learning_rate", 0.02))
    outcome = fit_small(fitted, **options)
    np.testing.assert_array_equal(outcome.validation, predict(fitted, VALIDATION[0], trim=False))
    assert outcome.history.restored == ("early_stopping" in options)


def test_early_stopping_restores_the_best_weights():
    fitted = compiled(learning_rate=0.1)
    history = fit_small(fitted, epochs=60, early_stopping=2).history
    assert len(history.epochs) == history.best.number + 2 < 60
    loss = fitted.evaluate(*VALIDATION, verbose=0)[0]
    assert loss == pytest.approx(history.best.loss_validation, rel=1e-5)


def test_the_best_epoch_has_the_least_validation_loss():
    _, history = trained(epochs=6)
    assert history.best.loss_validation == min(e.loss_validation for e in history.epochs)


def test_a_loss_that_is_not_finite_ends_the_fit():
    with pytest.raises(DivergedError, match="the loss is nan after epoch 1; a smaller"):
        trained(learning_rate=float("nan"))


def test_augmentation_reaches_the_model():
    def silence(inputs, rng):
        return np.zeros_like(inputs)

    _, history = trained(augment=silence, epochs=5)
    assert history.epochs[-1].measure_train < 0.6  # nothing to learn from
    _, history = trained(epochs=10, learning_rate=0.1)
    assert history.epochs[-1].measure_train > 0.75  # 0.95 and more


class Interrupted(Exception):
    pass


def interrupted_after(epoch, states):
    """Keep the packed state after each epoch, and raise after the given one."""

    def keep(state):
        states.append(state.to_bytes())
        if len(state.epochs) == epoch:
            raise Interrupted

    return keep


@pytest.mark.parametrize(
    ("options", "epoch"),
    [
        ({"epochs": 3, "augment": drop_words}, 2),
        pytest.param(
            {"epochs": 3, "augment": drop_words, "build": recurrent_model},
            2,
            marks=pytest.mark.slow,
        ),
        ({"epochs": 20, "early_stopping": 1, "learning_rate": 0.2}, None),  # after it has stopped
    ],
)
def test_an_interrupted_fit_goes_on_to_the_same_weights(options, epoch):
    whole, history = trained(**options)
    epoch = len(history.epochs) if epoch is None else epoch
    states = []
    with pytest.raises(Interrupted):
        trained(**options, on_state=interrupted_after(epoch, states))
    told = []
    resume = TrainingState.from_bytes(states[-1])
    again, resumed = trained(**options, resume=resume, on_epoch=told.append)
    assert same_arrays(whole, again)
    assert [e.number for e in told] == [e.number for e in history.epochs]
    assert [(e.loss_train, e.loss_validation) for e in resumed.epochs] == [
        (e.loss_train, e.loss_validation) for e in history.epochs
    ]


def sentences(padding):
    """Ids of 0 to 30 words, padded on one side to 30."""
    rng = np.random.default_rng(1)
    words = rng.integers(0, 12, 60)
    words[rng.random(60) < 0.3] += 18
    columns = np.arange(30) if padding == "post" else np.arange(30)[::-1]
    ids = np.where(columns < words[:, None], rng.integers(1, 30, (60, 30)), 0).astype(np.int32)
    assert (words == 0).any()  # a sentence of no word at all
    return ids, words % 3


@pytest.mark.parametrize(
    ("cell", "padding", "options"),
    [
        ("rnn", "post", {}),
        pytest.param("rnn", "post", {"bidirectional": True}, marks=pytest.mark.slow),
        pytest.param("lstm", "pre", {"recurrent_dropout": 0.0}, marks=pytest.mark.slow),
    ],
)
def test_padding_left_out_changes_no_result(cell, padding, options, monkeypatch):
    ids, labels = sentences(padding)

    kept, build = KeptModel(), partial(recurrent_model, cell, sequence_length=30, **options)

    def outcome():
        fitted = kept.compiled(cell, build, build_optimizer("adam", 0.02), at_once=1, seed=3)
        history = fit(
            fitted,
            (ids[:40], labels[:40]),
            (ids[40:], labels[40:]),
            epochs=3,
            batch_size=8,
            seed=3,
            augment=drop_words,
            trim=True,
        ).history
        losses = [(epoch.loss_train, epoch.loss_validation) for epoch in history.epochs]
        return losses, fitted.get_weights(), partial(predict, fitted, ids)

    losses, trimmed, predicted = outcome()
    np.testing.assert_allclose(predicted(trim=True), predicted(trim=False), atol=1e-6)
    monkeypatch.setattr(batches, "trimmed", lambda ids: ids)
    losses_of_padded, padded, _ = outcome()
    assert losses == pytest.approx(np.array(losses_of_padded), rel=1e-5)
    for one, other in zip(trimmed, padded, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_tensorflow_does_not_tune_the_batches():
    """Ending its thread for that held a fit up by seconds, at random."""
    given = []

    class Given(keras.Model):
        def fit(self, dataset, **options):
            given.append(dataset)
            return super().fit(dataset, **options)

        def predict(self, dataset, **options):
            given.append(dataset)
            return super().predict(dataset, **options)

    small = flat_model()
    for trim in (False, True):
        watched = Given(small.inputs, small.outputs)
        compile_model(watched, build_optimizer("adam", 0.02))
        watched.run_eagerly = True
        fit(watched, TRAIN, VALIDATION, epochs=1, batch_size=8, seed=0, trim=trim)
    assert len(given) == 4
    assert all(dataset.options().autotune.enabled is False for dataset in given)
