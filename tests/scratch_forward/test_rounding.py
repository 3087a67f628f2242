import numpy as np

from scratch_forward.rounding import errors


def test_rounding_of_keras_is_told_from_a_fault_of_ours():
    oracle = np.array([[0.7, 0.2, 0.1]])
    off_by_a_little, off_by_more = oracle + 1e-6, oracle + 5e-6
    assert errors(off_by_more, off_by_a_little, oracle).explain
    assert not errors(off_by_a_little, off_by_more, oracle).explain
