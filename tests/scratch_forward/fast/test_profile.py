"""The profile names every run of layers, and counts the work that the equations ask for."""

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.fast.profile import Clock, timed
from tests.support.forward_models import filled

IMAGES = np.random.default_rng(0).normal(size=(20, 8, 7, 3)).astype(np.float32)


def cnn() -> sf.Sequential:
    layers = [
        sf.Input(IMAGES.shape[1:]),
        sf.Conv2D(4, (3, 2), activation="relu", name="conv"),
        sf.MaxPooling2D(2, name="pool"),
        sf.Flatten(name="flat"),
        sf.Dense(5, name="dense"),
    ]
    return filled(sf.Sequential(layers))


def operations(row) -> float:
    return row.gigaflops * row.milliseconds * 1e6


@pytest.mark.parametrize("count", [20, 2])
def test_rows_are_what_is_computed_together(count) -> None:
    profile = cnn().profile(IMAGES[:count], repeats=2)
    assert [row.layers for row in profile.rows] == ["conv + pool", "flat", "dense"]
    convolution, flat, dense = profile.rows
    assert operations(convolution) == pytest.approx(count * 2 * (3 * 2 * 3 * 4) * (6 * 6))
    assert operations(dense) == pytest.approx(count * 2 * (3 * 3 * 4 * 5))
    assert flat.gigaflops == 0
    assert sum(row.share for row in profile.rows) == pytest.approx(1)
    assert all(row.milliseconds > 0 for row in profile.rows)


def test_it_prints_as_a_table() -> None:
    first, *_, last = str(cnn().profile(IMAGES, repeats=1)).splitlines()
    assert first.split() == ["Layers", "ms", "GFLOP/s", "share"]
    assert last.startswith("20 examples, ")


def test_recurrent_layers_have_a_row_each_and_count_every_step() -> None:
    layers = [
        sf.Embedding(20, 4, mask_zero=True, name="words"),
        sf.Bidirectional(sf.LSTM(3, return_sequences=True), name="below"),
        sf.GRU(2, name="above"),
    ]
    model = filled(sf.Sequential([sf.Input((9,)), *layers]))
    profile = model.profile(np.ones((6, 9)), repeats=1)
    assert [row.layers for row in profile.rows] == ["words + below", "above"]
    below, above = profile.rows
    assert operations(below) == pytest.approx(6 * 9 * 2 * 2 * (4 + 3) * 12)
    assert operations(above) == pytest.approx(6 * 9 * 2 * (6 + 2) * 6)


def test_graphs_and_the_plain_way_are_profiled_too() -> None:
    x = sf.Input((4,))
    wide = sf.Dense(3, name="wide")(x)
    graph = filled(sf.Model(x, [sf.Add(name="sum")([wide, sf.ReLU(name="relu")(wide)]), wide]))
    rows = graph.profile(np.ones((5, 4)), repeats=1).rows
    assert [row.layers for row in rows] == ["wide", "relu", "sum"]
    model = cnn()
    model.set_dtype("float64")
    names = [row.layers for row in model.profile(IMAGES, repeats=1).rows]
    assert names == ["conv", "pool", "flat", "dense"]


def test_arguments_and_masks_reach_a_timed_layer() -> None:
    ids = sf.Input((5,), dtype="int32")
    words = sf.Embedding(20, 4, mask_zero=True, name="words")(ids)
    state = sf.Dense(3, name="state")(sf.GlobalAveragePooling1D(name="mean")(words))
    read = sf.GRU(3, return_sequences=True, name="read")(words, initial_state=state)
    attended = sf.MultiHeadAttention(2, 2, name="attention")(read, words, attention_mask=None)
    outputs = sf.GlobalAveragePooling1D(name="end")(attended)
    model = filled(sf.Model(ids, outputs))
    x = np.array([[3, 4, 0, 0, 0], [1, 2, 3, 4, 5]], np.int32)
    timed_outputs, _ = timed(model.plain_stage(), Clock()).run(x)
    np.testing.assert_array_equal(timed_outputs, model(x))
    rows = {row.layers for row in model.profile(x, repeats=1).rows}
    assert {"read", "attention"} <= rows


def test_no_repeats_are_refused() -> None:
    with pytest.raises(ValueError, match="positive `repeats`, got 0"):
        cnn().profile(IMAGES, repeats=0)
