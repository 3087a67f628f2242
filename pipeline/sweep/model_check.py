"""Builds the user's own models before training, so that a faulty function is refused early."""

from collections.abc import Iterable

from pipeline.data.sharing import shared_data
from pipeline.settings import Settings, SettingsError
from pipeline.settings.model_function import model_function


def check_own_models(jobs: Iterable[Settings]) -> None:
    """Build each user model for these jobs.

    Built-in models need no such check, and TensorFlow is imported only for models of the user.

    Raises:
        SettingsError: with one sentence per model that cannot be trained or verified.
    """
    own = [settings for settings in jobs if model_function(settings.model_name).own]
    if not own:
        return
    from pipeline.models.build import ModelFunctionError, build_model, data_spec
    from scratch_forward import UnsupportedModelError

    faults: dict[str, None] = {}
    for settings in own:
        name, options = settings.model_name, settings.model.model_dump()
        try:
            build_model(name, data_spec(shared_data(**settings.data)), options)
        except ModelFunctionError as error:
            faults[str(error)] = None
        except UnsupportedModelError as error:
            faults[f"model={name} cannot be checked: {error}"] = None
    if faults:
        raise SettingsError(list(faults))
