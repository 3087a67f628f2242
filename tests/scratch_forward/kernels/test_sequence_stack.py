"""Stacks of recurrent layers: shares, threads and masks leave the result alone."""

import numpy as np
import pytest

from scratch_forward.kernels.recurrent import Recurrent
from scratch_forward.kernels.sequence_stack import RecurrentStack
from tests.scratch_forward.kernels.test_recurrent import GATES, reference, weights_for

ROWS, STEPS, VOCABULARY, UNITS = 13, 9, 20, 6


def stack_and_weights(cell, directions, count=3):
    rng = np.random.default_rng(1)
    embeddings = rng.standard_normal((VOCABULARY, 5)).astype(np.float32)
    sizes = [5] + [directions * UNITS] * (count - 1)
    weights = [[weights_for(rng, cell, size, UNITS) for _ in range(directions)] for size in sizes]
    layers = [Recurrent.prepare(cell, pair) for pair in weights]
    return RecurrentStack.prepare(embeddings, layers), embeddings, weights


def example():
    rng = np.random.default_rng(2)
    tokens = rng.integers(0, VOCABULARY, (ROWS, STEPS))
    mask = rng.random((ROWS, STEPS)) < 0.6
    mask[3] = False
    return tokens, mask


def plain(cell, embeddings, weights, tokens, mask):
    """Run layer after layer, direction after direction, by the equations."""
    x = embeddings[tokens]
    zeros = [np.zeros((len(tokens), UNITS))] * (2 if cell == "lstm" else 1)
    for pair in weights:
        ends, sequences = [], []
        for direction, turn in zip(pair, (1, -1), strict=False):
            outputs, states = reference(
                cell, direction, x[:, ::turn], mask[:, ::turn], zeros, zero_masked=True
            )
            sequences.append(outputs[:, ::turn])
            ends.append(states[0])
        x = np.concatenate(sequences, axis=-1)
    return np.concatenate(ends, axis=-1)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("masked", [True, False])
def test_a_stack_equals_its_layers_by_the_equations(cell, directions, masked):
    stack, embeddings, weights = stack_and_weights(cell, directions)
    tokens, mask = example()
    mask = mask if masked else np.ones_like(mask)
    truth = plain(cell, embeddings, weights, tokens, mask)
    np.testing.assert_allclose(stack(tokens, mask if masked else None), truth, atol=1e-6)


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("share", [1, 1 << 30])
def test_shares_and_threads_do_not_matter(workers, share, monkeypatch):
    stack, *_ = stack_and_weights("lstm", 2)
    tokens, mask = example()
    expected = stack(tokens, mask, workers=1)
    monkeypatch.setattr("scratch_forward.kernels.sequence_stack.SHARE", share)
    np.testing.assert_allclose(stack(tokens, mask, workers=workers), expected, atol=1e-6)


def test_negative_ids_count_from_the_end_and_others_are_refused():
    stack, *_ = stack_and_weights("gru", 1)
    tokens, mask = example()
    shifted = np.where(tokens % 2, tokens, tokens - VOCABULARY)
    np.testing.assert_array_equal(stack(shifted, mask), stack(tokens, mask))
    with pytest.raises(IndexError, match="below 20, got 20"):
        stack(np.full((2, 3), VOCABULARY))
