"""Which of two jobs will take longer."""

import math
from collections.abc import Mapping

from pipeline.data.catalogue import SPECS
from pipeline.settings import Settings


def relative_cost(settings: Settings) -> float:
    """A number for how long a training takes, to be compared with that of another job.

    More examples, more epochs and larger models take longer. A model's size is not known before it
    is built, so any count among its settings counts: jobs of a sweep mostly differ in one of them.
    """
    examples = settings.training.train_size or SPECS[settings.dataset.name].train_size or 1
    return _size(settings.model.model_dump()) * examples * settings.training.epochs


def _size(model: Mapping[str, object]) -> float:
    """The product of all counts, a list of counts as its sum; a switch that is on counts twice."""
    return math.prod(max(1.0, _count(value)) for value in model.values())


def _count(value: object) -> float:
    if isinstance(value, bool):
        return 1.0 + value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, list | tuple):
        return math.fsum(map(_count, value))
    return 1.0
