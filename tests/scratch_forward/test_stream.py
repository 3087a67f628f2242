"""A data set of any length through a model, holding one batch of it."""

import time
import tracemalloc

import numpy as np
import pytest

import scratch_forward as sf
from tests.support.forward_models import filled

BATCH, STEPS = 10_000, 4


def batches(count):
    """Make batches of token ids as they are asked for."""
    rng = np.random.default_rng(0)
    return (rng.integers(0, 50, (BATCH, STEPS), dtype=np.int32) for _ in range(count))


def model() -> sf.Sequential:
    return filled(sf.Sequential([sf.Embedding(50, 8), sf.LSTM(6), sf.Dense(3, "softmax")]))


@pytest.mark.slow
def test_a_million_sequences_take_the_memory_of_a_few() -> None:
    mine, peaks = model(), []
    for count in (3, 100):
        tracemalloc.start()
        seen = sum(len(outputs) for outputs in mine.stream(batches(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert seen == count * BATCH
    few, million = peaks
    assert million < 1.1 * few


@pytest.mark.slow
def test_time_grows_with_the_number_of_sequences() -> None:
    mine = model()
    took = {}
    for count in (3, 10, 40):
        start = time.process_time()
        for _ in mine.stream(batches(count)):
            pass
        took[count] = time.process_time() - start
    assert took[40] < 2 * took[10] / 10 * 40
