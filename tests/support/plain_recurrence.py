"""Recurrent layers by their equations, one step and one example at a time."""

import numpy as np

from scratch_forward.kernels.recurrent.recurrence import Weights

GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(cell, weights, x, states, reset_after=True):
    """One step of one sequence as the equations read, gates in Keras' order."""
    kernel, recurrent, bias = (w.astype(np.float64) for w in weights)
    h = states[0]
    if cell == "gru":
        return [gru_step(kernel, recurrent, bias, x, h, reset_after)]
    z = x @ kernel + h @ recurrent + bias
    if cell == "simple_rnn":
        return [np.tanh(z)]
    i, f, g, o = np.split(z, 4)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(kernel, recurrent, bias, x, h, reset_after):
    inputs, state = bias if reset_after else (bias, np.zeros_like(bias))
    xz, xr, xh = np.split(x @ kernel + inputs, 3)
    uz, ur, uh = np.split(recurrent, 3, axis=1)
    bz, br, bh = np.split(state, 3)
    z, r = sigmoid(xz + h @ uz + bz), sigmoid(xr + h @ ur + br)
    candidate = np.tanh(xh + (r * (h @ uh + bh) if reset_after else (r * h) @ uh))
    return z * h + (1 - z) * candidate


def reference(cell, weights, x, mask, initial, *, zero_masked, reset_after=True):
    """Run over x (N, T, features): outputs (N, T, u) and states [(N, u), ...]."""
    rows, steps, _ = x.shape
    units = weights.recurrent_kernel.shape[0]
    outputs = np.zeros((rows, steps, units))
    states = [state.astype(np.float64).copy() for state in initial]
    for row in range(rows):
        output = np.zeros(units)
        for t in range(steps):
            if mask[row, t]:
                current = [state[row] for state in states]
                new = step(cell, weights, x[row, t].astype(np.float64), current, reset_after)
                for state, value in zip(states, new, strict=True):
                    state[row] = value
                output = new[0]
            masked_to_zero = zero_masked and not mask[row, t]
            outputs[row, t] = 0 if masked_to_zero else output
    return outputs, states


def weights_for(rng, cell, features, units, reset_after=True):
    width = GATES[cell] * units
    bias_shape = (2, width) if cell == "gru" and reset_after else (width,)
    shapes = ((features, width), (units, width), bias_shape)
    return Weights(*((0.4 * rng.standard_normal(shape)).astype(np.float32) for shape in shapes))
