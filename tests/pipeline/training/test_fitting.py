import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.training import batches, compilation
from pipeline.training.augmentation import drop_words
from pipeline.training.compilation import compile_model, set_seeds, steps_at_once
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
            layers.Dense(3, "softmax"),
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


def fit_small(fitted, seed=0, learning_rate=0.02, optimizer="adam", **options):
    options = {"epochs": 3, "batch_size": 8, "seed": seed} | options
    at_once = steps_at_once(len(TRAIN[0]), options["batch_size"])
    compile_model(fitted, build_optimizer(optimizer, learning_rate), at_once)
    return fit(fitted, TRAIN, VALIDATION, **options)


def trained(seed=0, build=flat_model, **options):
    set_seeds(seed)
    fitted = build()
    return fitted, fit_small(fitted, seed, **options).history


def same_weights(one, other):
    return same_arrays(one.get_weights(), other.get_weights())


def measures(history):
    return [(e.loss_train, e.measure_train, e.loss_validation) for e in history.epochs]


@pytest.mark.parametrize(
    "build", [flat_model, pytest.param(recurrent_model, marks=pytest.mark.slow)]
)
def test_the_same_seed_gives_bit_identical_weights_and_metrics(build):
    (one, history), (other, again) = (trained(3, build) for _ in range(2))
    assert same_weights(one, other)
    assert measures(history) == measures(again)
    assert not same_weights(one, trained(4, build)[0])


def test_every_epoch_is_told_as_it_ends():
    told = []
    _, history = trained(on_epoch=told.append)
    assert tuple(told) == history.epochs
    assert [epoch.number for epoch in told] == [1, 2, 3]
    assert told[0].learning_rate == pytest.approx(0.02)
    assert all(epoch.seconds > 0 for epoch in told)
    assert not history.restored


def test_a_step_is_traced_once(monkeypatch):
    steps, step = [], keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda *arguments: steps.append(1) or step(*arguments)
    )
    trained(epochs=2)
    assert len(steps) == 1


def test_steps_executed_at_once_change_no_bit(monkeypatch):
    one_by_one, history = trained(batch_size=3)
    monkeypatch.setattr(compilation, "_MANY_STEPS", 14)  # so many an epoch has: ten, and four
    at_once, again = trained(batch_size=3)
    assert (one_by_one.steps_per_execution, at_once.steps_per_execution) == (1, 10)
    assert same_weights(one_by_one, at_once)
    assert measures(history) == measures(again)


def test_validation_scores_are_those_of_keras():
    set_seeds(0)
    fitted = recurrent_model(l2=1e-4)
    certain = fitted.layers[-1].kernel
    evaluated = []

    def evaluate(epoch):
        evaluated.append(fitted.evaluate(*VALIDATION, verbose=0))
        certain.assign(certain * 100)  # probabilities fall below Keras's epsilon of 1e-7

    epochs = fit_small(fitted, epochs=2, on_epoch=evaluate).history.epochs
    told = [[epoch.loss_validation, epoch.measure_validation] for epoch in epochs]
    assert told[1][0] > 16.2  # the loss at that epsilon
    assert told == pytest.approx(np.array(evaluated), rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"epochs": 60, "early_stopping": 1, "learning_rate": 0.1}])
def test_a_fit_gives_the_predictions_of_the_weights_it_ends_with(options):
    set_seeds(0)
    fitted = flat_model()
    outcome = fit_small(fitted, **options)
    np.testing.assert_array_equal(outcome.validation, predict(fitted, VALIDATION[0], trim=False))
    assert outcome.history.restored == ("early_stopping" in options)


def test_early_stopping_restores_the_best_weights():
    fitted, history = trained(epochs=60, early_stopping=2, learning_rate=0.1)
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
    _, history = trained(epochs=20, learning_rate=0.05)
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
        ({"epochs": 3, "augment": drop_words, "build": recurrent_model}, 2),
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
    assert same_weights(whole, again)
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

    def outcome():
        set_seeds(3)
        fitted = recurrent_model(cell, sequence_length=30, **options)
        compile_model(fitted, build_optimizer("adam", 0.02))
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
        return losses, fitted

    losses, trimmed = outcome()
    monkeypatch.setattr(batches, "trimmed", lambda ids: ids)
    losses_of_padded, padded = outcome()
    assert losses == pytest.approx(np.array(losses_of_padded), rel=1e-5)
    for one, other in zip(trimmed.get_weights(), padded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    monkeypatch.undo()
    np.testing.assert_allclose(
        predict(trimmed, ids, trim=True), predict(trimmed, ids, trim=False), atol=1e-6
    )


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
        fit(watched, TRAIN, VALIDATION, epochs=1, batch_size=8, seed=0, trim=trim)
    assert len(given) == 4
    assert all(dataset.options().autotune.enabled is False for dataset in given)
