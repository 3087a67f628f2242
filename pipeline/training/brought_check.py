"""Tries what a user brings to a fit on one blank example, so that a fault is refused early."""

from collections.abc import Sequence

from pipeline.functions.lookup import FunctionError
from pipeline.models.keras_backend import keras
from pipeline.training.compilation import compile_model
from pipeline.training.objective import Objective
from pipeline.training.own_callbacks import own_callbacks


def check_fit(model: keras.Model, objective: Objective, callbacks: Sequence[str]) -> None:
    """Compile a model with the loss and each of the metrics, and make the callbacks.

    Raises:
        FunctionError: when one of them cannot be used; the message names it.
    """
    own_callbacks(callbacks)
    _try(model, f"loss={objective.loss}", Objective(objective.task, objective.loss))
    for name in objective.metrics:
        _try(model, f"metrics: {name}", Objective(objective.task, None, (name,)))


def _try(model: keras.Model, setting: str, objective: Objective) -> None:
    try:
        compile_model(model, keras.optimizers.SGD(), objective=objective)
    except FunctionError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise FunctionError(
            f"{setting} cannot be computed from the labels and outputs of this task ({reason})."
        ) from error
