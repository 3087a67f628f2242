"""An interrupted fit resumes to the same weights and losses, whatever it is fitted with."""

from collections import defaultdict

import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.settings import schema
from pipeline.training.class_weights import class_weights
from pipeline.training.compilation import KeptModel
from pipeline.training.fitting import fit
from pipeline.training.learning_rate import scheduled_rate
from pipeline.training.optimizers import build_optimizer
from pipeline.training.state import TrainingState
from tests.support.equal_weights import same_arrays
from tests.support.pairwise import pairwise, with_new_values

RNG = np.random.default_rng(0)
INPUTS = RNG.random((40, 4), np.float32)
LABELS = (INPUTS[:, 0] > 0.7).astype(np.int64)
TRAIN, VALIDATION = (INPUTS[:30], LABELS[:30]), (INPUTS[30:], LABELS[30:])
EPOCHS = 4
PLATEAU = {"factor": 0.1, "patience": 1, "min_delta": 0.1, "minimum": 0.0}
OPTIONS = {
    "optimizer": [("adam", {}), ("sgd", {"momentum": 0.9, "clipnorm": 0.1})],
    "schedule": [
        None,
        schema.ConstantSchedule(name="constant", warmup_epochs=4),
        schema.CosineSchedule(name="cosine", warmup_epochs=1, final=0.1),
        schema.ExponentialSchedule(name="exponential", warmup_epochs=0, decay=0.5),
        schema.PlateauSchedule(name="plateau", warmup_epochs=1, **PLATEAU),
    ],
    "weights": [None, "balanced", {"no": 2.0, "yes": 0.5}],
    "early_stopping": [None, 2],
    "interrupted_after": [1, 3],
}
kept: defaultdict[object, KeptModel] = defaultdict(KeptModel)


def rows():
    """Rows with every pair of values; without a value of their own, or without weights, slow."""
    every = pairwise(OPTIONS, seed=0)
    few = [row for row in with_new_values(every) if row["weights"]]  # else two models more
    return [row if row in few else pytest.param(row, marks=pytest.mark.slow) for row in every]


class Interrupted(Exception):
    pass


def classifier():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "tanh"),
            layers.Dropout(0.3),
            layers.Dense(2, "softmax"),
        ]
    )


def trained(row, **options):
    """Weights, and what each epoch reports."""
    name, arguments = row["optimizer"]
    likeness = str((row["optimizer"], row["weights"] is None))
    model = kept[likeness].compiled(
        likeness,
        classifier,
        build_optimizer(name, 0.05, **arguments),
        at_once=1,
        seed=3,
    )
    schedule = row["schedule"]
    fitted = fit(
        model,
        TRAIN,
        VALIDATION,
        epochs=EPOCHS,
        batch_size=8,
        seed=3,
        early_stopping=row["early_stopping"],
        rate=schedule and scheduled_rate(schedule, 0.05, EPOCHS),
        class_weight=class_weights(row["weights"], TRAIN[1], ("no", "yes")),
        **options,
    )
    epochs = [(e.loss_train, e.loss_validation, e.learning_rate) for e in fitted.history.epochs]
    return model.get_weights(), epochs


@pytest.mark.parametrize("row", rows(), ids=str)
def test_an_interrupted_fit_resumes_to_the_same_weights(row):
    def interrupt(state):
        states.append(state.to_bytes())
        if len(states) == row["interrupted_after"]:
            raise Interrupted

    states = []
    weights, epochs = trained(row)
    with pytest.raises(Interrupted):
        trained(row, on_state=interrupt)
    resumed, again = trained(row, resume=TrainingState.from_bytes(states[-1]))
    assert same_arrays(weights, resumed)
    assert epochs == again


def test_the_learning_rate_of_each_epoch_is_that_of_the_schedule():
    plain = {key: values[0] for key, values in OPTIONS.items()} | {"weights": "balanced"}
    _, epochs = trained(plain | {"schedule": OPTIONS["schedule"][4]})
    rates = [rate for _, _, rate in epochs]
    assert rates[:2] == pytest.approx([0.025, 0.05])
    assert rates[-1] < 0.05  # the loss did not improve by min_delta in each epoch
    _, epochs = trained(plain | {"schedule": OPTIONS["schedule"][3]})
    assert [rate for _, _, rate in epochs] == pytest.approx(0.05 * 0.5 ** np.arange(EPOCHS))


def test_weights_of_classes_multiply_the_loss():
    plain = {key: values[0] for key, values in OPTIONS.items()}
    _, epochs = trained(plain)
    _, doubled = trained(plain | {"weights": {"no": 2.0, "yes": 2.0}})
    # Adam's steps do not depend on the scale of the loss.
    assert doubled[0][0] == pytest.approx(2 * epochs[0][0], rel=1e-3)
