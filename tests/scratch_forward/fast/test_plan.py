"""How a data set goes through a model: chunks, threads, and what makes a plan stale."""

import copy
import pickle
import threading

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.fast import plan
from scratch_forward.fast.image_stage import KEPT_SHAPES, ImageStage
from scratch_forward.kernels.runtime import threads
from tests.support.forward_models import filled

X = np.random.default_rng(0).normal(size=(37, 6, 5, 2)).astype(np.float32)


def model() -> sf.Sequential:
    layers = [sf.Input(X.shape[1:]), sf.Conv2D(3, 3, activation="relu"), sf.Flatten(), sf.Dense(2)]
    return filled(sf.Sequential(layers))


@pytest.mark.parametrize("count", [1, 2, 31, 32, 1000])
@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_example_is_in_one_chunk(count, chunk, workers) -> None:
    parts = plan.spread(lambda rows: np.arange(count)[rows], count, 10, chunk, workers)
    assert max(map(len, parts.outputs)) <= chunk
    assert parts.joined().tolist() == list(range(count))


def test_a_chunk_of_large_examples_has_few() -> None:
    large = plan.LARGEST_INPUT // 3
    assert max(map(len, plan.spread(lambda r: np.arange(20)[r], 20, large).outputs)) == 3
    assert max(map(len, plan.spread(lambda r: np.arange(20)[r], 20, 100 * large).outputs)) == 1


def test_examples_sorted_by_cost_are_dealt_evenly() -> None:
    cost = np.arange(400)
    shares = plan.spread(lambda rows: cost[rows].sum(), 400, 100, threads=2).outputs
    assert max(shares) / min(shares) < 1.02


def test_examples_not_worth_a_thread_stay_together() -> None:
    def parts(worth_a_thread: int) -> int:
        spread = plan.spread(
            lambda rows: np.arange(400)[rows], 400, 100, threads=2, worth_a_thread=worth_a_thread
        )
        assert spread.joined().tolist() == list(range(400))
        return len(spread.outputs)

    assert parts(201) == 1
    assert parts(200) == 2


def test_fewer_examples_of_larger_layers_are_worth_a_thread() -> None:
    def worth(units: int, count: int) -> int:
        rnns = [sf.SimpleRNN(units, return_sequences=index + 1 < count) for index in range(count)]
        mine = filled(sf.Sequential([sf.Embedding(9, 4), *rnns]))
        mine.predict(np.ones((2, 3)))
        return mine._plan.worth_a_thread

    assert worth(8, 1) > worth(32, 1) > worth(32, 4) > worth(128, 4)


def test_more_threads_need_more_examples_each_and_are_limited(monkeypatch) -> None:
    monkeypatch.setattr(plan, "available_cores", lambda: 16)

    def threads(layer: sf.Layer, shape: tuple, count: int) -> int:
        mine = filled(sf.Sequential([sf.Input(shape), layer]))
        mine.predict(np.ones((2, *shape)))
        return mine._plan.threads_for(count)

    dense, images = sf.Dense(3), sf.Conv2D(2, 3)
    worth = plan.WORTH_A_THREAD
    counts = [1, 2 * worth - 1, 2 * worth, 6 * worth - 1, 6 * worth, 12 * worth, 10_000]
    assert [threads(dense, (4,), count) for count in counts] == [1, 1, 2, 2, 3, 4, 4]
    assert threads(images, (8, 8, 1), 10_000) == 8
    monkeypatch.setattr(plan, "available_cores", lambda: 2)
    assert threads(images, (8, 8, 1), 10_000) == 2


def test_a_layer_derived_from_dense_counts_for_the_chunk() -> None:
    class Own(sf.Dense):
        """Computed as a layer, not in blocks of rows."""

    def chunk(layer: sf.Layer) -> int:
        mine = filled(sf.Sequential([sf.Input((4,)), layer, sf.Dense(2)]))
        mine.predict(np.ones((2, 4)))
        return mine._plan.chunk

    assert chunk(sf.Dense(512)) == plan.LARGEST_OF_ROWS
    assert chunk(Own(512)) == plan.IN_CACHE // 512


def test_other_weights_make_another_plan() -> None:
    mine = model()
    before = mine.predict(X)
    mine.set_weights([2 * array for array in mine.get_weights()])
    after = mine.predict(X)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, mine.predict(X, fast=False), rtol=1e-5, atol=1e-5)
    mine.layers[-1].set_weights([0 * array for array in mine.layers[-1].get_weights()])
    assert not mine.predict(X).any()
    mine.layers[0].weights["kernel"] = np.zeros_like(mine.layers[0].weights["kernel"])
    np.testing.assert_array_equal(mine.predict(X), mine.predict(X, fast=False))


def test_weights_are_not_changed_in_place_behind_a_plan() -> None:
    given = [np.ones(shape, np.float32) for shape in [(3, 3, 2, 3), (3,), (36, 2), (2,)]]
    mine = model()
    mine.set_weights(given)
    before = mine.predict(X)
    given[0] *= 2
    np.testing.assert_array_equal(mine.predict(X), before)
    np.testing.assert_allclose(mine.predict(X, fast=False), before, rtol=1e-5, atol=1e-4)
    with pytest.raises(ValueError, match="read-only"):
        mine.layers[0].weights["kernel"] *= 2


def test_double_precision_runs_every_layer_by_itself() -> None:
    mine = model()
    single = mine.predict(X)
    mine.set_dtype("float64")
    double = mine.predict(X)
    assert double.dtype == np.float64
    np.testing.assert_array_equal(double, mine.predict(X, fast=False))
    mine.set_dtype("float32")
    np.testing.assert_array_equal(mine.predict(X), single)


def test_a_model_that_has_predicted_can_be_copied_and_pickled() -> None:
    mine = model()
    expected = mine.predict(X)
    for other in (copy.deepcopy(mine), pickle.loads(pickle.dumps(mine))):
        np.testing.assert_array_equal(other.predict(X), expected)


def test_threads_may_predict_with_one_model_at_once() -> None:
    mine = model()
    expected = mine.predict(X)
    found = []
    workers = [threading.Thread(target=lambda: found.append(mine.predict(X))) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 6
    for other in found:
        np.testing.assert_array_equal(other, expected)


@pytest.mark.parametrize("option", ["batch_size", "threads"])
def test_sizes_must_be_positive(option) -> None:
    with pytest.raises(ValueError, match=f"positive `{option}`, got 0"):
        model().predict(X, **{option: 0})


@pytest.mark.skipif(threads.blas() is None, reason="NumPy uses another BLAS")
def test_blas_keeps_to_one_thread_on_both_ways(monkeypatch) -> None:
    seen = []
    sound = sf.Dense.call

    def call(self, x):
        seen.append(threads.blas().get_threads())
        return sound(self, x)

    monkeypatch.setattr(sf.Dense, "call", call)
    mine = filled(sf.Sequential([sf.Input((4,)), sf.Dense(2)]))
    mine.predict(np.ones((3, 4)))
    mine.predict(np.ones((3, 4)), fast=False)
    assert seen == [1, 1]


def test_sequences_of_many_lengths_keep_few_buffers() -> None:
    layers = [sf.Input((None, 2)), sf.Conv1D(3, 3, padding="same", activation="relu"), sf.GRU(2)]
    mine = filled(sf.Sequential(layers))
    for length in (5, 3, 8, 4, 9, 6, 5):
        x = np.random.default_rng(length).normal(size=(40, length, 2))
        np.testing.assert_allclose(mine.predict(x), mine.predict(x, fast=False), atol=1e-6)
    stage = next(s for s in mine._plan.stage.stages if isinstance(s, ImageStage))
    assert len(stage._by_shape._kept) == KEPT_SHAPES


def test_large_images_are_computed_few_at_a_time() -> None:
    layers = [sf.Input((300, 290, 3)), sf.Conv2D(16, 3, activation="relu"), sf.MaxPooling2D(4)]
    mine = filled(sf.Sequential(layers))
    x = np.random.default_rng(0).random((7, 300, 290, 3), dtype=np.float32)
    few, many = mine.predict(x), mine.predict(x, batch_size=7)
    np.testing.assert_allclose(few, many, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(few, mine.predict(x, fast=False), rtol=1e-5, atol=1e-5)
    stage = mine._plan.stage.stages[-1]
    assert stage._by_shape._prepared(x.shape[1:]).group == 3


@pytest.mark.parametrize("kind", ["images", "sequences", "rows"])
def test_callers_of_one_example_at_a_time_get_their_own_answers(kind) -> None:
    x = np.random.default_rng(0).normal(size=(64, *X.shape[1:])).astype(np.float32)
    layers = {
        "images": [sf.Conv2D(3, 3, activation="relu"), sf.MaxPooling2D(2), sf.Flatten()],
        "sequences": [sf.Reshape((6, 10)), sf.LSTM(5, return_sequences=True), sf.LSTM(5)],
        "rows": [sf.Flatten()],
    }
    mine = filled(sf.Sequential([sf.Input(X.shape[1:]), *layers[kind], sf.Dense(2)]))
    expected = [mine.predict(one[None]) for one in x]
    found: dict[int, np.ndarray] = {}

    def caller(first: int) -> None:
        for index in range(first, len(x), 8):
            found[index] = mine.predict(x[index][None])

    workers = [threading.Thread(target=caller, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for index, answer in enumerate(expected):
        np.testing.assert_array_equal(found[index], answer)


def test_chunks_of_small_layers_have_many_examples_and_those_of_large_ones_few() -> None:
    def chunk(*layers) -> int:
        mine = filled(sf.Sequential([sf.Input((8, 4)), *layers]))
        mine.predict(np.ones((1, 8, 4)))
        return mine._plan.chunk

    assert chunk(sf.Flatten(), sf.Dense(128)) == plan.IN_CACHE // 128
    assert chunk(sf.Dense(1024)) == plan.WORTH_A_THREAD
    assert chunk(sf.Dense(1024), sf.LSTM(2)) == plan.LARGEST_CHUNK


@pytest.mark.parametrize("cell", [sf.SimpleRNN, sf.LSTM, sf.GRU])
@pytest.mark.parametrize("examples", [1, 20])
def test_nan_stays_in_the_direction_that_has_read_it(cell, examples) -> None:
    both = sf.Bidirectional(cell(4, return_sequences=True))
    mine = filled(sf.Sequential([sf.Input((6, 3)), both]))
    x = np.random.default_rng(0).normal(size=(examples, 6, 3))
    x[0, 1] = np.nan
    found = mine.predict(x)[0]
    forwards, backwards = np.isnan(found[:, :4]), np.isnan(found[:, 4:])
    assert forwards[1:].all()
    assert not forwards[:1].any()
    assert backwards[:2].all()
    assert not backwards[2:].any()
