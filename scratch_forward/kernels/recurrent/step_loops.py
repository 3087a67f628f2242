"""The steps of SimpleRNN, LSTM and GRU: a few calls on whole arrays after each step's products.

Axes: L lanes (the directions of a layer, or several layers in a stack, which are computed by the
same calls), N sequences of the batch, u units. With few sequences, a step costs as much as its
number of NumPy calls, and threads compete for the interpreter lock between calls, 5 microseconds
each time. Therefore calls are few and long. Constants are arrays and outputs are positional
arguments, which makes each call 0.2 to 0.5 microseconds faster.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, Self

import numpy as np

Cell = Literal["simple_rnn", "lstm", "gru"]


class Step(NamedTuple):
    """What one step computes: lanes `first` to `last` (exclusive) of the first `sequences`."""

    first: int
    last: int
    sequences: int

    @classmethod
    def schedule(cls, steps: Iterable[tuple[int, int, int]]) -> list[Self]:
        """Return the steps. Equal ones are the same object, which is faster to compare."""
        steps = list(steps)
        known = {step: cls(*step) for step in set(steps)}
        return [known[step] for step in steps]

    def of(self, array: np.ndarray) -> np.ndarray:
        """View the step's lanes and sequences of an array (L, N, ...)."""
        return array[self.first : self.last, : self.sequences]


class Gates(Protocol):
    """The gates at the start of a step, for any kind of input.

    `states` holds arrays (L, N, u), initially zeros. The first is h of the previous step; for an
    LSTM, the second is c.
    """

    states: list[np.ndarray]

    def cut(self, step: Step) -> np.ndarray:
        """Return the buffer for the gates, (G, l, n, u), followed by c for an LSTM."""
        ...

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of step `number` into the buffer."""
        ...


def run_simple_rnn(
    gates: Gates, schedule: Sequence[Step], outputs: np.ndarray | None, _: np.ndarray | None
) -> None:
    """Compute the steps h' = tanh(x W + b + h U)."""
    (h,) = gates.states
    tanh, fill, now = np.tanh, gates.fill, None
    for number, step in enumerate(schedule):
        if step is not now:
            now = step
            z, state = gates.cut(step)[0], step.of(h)
            given = state if outputs is None else state[-len(outputs) :]
        fill(number)
        tanh(z, state)
        if outputs is not None:
            outputs[:, number, : step.sequences] = given


def run_lstm(
    gates: Gates, schedule: Sequence[Step], outputs: np.ndarray | None, _: np.ndarray | None
) -> None:
    """Compute the steps c' = f c + i g, h' = o tanh(c'); (o, i, f) = sigmoid(z), g = tanh(z).

    The state between steps is 2 h, and the weights are scaled for it.
    """
    h, _ = gates.states
    h *= 2
    add, multiply, tanh, fill, now = np.add, np.multiply, np.tanh, gates.fill, None
    one, half = np.ones((), h.dtype), np.full((), 0.5, h.dtype)
    for number, step in enumerate(schedule):
        if step is not now:
            now = step
            slots, state = gates.cut(step), step.of(h)
            z, sigmoids, doubled_o, doubled_i_f = slots[:4], slots[:3], slots[0], slots[1:3]
            g_c, g, cell = slots[3:], slots[3], slots[4]
            given = state if outputs is None else state[-len(outputs) :]
        fill(number)
        tanh(z, z)
        add(sigmoids, one, sigmoids)
        multiply(doubled_i_f, g_c, g_c)
        add(g, cell, cell)
        multiply(cell, half, cell)
        tanh(cell, g)
        multiply(doubled_o, g, state)
        if outputs is not None:
            multiply(given, half, outputs[:, number, : step.sequences])
    h *= 0.5


def run_gru(
    gates: Gates,
    schedule: Sequence[Step],
    outputs: np.ndarray | None,
    candidates: np.ndarray | None,
) -> None:
    """Compute the steps h' = z h + (1 - z) hh, with (z, r) = sigmoid(...).

    With `reset_after`, hh = tanh(x W + b + r (h U + b')). Otherwise hh = tanh(x W + b + (r h) U),
    where U is `candidates`, (L, u, u).
    """
    (h,) = gates.states
    add, multiply, tanh, fill, now = np.add, np.multiply, np.tanh, gates.fill, None
    one, half = np.ones((), h.dtype), np.full((), 0.5, h.dtype)
    for number, step in enumerate(schedule):
        if step is not now:
            now = step
            slots, state = gates.cut(step), step.of(h)
            sigmoids, (update, reset, candidate) = slots[:2], slots[:3]
            given = state if outputs is None else state[-len(outputs) :]
            matrices = None if candidates is None else candidates[step.first : step.last]
        fill(number)
        tanh(sigmoids, sigmoids)
        add(sigmoids, one, sigmoids)
        multiply(sigmoids, half, sigmoids)
        if matrices is None:
            multiply(reset, slots[3], reset)
            add(candidate, reset, candidate)
        else:
            multiply(reset, state, reset)
            add(candidate, np.matmul(reset, matrices), candidate)
        tanh(candidate, candidate)
        np.subtract(state, candidate, state)
        multiply(state, update, state)
        add(state, candidate, state)
        if outputs is not None:
            outputs[:, number, : step.sequences] = given


STEPPERS = {"simple_rnn": run_simple_rnn, "lstm": run_lstm, "gru": run_gru}
