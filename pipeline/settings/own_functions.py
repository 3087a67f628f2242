"""The groups whose choices may be functions of the user."""

from collections.abc import Callable

from pipeline.settings.data_function import data_function
from pipeline.settings.function_settings import SettingsFunction
from pipeline.settings.model_function import model_function

OWN_FUNCTIONS: dict[str, Callable[[str], SettingsFunction]] = {
    "model": model_function,
    "dataset": data_function,
}
"""How the function of a name is looked up, by group; raises SettingsError."""
