import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.settings import schema
from pipeline.training.learning_rate import scheduled_rate

BASE, EPOCHS = 0.1, 8


def rates(kind, losses=(), **options):
    """The learning rate of each epoch of a fit with these validation losses."""
    schedule = kind(**{"name": "any", "warmup_epochs": 0} | options)
    rate = scheduled_rate(schedule, BASE, EPOCHS)
    return [rate(epoch, losses[:epoch]) for epoch in range(EPOCHS)]


def test_a_constant_rate_is_not_touched():
    constant = schema.ConstantSchedule(name="constant", warmup_epochs=0)
    assert scheduled_rate(constant, BASE, EPOCHS) is None


def test_the_warm_up_grows_in_equal_steps_to_the_learning_rate():
    grown = rates(schema.ConstantSchedule, warmup_epochs=3)
    assert grown == pytest.approx([0.025, 0.05, 0.075, *[0.1] * 5])


@pytest.mark.parametrize(("warmup", "final"), [(0, 0.0), (3, 0.2)])
def test_cosine_is_that_of_keras_after_the_warm_up(warmup, final):
    decay = keras.optimizers.schedules.CosineDecay(BASE, EPOCHS - warmup, alpha=final)
    wanted = [float(decay(step)) for step in range(EPOCHS - warmup)]
    fallen = rates(schema.CosineSchedule, warmup_epochs=warmup, final=final)
    assert fallen[warmup:] == pytest.approx(wanted, rel=1e-6, abs=1e-8)


def test_exponential_multiplies_by_the_decay():
    fallen = rates(schema.ExponentialSchedule, warmup_epochs=2, decay=0.5)
    assert fallen[2:] == pytest.approx(BASE * 0.5 ** np.arange(6))


@pytest.mark.parametrize("seed", range(5))
def test_plateau_reduces_as_keras_does(seed):
    losses = np.random.default_rng(seed).choice([0.5, 0.50005, 0.6, 0.7, 0.9], EPOCHS).tolist()
    options = {"factor": 0.5, "patience": 2, "min_delta": 1e-4}
    keras_rule = keras.callbacks.ReduceLROnPlateau("val_loss", min_lr=0.03, **options)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(BASE))
    keras_rule.set_model(model)
    keras_rule.on_train_begin()
    wanted = []
    for epoch, loss in enumerate(losses):
        wanted.append(float(model.optimizer.learning_rate))
        keras_rule.on_epoch_end(epoch, {"val_loss": loss})
    assert rates(schema.PlateauSchedule, losses, minimum=0.03, **options) == pytest.approx(
        wanted, rel=1e-6
    )
