from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from pipeline.models.keras_backend import keras
from pipeline.training.compilation import KeptModel
from pipeline.training.fitting import fit
from pipeline.training.optimizers import build_optimizer
from pipeline.training.prediction import predict
from tests.support.equal_weights import same_arrays
from tests.support.models import convolutional, recurrent

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 3
IDS = RNG.integers(1, 30, (40, 7)).astype(np.int32)
IMAGES = RNG.random((40, 6, 6, 3), np.float32)

recurrent_model = partial(
    recurrent,
    sequence_length=7,
    vocabulary_size=30,
    classes=3,
    units=6,
    layers=1,
    bidirectional=False,
    embedding_dim=5,
    mask=True,
    dropout=0.3,
    recurrent_dropout=0.1,
)
convolutional_model = partial(
    convolutional,
    input_shape=(6, 6, 3),
    classes=3,
    filters=[4],
    kernel_size=3,
    pooling="max",
    conv_padding="same",
    batch_norm=True,
    dense_units=8,
    dropout=0.3,
    l2=1e-3,
)
OPTIMIZERS = {
    "adam": partial(build_optimizer, "adam"),
    "momentum": partial(build_optimizer, "sgd", momentum=0.9),
}


def compiled(kept, build, optimizer="adam", learning_rate=0.01, seed=0, at_once=1):
    fresh = OPTIMIZERS[optimizer](learning_rate)
    return kept.compiled(optimizer, build, fresh, at_once=at_once, seed=seed)


def train(model, inputs, seed=0, **options):
    """Losses, weights and predictions that a compiled model comes to."""
    data = (inputs[:30], LABELS[:30]), (inputs[30:], LABELS[30:])
    fitted = fit(model, *data, epochs=2, batch_size=8, seed=seed, **options)
    losses = [(epoch.loss_train, epoch.loss_validation) for epoch in fitted.history.epochs]
    return losses, model.get_weights(), predict(model, inputs, trim=False)


def assert_same(one, other):
    assert one[0] == other[0]
    assert same_arrays(one[1], other[1])
    np.testing.assert_array_equal(one[2], other[2])


@dataclass(frozen=True)
class Reused:
    """A kept model that was trained once, with the results of that and of a new model."""

    build: Callable[[], keras.Model]
    inputs: np.ndarray
    optimizer: str
    kept: KeptModel
    first: tuple
    new: tuple  # with other weights and another learning rate
    traced: list[int]

    def compiled(self):
        return compiled(self.kept, self.build, self.optimizer)

    def compiled_as_the_new(self):
        return compiled(self.kept, self.build, self.optimizer, **OTHERWISE)


OTHERWISE = {"learning_rate": 0.02, "seed": 1}
SUBJECTS = {
    "lstm": (partial(recurrent_model, "lstm"), IDS, "adam"),
    "cnn": (convolutional_model, IMAGES, "momentum"),
}


@pytest.fixture(scope="module", params=[pytest.param("lstm", marks=pytest.mark.slow), "cnn"])
def reused(request):
    build, inputs, optimizer = SUBJECTS[request.param]
    new = train(compiled(KeptModel(), build, optimizer, **OTHERWISE), inputs, seed=1)
    kept, traced, step = KeptModel(), [], keras.Model.train_step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            keras.Model, "train_step", lambda *arguments: traced.append(1) or step(*arguments)
        )
        first = train(compiled(kept, build, optimizer), inputs)
        yield Reused(build, inputs, optimizer, kept, first, new, traced)


def test_a_model_that_is_used_again_is_as_good_as_new(reused):
    model = reused.compiled()
    assert reused.compiled_as_the_new() is model
    assert_same(reused.new, train(model, reused.inputs, seed=1))
    assert_same(reused.first, train(reused.compiled(), reused.inputs))


def test_its_step_is_not_traced_again(reused):
    train(reused.compiled_as_the_new(), reused.inputs, seed=1)
    train(reused.compiled(), reused.inputs)
    assert len(reused.traced) == 1


def test_an_interrupted_fit_leaves_no_trace_in_the_next(reused):
    def interrupt(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(reused.compiled(), reused.inputs, on_epoch=interrupt)
    assert_same(reused.new, train(reused.compiled_as_the_new(), reused.inputs, seed=1))


def test_another_model_is_a_new_one():
    kept = KeptModel()
    one = compiled(kept, convolutional_model)
    other = compiled(kept, convolutional_model, at_once=10)
    assert other is not one
    assert (one.steps_per_execution, other.steps_per_execution) == (1, 10)
    assert compiled(kept, convolutional_model, "momentum", at_once=10) is not other
