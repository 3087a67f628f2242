from itertools import pairwise

import pytest

from pipeline.sweep.schedule import relative_cost


@pytest.mark.parametrize(
    "longer_and_longer",
    [
        ["units=32", "units=64", "units=128"],
        ["layers=1", "layers=2", "layers=3"],
        ["bidirectional=false", "bidirectional=true"],
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
