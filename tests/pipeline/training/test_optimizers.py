"""Every optimizer of Keras is trained, resumed and reused without a difference."""

import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.settings.optimizer_arguments import keras_optimizers
from pipeline.training.compilation import KeptModel
from pipeline.training.fitting import fit
from pipeline.training.optimizers import build_optimizer
from pipeline.training.prediction import predict
from pipeline.training.state import TrainingState
from tests.support.equal_weights import same_arrays

RNG = np.random.default_rng(0)
INPUTS = RNG.random((40, 4), np.float32)
LABELS = (INPUTS[:, 0] > 0.5).astype(np.int64)
DATA = (INPUTS[:30], LABELS[:30]), (INPUTS[30:], LABELS[30:])
TELLING = ("schedulefreeadamw", {})  # its state starts from the weights
OTHERS = [
    *((name, {}) for name in keras_optimizers() if name != "schedulefreeadamw"),
    ("sgd", {"clipnorm": 0.1, "gradient_accumulation_steps": 3}),
    ("adam", {"use_ema": True, "ema_momentum": 0.5}),
    ("rmsprop", {"weight_decay": 0.1, "global_clipnorm": 0.1, "loss_scale_factor": 8.0}),
]
OPTIONS = [TELLING, *(pytest.param(one, marks=pytest.mark.slow) for one in OTHERS)]


class Interrupted(Exception):
    pass


def dense():
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2, "softmax")]
    )


def compiled(kept, optimizer, seed):
    name, options = optimizer
    fresh = build_optimizer(name, 0.01, **options)
    return kept.compiled(repr(optimizer), dense, fresh, at_once=1, seed=seed)


def trained(kept, optimizer, seed=1, **options):
    """The weights and the validation predictions that a fit ends with."""
    model = compiled(kept, optimizer, seed)
    fitted = fit(model, *DATA, epochs=3, batch_size=8, seed=seed, **options)
    return model.get_weights(), fitted.validation


@pytest.mark.parametrize("optimizer", OPTIONS, ids=str)
def test_a_resumed_fit_and_a_reused_model_end_with_the_same_weights(optimizer):
    def interrupt(state):
        states.append(state.to_bytes())
        if len(states) == 2:
            raise Interrupted

    whole, predictions = trained(KeptModel(), optimizer)
    kept, states = KeptModel(), []
    model = compiled(kept, optimizer, seed=2)
    model.set_weights(whole)
    np.testing.assert_array_equal(predictions, predict(model, DATA[1][0], trim=False))
    with pytest.raises(Interrupted):
        trained(kept, optimizer, on_state=interrupt)
    resumed, again = trained(kept, optimizer, resume=TrainingState.from_bytes(states[-1]))
    assert same_arrays(whole, resumed)
    np.testing.assert_array_equal(predictions, again)
