"""Recurrent kernels against the equations, one sequence and one step at a time, in float64."""

import numpy as np
import pytest

from scratch_forward.kernels.recurrent.gates import Features, Tokens
from scratch_forward.kernels.recurrent.ragged import Ragged
from scratch_forward.kernels.recurrent.recurrence import Recurrent, Weights
from tests.support.plain_recurrence import GATES, reference, weights_for


def masks(rng, rows, steps):
    yield "none", np.ones((rows, steps), bool)
    lengths = rng.integers(0, steps + 1, rows)
    right = np.arange(steps) < lengths[:, None]
    yield "right", right
    yield "left", right[:, ::-1]
    yield "holes", rng.random((rows, steps)) < 0.6
    empty = rng.random((rows, steps)) < 0.6
    empty[0] = False
    yield "whole row", empty
    yield "nothing", np.zeros((rows, steps), bool)


MASKS = dict(masks(np.random.default_rng(0), 7, 11))
CELLS = [("simple_rnn", True), ("lstm", True), ("gru", True), ("gru", False)]


@pytest.mark.parametrize("few", [0, 100])
@pytest.mark.parametrize("pattern", MASKS)
@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
@pytest.mark.parametrize("zero_masked", [True, False])
def test_one_direction_equals_the_equations(
    cell, reset_after, pattern, zero_masked, few, monkeypatch
):
    monkeypatch.setattr("scratch_forward.kernels.recurrent.recurrence.FEW_SEQUENCES", few)
    rng, mask = np.random.default_rng(1), MASKS[pattern]
    rows, steps = mask.shape
    x = rng.standard_normal((rows, steps, 5)).astype(np.float32)
    weights = weights_for(rng, cell, 5, 6, reset_after)
    initial = [np.zeros((rows, 6), np.float32)] * (2 if cell == "lstm" else 1)
    layer = Recurrent.prepare(cell, [weights], reset_after=reset_after)
    batch = Ragged.of(mask)
    result = layer.run(Features([[batch.gather(x)]]), batch, return_sequences=True)
    outputs, states = reference(
        cell, weights, x, mask, initial, zero_masked=zero_masked, reset_after=reset_after
    )
    ours = batch.scatter(result.outputs[0], zero_masked=zero_masked)
    np.testing.assert_allclose(ours, outputs, atol=5e-7)
    for state, truth in zip(result.states, states, strict=True):
        assert state.dtype == np.float32
        np.testing.assert_allclose(batch.restore(state)[0], truth, atol=1e-6)


@pytest.mark.parametrize("few", [0, 100])
@pytest.mark.parametrize("pattern", MASKS)
@pytest.mark.parametrize("cell", GATES)
def test_two_directions_are_one_forwards_and_one_over_the_reversed_sequence(
    cell, pattern, few, monkeypatch
):
    monkeypatch.setattr("scratch_forward.kernels.recurrent.recurrence.FEW_SEQUENCES", few)
    rng, mask = np.random.default_rng(2), MASKS[pattern]
    rows, steps = mask.shape
    x = rng.standard_normal((rows, steps, 5)).astype(np.float32)
    pair = [weights_for(rng, cell, 5, 6) for _ in range(2)]
    zeros = [np.zeros((rows, 6))] * (2 if cell == "lstm" else 1)
    layer, batch = Recurrent.prepare(cell, pair), Ragged.of(mask)
    forward = batch.gather(x)
    project = Features([[forward[..., :2], forward[..., 2:]], [batch.reverse(forward)]])
    result = layer.run(project, batch, return_sequences=True)
    ours = [result.outputs[0], batch.reverse(result.outputs[1])]
    for direction, turn in enumerate((1, -1)):
        outputs, states = reference(
            cell, pair[direction], x[:, ::turn], mask[:, ::turn], zeros, zero_masked=True
        )
        scattered = batch.scatter(ours[direction], zero_masked=True)
        np.testing.assert_allclose(scattered, outputs[:, ::turn], atol=5e-7)
        last = batch.restore(result.states[0])[direction]
        np.testing.assert_allclose(last, states[0], atol=5e-7)


@pytest.mark.parametrize("cell", GATES)
def test_initial_state_is_carried_on(cell):
    rng = np.random.default_rng(3)
    mask = MASKS["holes"]
    rows, steps = mask.shape
    x = rng.standard_normal((rows, steps, 5)).astype(np.float32)
    weights = weights_for(rng, cell, 5, 6)
    initial = [
        rng.standard_normal((rows, 6)).astype(np.float32) for _ in range(2 if cell == "lstm" else 1)
    ]
    layer, batch = Recurrent.prepare(cell, [weights]), Ragged.of(mask)
    project = Features([[batch.gather(x)]])
    given = [state[batch.order][None] for state in initial]
    result = layer.run(project, batch, return_sequences=False, initial_state=given)
    _, states = reference(cell, weights, x, mask, initial, zero_masked=False)
    assert result.outputs is None
    for state, truth in zip(result.states, states, strict=True):
        np.testing.assert_allclose(batch.restore(state)[0], truth, atol=1e-6)


@pytest.mark.parametrize("cell", GATES)
def test_looking_tokens_up_equals_projecting_their_vectors(cell):
    rng, mask = np.random.default_rng(4), MASKS["holes"]
    embeddings = rng.standard_normal((20, 5)).astype(np.float32)
    tokens = rng.integers(0, 20, mask.shape)
    layer = Recurrent.prepare(cell, [weights_for(rng, cell, 5, 6)])
    batch = Ragged.of(mask)
    found = Tokens(layer.look_up_table(embeddings), [batch.gather(tokens)])
    computed = Features([[batch.gather(embeddings[tokens])]])
    by_table, by_product = (
        layer.run(project, batch, return_sequences=True).outputs for project in (found, computed)
    )
    ours, theirs = (batch.scatter(y[0], zero_masked=True) for y in (by_table, by_product))
    np.testing.assert_allclose(ours, theirs, atol=5e-7)


def test_padding_columns_cost_nothing():
    mask = np.arange(50) < np.array([3, 50, 7])[:, None]
    batch = Ragged.of(mask)
    assert batch.order.tolist() == [1, 2, 0]
    assert batch.running.sum() == mask.sum()
    assert Ragged.of(mask[[0, 2]]).steps == 7


def test_float64_stays_float64():
    rng, mask = np.random.default_rng(5), MASKS["right"]
    rows, steps = mask.shape
    x = rng.standard_normal((rows, steps, 5))
    weights = Weights(*(w.astype(np.float64) for w in weights_for(rng, "lstm", 5, 6)))
    layer, batch = Recurrent.prepare("lstm", [weights]), Ragged.of(mask)
    project = Features([[batch.gather(x)]])
    result = layer.run(project, batch, return_sequences=False)
    _, (h, _) = reference("lstm", weights, x, mask, [np.zeros((rows, 6))] * 2, zero_masked=True)
    assert result.states[0].dtype == np.float64
    np.testing.assert_allclose(batch.restore(result.states[0])[0], h, atol=1e-14)
