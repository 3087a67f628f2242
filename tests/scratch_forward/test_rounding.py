import numpy as np
import pytest

from scratch_forward.rounding import Errors, errors


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
