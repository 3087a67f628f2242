"""Chunks over threads: order, errors, and BLAS's own threads put back."""

import threading

import numpy as np
import pytest

from scratch_forward.kernels.runtime.blas import blas
from scratch_forward.kernels.runtime.threads import one_blas_thread, run, slices


def test_results_come_in_order_of_the_items():
    release = threading.Event()

    def late_first(item):
        if item == 0:
            assert release.wait(5)
        else:
            release.set()
        return item

    assert run(late_first, [0, 1], workers=2) == [0, 1]


def test_an_error_in_a_chunk_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        run(lambda item: 1 // item, [1, 0], workers=2)


def test_slices_cover_the_range_once():
    parts = slices(10, 4)
    assert [list(range(10))[part] for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert slices(0, 4) == []


def test_no_items_give_no_results():
    assert run(lambda item: item, [], workers=2) == []


@pytest.mark.skipif(blas() is None, reason="NumPy uses another BLAS")
def test_blas_has_one_thread_inside_and_what_it_had_after():
    library = blas()
    before = library.get_threads()
    library.set_threads(2)
    try:
        with one_blas_thread():
            with one_blas_thread():
                assert library.get_threads() == 1
            assert library.get_threads() == 1
        assert library.get_threads() == 2
        with pytest.raises(ValueError, match="inside"), one_blas_thread():
            raise ValueError("inside")
        assert library.get_threads() == 2
    finally:
        library.set_threads(before)


def test_without_a_known_blas_results_are_the_same(monkeypatch):
    x = np.random.default_rng(1).standard_normal((8, 50, 50))
    expected = run(lambda item: item @ item, list(x), workers=2)
    monkeypatch.setattr("scratch_forward.kernels.runtime.threads.blas", lambda: None)
    np.testing.assert_array_equal(run(lambda item: item @ item, list(x), workers=2), expected)
