"""Stacks of recurrent layers equal their equations, whatever the mask, the ends and the input."""

import numpy as np
import pytest

from scratch_forward.kernels.recurrent.layer_stack import (
    RecurrentStack,
    StackLayer,
    join_wavefronts,
)
from scratch_forward.kernels.recurrent.recurrence import Recurrent
from scratch_forward.kernels.recurrent.wavefront import Wavefront
from tests.support.plain_recurrence import GATES, reference, weights_for

ROWS, STEPS, VOCABULARY, UNITS = 13, 9, 20, 6


def stack_and_weights(cell, directions, count=3, merge="concat", wavefront=False, **ends):
    rng = np.random.default_rng(1)
    embeddings = rng.standard_normal((VOCABULARY, 5)).astype(np.float32)
    sizes = [5] + [UNITS * (directions if merge == "concat" else 1)] * (count - 1)
    weights = [[weights_for(rng, cell, size, UNITS) for _ in range(directions)] for size in sizes]
    layers = [StackLayer(Recurrent.prepare(cell, pair), merge) for pair in weights]
    table = layers[0].recurrent.look_up_table(embeddings)
    layers = join_wavefronts(layers) if wavefront else layers
    return RecurrentStack(layers, table, **ends), embeddings, weights


def example():
    rng = np.random.default_rng(2)
    tokens = rng.integers(0, VOCABULARY, (ROWS, STEPS))
    mask = rng.random((ROWS, STEPS)) < 0.6
    mask[3] = False
    return tokens, mask


MERGES = {
    "concat": lambda parts: np.concatenate(parts, axis=-1),
    "sum": sum,
    "mul": lambda parts: np.prod(parts, axis=0),
    "ave": lambda parts: np.mean(parts, axis=0),
}


def plain(cell, x, weights, mask, merge="concat", zero_masked=True):
    """Run layer after layer, direction after direction, by the equations; outputs, last outputs."""
    zeros = [np.zeros((len(x), UNITS))] * (2 if cell == "lstm" else 1)
    for pair in weights:
        ends, sequences = [], []
        for direction, turn in zip(pair, (1, -1), strict=False):
            outputs, states = reference(
                cell, direction, x[:, ::turn], mask[:, ::turn], zeros, zero_masked=zero_masked
            )
            sequences.append(outputs[:, ::turn])
            ends.append(states[0])
        x = MERGES[merge](sequences)
    return x, MERGES[merge](ends)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("masked", [True, False])
def test_a_stack_equals_its_layers_by_the_equations(cell, directions, masked):
    stack, embeddings, weights = stack_and_weights(cell, directions)
    tokens, mask = example()
    mask = mask if masked else np.ones_like(mask)
    _, truth = plain(cell, embeddings[tokens], weights, mask)
    np.testing.assert_allclose(stack(tokens, mask if masked else None), truth, atol=1e-6)


@pytest.mark.parametrize("merge", MERGES)
def test_directions_merge_after_every_step_and_at_the_end(merge):
    tokens, mask = example()
    for sequences in (False, True):
        stack, embeddings, weights = stack_and_weights(
            "gru", 2, merge=merge, return_sequences=sequences, zero_masked=True
        )
        outputs, ends = plain("gru", embeddings[tokens], weights, mask, merge)
        truth = outputs if sequences else ends
        np.testing.assert_allclose(stack(tokens, mask), truth, atol=1e-6)


@pytest.mark.parametrize("wavefront", [True, False])
@pytest.mark.parametrize("zero_masked", [True, False])
def test_masked_steps_give_zeros_or_what_the_step_before_gave(zero_masked, wavefront):
    tokens, mask = example()
    stack, embeddings, weights = stack_and_weights(
        "lstm", 1, wavefront=wavefront, return_sequences=True, zero_masked=zero_masked
    )
    truth, _ = plain("lstm", embeddings[tokens], weights, mask, zero_masked=zero_masked)
    np.testing.assert_allclose(stack(tokens, mask), truth, atol=1e-6)


def test_features_do_as_well_as_tokens_and_may_be_read_backwards():
    tokens, mask = example()
    stack, embeddings, weights = stack_and_weights("simple_rnn", 1, count=1)
    features = embeddings[tokens]
    backwards = [stack.layers[0]._replace(backwards=True)]
    _, truth = plain("simple_rnn", features[:, ::-1], weights, mask[:, ::-1])
    ours = RecurrentStack(backwards, None)(features, mask)
    np.testing.assert_allclose(ours, truth, atol=1e-6)
    table = RecurrentStack(backwards, stack.table)(tokens, mask)
    np.testing.assert_allclose(table, truth, atol=1e-6)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("count", [2, 3, 12])
@pytest.mark.parametrize("masked", [True, False])
def test_layers_in_a_wave_equal_layers_one_after_another(cell, count, masked):
    """Also where there are more layers than steps."""
    (tokens, mask), ends = example(), {"return_sequences": True, "zero_masked": True}
    stack, embeddings, weights = stack_and_weights(cell, 1, count, wavefront=True, **ends)
    ((joined, *_),) = stack.layers
    assert isinstance(joined, Wavefront)
    assert joined.depth == count
    mask = mask if masked else np.ones_like(mask)
    truth, last = plain(cell, embeddings[tokens], weights, mask)
    given = mask if masked else None
    np.testing.assert_allclose(stack(tokens, given), truth, atol=1e-6)
    np.testing.assert_allclose(
        RecurrentStack(stack.layers, stack.table)(tokens, given), last, atol=1e-6
    )


def test_a_wave_ends_where_the_size_or_the_number_of_directions_changes():
    rng = np.random.default_rng(3)

    def layer(features, units, directions=1, cell="gru", reset_after=False):
        pair = [weights_for(rng, cell, features, units, reset_after) for _ in range(directions)]
        return StackLayer(Recurrent.prepare(cell, pair, reset_after=reset_after)), pair

    made = [layer(5, 4, 2), layer(8, 6), layer(6, 6), layer(6, 3), layer(3, 3)]
    made.append(layer(3, 3, reset_after=True))
    layers = [stack_layer for stack_layer, _ in made]
    assert [joined.recurrent.depth for joined in join_wavefronts(layers)] == [1, 2, 2, 1]
    x, (_, mask) = rng.standard_normal((ROWS, STEPS, 5)).astype(np.float32), example()
    one_by_one = RecurrentStack(layers, None)(x, mask)
    np.testing.assert_allclose(
        RecurrentStack(join_wavefronts(layers), None)(x, mask), one_by_one, atol=1e-6
    )
