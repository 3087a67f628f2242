from itertools import pairwise

import pytest

from pipeline.settings.schema import Model, Recurrent
from pipeline.sweep.cost import relative_cost


@pytest.mark.parametrize(
    "longer_and_longer",
    [
        ["units=32", "units=64", "units=128"],
        ["layers=1", "layers=2", "layers=3"],
        ["bidirectional=false", "bidirectional=true"],
        ["model=rnn", "model=gru", "model=lstm"],
        ["epochs=1", "epochs=3"],
        ["train_size=60", "train_size=90", "train_size=null"],
        ["model=cnn filters=[16]", "model=cnn filters=[16,32]", "model=cnn filters=[32,64]"],
        ["model=cnn kernel_size=3", "model=cnn kernel_size=5"],
        ["model=cnn dataset=cifar10 epochs=1", "model=cnn dataset=cifar10 epochs=2"],
    ],
)
def test_what_takes_longer_costs_more(settings_for, longer_and_longer):
    costs = [relative_cost(settings_for(*words.split())) for words in longer_and_longer]
    assert all(one < other for one, other in pairwise(costs))


class Added(Model):
    """A model that someone adds to the project."""

    reads = "text"


class AddedRecurrent(Recurrent):
    """One with the settings of the recurrent ones."""


@pytest.mark.parametrize("recurrent", [False, True])
def test_jobs_of_a_model_that_someone_added_are_compared_too(settings_for, recurrent):
    short, long = settings_for("epochs=1"), settings_for("epochs=3")
    model = AddedRecurrent(**dict(short.model)) if recurrent else Added()
    costs = [
        relative_cost(settings.model_copy(update={"model_name": "added", "model": model}))
        for settings in (short, long)
    ]
    assert costs[0] < costs[1]
