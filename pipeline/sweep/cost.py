"""Estimates which of two jobs takes longer."""

import math
from collections.abc import Mapping

from pipeline.data.catalogue import SPECS
from pipeline.settings import Settings


def relative_cost(settings: Settings) -> float:
    """Return a relative duration of a job's training, for comparison with other jobs.

    It grows with the number of examples, the number of epochs and the size of the model. The size
    is unknown before the model is built, so every count among its settings is a factor: the jobs of
    a sweep mostly differ in one of them.
    """
    examples = settings.training.train_size or SPECS[settings.dataset.name].train_size or 1
    return _size(settings.model.model_dump()) * examples * settings.training.epochs


def _size(model: Mapping[str, object]) -> float:
    """Return the product of all counts; a list counts as its sum, an enabled switch as 2."""
    return math.prod(max(1.0, _count(value)) for value in model.values())


def _count(value: object) -> float:
    if isinstance(value, bool):
        return 1.0 + value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, list | tuple):
        return math.fsum(map(_count, value))
    return 1.0
