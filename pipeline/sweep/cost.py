"""Which of two jobs will take longer."""

from itertools import pairwise

from pipeline.data.catalogue import SPECS
from pipeline.settings import Settings
from pipeline.settings.schema import Convolutional, Recurrent

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def relative_cost(settings: Settings) -> float:
    """Multiplications of a whole training, to be compared with those of another job.

    Of the recurrent or convolutional layers alone, for a text of one word or an image of one pixel:
    the jobs of a sweep mostly share the sizes of their inputs. Jobs of a model that is not known
    here differ by their examples and epochs.
    """
    examples = settings.training.train_size or SPECS[settings.dataset.name].train_size or 1
    return _of_an_example(settings) * examples * settings.training.epochs


def _of_an_example(settings: Settings) -> float:
    match settings.model:
        case Recurrent() as model:
            return _GATES.get(settings.model_name, 1) * _recurrent(model)
        case Convolutional() as model:
            return _convolutional(model)
        case _:
            return 1


def _recurrent(model: Recurrent) -> int:
    directions = 2 if model.bidirectional else 1
    inputs = [model.embedding_dim] + [directions * model.units] * (model.layers - 1)
    return directions * sum(model.units * (width + model.units) for width in inputs)


def _convolutional(model: Convolutional) -> float:
    layers = enumerate(pairwise([3, *model.filters]))
    return model.kernel_size**2 * sum(a * b / 4**pooled for pooled, (a, b) in layers)
