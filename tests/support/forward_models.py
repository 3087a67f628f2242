"""Models of `scratch_forward` with weights, and how near to Keras they have to be."""

from typing import Any

import numpy as np

from tests.support.contract import last_place


def filled(model, seed: int = 0):
    """Give a model random weights."""
    generator = np.random.default_rng(seed)
    model.set_weights(
        [
            np.abs(generator.normal(0, 0.5, shape))
            for layer in model.flatten()
            for shape in layer.own_weight_shapes().values()
        ]
    )
    return model


def assert_within_the_bar(
    found: list[Any], theirs: list[Any], exact: list[Any], slack: list[float] | None = None
) -> None:
    """Hold outputs to at most twice Keras's own largest error, and a few ULP (and the slack)."""
    slacks = slack or [0.0] * len(exact)
    for mine, other, true, more in zip(found, theirs, exact, slacks, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(other))
        mine, other, true = (np.nan_to_num(np.float64(y)) for y in (mine, other, true))
        off, keras_off = np.abs(mine - true), np.abs(other - true)
        # Keras may be this far from the truth by its own rounding, never further: else one of us
        # computes something else
        assert keras_off.max(initial=0) <= 1e-5 * max(1, np.abs(true).max())
        assert (off <= 2 * (keras_off.max(initial=0) + more) + 8 * last_place(true)).all()
