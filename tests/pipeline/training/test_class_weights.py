import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from pipeline.training.class_weights import class_weights

LABELS = np.array([0, 0, 0, 0, 1, 2, 2])
NAMES = ("a", "b", "c")


def test_balanced_weights_are_those_of_scikit_learn():
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert [*class_weights("balanced", LABELS, NAMES).values()] == pytest.approx(wanted)


def test_a_class_without_examples_does_not_change_the_others():
    with_another = class_weights("balanced", LABELS, (*NAMES, "d"))
    assert with_another == {**class_weights("balanced", LABELS, NAMES), 3: 1.0}


def test_weights_are_given_by_name():
    assert class_weights({"c": 2, "a": 0.5}, LABELS, NAMES) == {0: 0.5, 1: 1.0, 2: 2}
    assert class_weights(None, LABELS, NAMES) is None
