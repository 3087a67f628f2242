"""Checks what only data and a built model tell, before training: a fault is refused early."""

from collections.abc import Iterable, Iterator

from pipeline.data.dataset import Dataset
from pipeline.data.sharing import shared_data
from pipeline.functions.lookup import FunctionError, is_own
from pipeline.job.brought import initial_weights
from pipeline.settings import Settings, refuse
from pipeline.settings.cross_checks import kind_before_reading, kind_faults
from pipeline.settings.model_function import KERAS_FILE


def check_own_models(jobs: Iterable[Settings]) -> None:
    """Build each model of the user, and each model for data whose form only the data define.

    Other models need no such check, and TensorFlow is imported only for these.

    Raises:
        SettingsError: with one sentence per model that cannot be trained or verified.
    """
    distinct = {_likeness(settings): settings for settings in jobs}
    refuse(fault for settings in distinct.values() for fault in _faults(settings))


def _likeness(settings: Settings) -> str:
    """Return a key of jobs that differ only in numbers that no model is built from."""
    training = settings.training.model_copy(update={"seed": 0, "learning_rate": 1.0})
    return repr(settings.model_copy(update={"training": training}))


def _faults(settings: Settings) -> Iterator[str]:
    training = settings.training
    loads = training.initial_weights or settings.model_name == KERAS_FILE
    known = kind_before_reading(settings) is not None
    if known and not (is_own(settings.model_name) or training.functions or loads):
        return
    dataset = shared_data(**settings.data)
    shape = getattr(dataset.preprocessing, "input_shape", None)
    if not known and (found := list(kind_faults(settings, dataset.kind, shape))):
        yield from found
    else:
        yield from _build_faults(settings, dataset)


def _build_faults(settings: Settings, dataset: Dataset) -> Iterator[str]:
    """Build the model, load its initial weights and try the functions of the fit."""
    from pipeline.models.build import build_model, data_spec, suited
    from pipeline.models.model_function_error import ModelFunctionError
    from pipeline.training.brought_check import check_fit
    from pipeline.training.initial_weights import InitialWeightsError, load_initial_weights
    from pipeline.training.objective import Objective
    from scratch_forward import UnsupportedModelError

    training = settings.training
    name, options = settings.model_name, settings.model.model_dump()
    provable = training.parity == "required"
    try:
        suited_data = suited(settings, dataset)
        model = build_model(name, data_spec(suited_data), options, provable=provable)
        with initial_weights(settings) as file:
            if file is not None:
                load_initial_weights(model, file)
        if training.functions:
            objective = Objective(suited_data.task, training.loss, training.metrics)
            check_fit(model, objective, training.callbacks)
    except FunctionError as error:
        yield str(error)
    except InitialWeightsError as error:
        yield f"initial_weights={training.initial_weights} do not fit model={name}: {error}"
    except ModelFunctionError as error:
        yield str(error)
    except UnsupportedModelError as error:
        yield (
            f"model={name} cannot be checked: NumPy's forward pass does not support "
            f"{error.listed}; parity=optional trains it without the check."
        )
