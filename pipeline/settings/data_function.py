"""A data set of the user is a function: its keyword arguments are settings under `dataset.`.

`dataset=my_data:load` names a function in a module in the working directory or on Python's path.
`pipeline.data.user.function_data` calls it.
"""

import inspect
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.functions.lookup import FunctionError, own_function
from pipeline.settings import schema
from pipeline.settings.function_settings import Rules, SettingsFunction, settings_type
from pipeline.settings.settings_error import SettingsError

_TAKEN = {*schema.FunctionData.model_fields, *("padding", "data_dir", "train_size", "task")}
_RULES = Rules("dataset", schema.FunctionData, _TAKEN, "every data set")


@dataclass(frozen=True)
class DataFunction(SettingsFunction):
    """A function that takes settings only, and returns the examples of a data set."""

    settings: type[schema.FunctionData]


@cache
def data_function(name: str) -> DataFunction:
    """Return the function that `dataset=module:function` names.

    Raises:
        SettingsError: when it does not exist or is not usable; with one sentence per fault.
    """
    try:
        function, module = own_function("dataset", name)
    except FunctionError as error:
        raise SettingsError([str(error)]) from error
    arguments = list(inspect.signature(function).parameters.values())
    settings = settings_type(name, function, module, arguments, _RULES)
    file = Path(os.fspath(module.__file__ or ""))
    return DataFunction(name, function, module.__name__, file, settings)
