import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.rounding import Errors, errors, measure


def test_errors_are_measured_against_float64():
    oracle = np.array([0.25, 0.75])
    measured = errors(oracle + np.array([3e-6, 0]), oracle - np.array([0, 1e-6]), oracle)
    assert (measured.keras, measured.scratch) == (pytest.approx(3e-6), pytest.approx(1e-6))


@pytest.mark.parametrize(
    ("keras", "scratch", "explained"),
    [
        (2.2e-6, 6.5e-7, True),  # Keras rounds more than we do
        (2.0e-6, 2.4e-6, True),
        (1e-4, 2e-7, False),  # our fault is in the float64 run too, so Keras seems to be off
        (2e-7, 1e-4, False),  # float32 alone is at fault
        (3e-6, 0.0, True),  # a few units in the last place
        (float("nan"), 1e-7, False),
    ],
)
def test_rounding_is_told_from_a_fault(keras, scratch, explained):
    assert Errors(keras, scratch).explain is explained


@pytest.fixture
def magnifying():
    """A chain of 40 doublings and its inverse: the outputs hang on the last places of weights."""
    double = sf.Sequential([sf.Input((2,)), *(sf.Dense(2, use_bias=False) for _ in range(40))])
    double.set_weights([np.array([[2.0, 2.0], [2.0, -2.0]]) / 2**0.5 for _ in range(40)])
    return double


def test_errors_in_proportion_need_no_nudging(magnifying):
    x = np.ones((1, 2))
    exact = magnifying.predict(x)
    (found,) = measure(magnifying, x, [exact * (1 + 1e-7)], [exact * (1 - 1e-7)])
    assert found.sensitivity is None
    assert found.explain


def test_a_model_that_magnifies_rounding_explains_a_large_error_of_one_side(magnifying):
    x = np.ones((1, 2))
    before = [weights.copy() for weights in magnifying.get_weights()]
    exact = magnifying.predict(x)
    (found,) = measure(magnifying, x, [exact * (1 + 2e-7)], [exact])
    assert not Errors(found.keras, found.scratch).explain
    assert found.explain
    (faulty,) = measure(magnifying, x, [exact * 1.0001], [exact])
    assert not faulty.explain
    for old, new in zip(before, magnifying.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_sensitivity_is_that_of_a_unit_in_the_last_place():
    double = sf.Sequential([sf.Input((1,)), sf.Dense(1, use_bias=False)])
    double.set_weights([np.array([[1.0]])])
    (found,) = measure(double, np.array([[8.0]]), [np.array([[9.0]])], [np.array([[8.0]])])
    assert 0.4 * 8 * 2**-23 < found.sensitivity <= 8 * 2**-23
    assert not found.explain
