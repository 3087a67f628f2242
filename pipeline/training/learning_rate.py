"""The learning rate of each epoch. It depends on earlier epochs alone, so any epoch can resume."""

import math
from collections.abc import Callable, Sequence
from functools import partial

from pipeline.settings import schema

Rate = Callable[[int, Sequence[float]], float]
"""Takes an epoch, counted from 0, and the validation loss of each epoch before it."""


def scheduled_rate(schedule: schema.RateSchedule, base: float, epochs: int) -> Rate | None:
    """Return the learning rate as a function of the epoch; None if it never changes.

    Args:
        schedule: the settings of the schedule.
        base: the learning rate after the warm-up.
        epochs: number of epochs of the fit.
    """
    if isinstance(schedule, schema.ConstantSchedule) and not schedule.warmup_epochs:
        return None
    return partial(_rate, schedule, base, epochs)


def _rate(
    schedule: schema.RateSchedule, base: float, epochs: int, epoch: int, losses: Sequence[float]
) -> float:
    warmup = schedule.warmup_epochs
    if epoch < warmup:
        return base * (epoch + 1) / (warmup + 1)
    match schedule:
        case schema.CosineSchedule():
            fallen = (1 + math.cos(math.pi * (epoch - warmup) / (epochs - warmup))) / 2
            return base * (schedule.final + (1 - schedule.final) * fallen)
        case schema.ExponentialSchedule():
            return base * float(schedule.decay ** (epoch - warmup))
        case schema.PlateauSchedule():
            reduced = base * schedule.factor ** _plateaus(losses[warmup:], schedule)
            return float(max(reduced, schedule.minimum))
    return base


def _plateaus(losses: Sequence[float], schedule: schema.PlateauSchedule) -> int:
    """Return how often the loss has stopped improving for as long as the patience."""
    best, wait, plateaus = math.inf, 0, 0
    for loss in losses:
        wait += 1
        if loss < best - schedule.min_delta:
            best, wait = loss, 0
        elif wait == schedule.patience:
            wait, plateaus = 0, plateaus + 1
    return plateaus
