"""Builds the user's own models before anything trains, so that a bad function is refused here."""

from collections.abc import Iterable

from pipeline.data.sharing import shared_data
from pipeline.settings import Settings, SettingsError
from pipeline.settings.model_function import model_function


def check_own_models(jobs: Iterable[Settings]) -> None:
    """Build each model that a function of the user's gives for these jobs.

    Those of this package need no such check, and are not slowed down by it: TensorFlow is imported
    for models of the user's alone.

    Raises:
        SettingsError: with one sentence for every model that cannot be trained or checked.
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
