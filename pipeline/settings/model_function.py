"""A model is a function: its keyword arguments are the settings, its docstring is the help.

`model=lstm` names a function in `pipeline/models/`. `model=my_models:textcnn` names a user's
function, in a module in the working directory or on Python's path.
"""

import ast
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from pipeline.data.data_spec import ArraySpec, ImageSpec, InputsSpec, Kind, TableSpec, TextSpec
from pipeline.errors import choices, did_you_mean
from pipeline.functions.lookup import FunctionError, function_in, is_own, own_function
from pipeline.settings import schema
from pipeline.settings.function_settings import (
    UNUSABLE,
    Rules,
    SettingsFunction,
    evaluated,
    settings_type,
    unusable_annotation,
)
from pipeline.settings.settings_error import SettingsError

KERAS_FILE = "keras_file"  # the model that reads a file
_MODELS = Path(__file__).resolve().parents[1] / "models"
_READS: dict[type, Kind] = {
    TextSpec: "text",
    ImageSpec: "image",
    TableSpec: "table",
    ArraySpec: "array",
    InputsSpec: "inputs",
}
_TAKEN = {
    *("model", "dataset", "optimizer", "schedule", "tracking", "study", "sweep", "hydra"),
    *schema.Training.model_fields,
    *schema.Place.model_fields,
    *schema.Running.model_fields,
    *schema.Texts.model_fields,
}
_RULES = Rules("model", schema.Model, _TAKEN, "every run")


@dataclass(frozen=True)
class ModelFunction(SettingsFunction):
    """A function that takes a `DataSpec` and the settings, and builds a model."""

    settings: type[schema.Model]
    reads: frozenset[Kind]  # the kinds of data that it accepts; empty for any

    def accepts(self, kind: str) -> bool:
        """Return whether it accepts data of a kind."""
        return not self.reads or kind in self.reads


@cache
def built_in_models() -> Mapping[str, str]:
    """Return the module of each model function in `pipeline/models/`, by function name.

    The files are parsed, not imported: a model function's first argument is called `data`.
    """
    return {
        node.name: f"pipeline.models.{path.stem}"
        for path in sorted(_MODELS.glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.args.args
        and node.args.args[0].arg == "data"
    }


@cache
def model_function(name: str) -> ModelFunction:
    """Return the model function that `model=` names.

    Raises:
        SettingsError: when it does not exist or is not usable; with one sentence per fault.
    """
    if name not in built_in_models() and not is_own(name):
        meant = did_you_mean(name, built_in_models())
        raise SettingsError(
            [
                f"model={name} must be {choices(built_in_models())}{meant}, or a function of your "
                "own, model=my_module:my_function."
            ]
        )
    try:
        if name in built_in_models():
            return _read(name, *function_in("model", name, built_in_models()[name], name))
        return _read(name, *own_function("model", name))
    except FunctionError as error:
        raise SettingsError([str(error)]) from error


def _read(name: str, function: Callable[..., Any], module: ModuleType) -> ModelFunction:
    arguments = list(inspect.signature(function).parameters.values())
    if not arguments or arguments[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise SettingsError(
            [f"model={name} takes no argument `data`; write `def {function.__name__}(data, ...)`."]
        )
    first, *rest = arguments
    settings = settings_type(name, function, module, rest, _RULES)
    try:
        reads = _kinds(evaluated(first.annotation, module))
    except UNUSABLE as error:
        raise unusable_annotation(f"model={name}", error) from error
    file = Path(os.fspath(module.__file__ or ""))
    return ModelFunction(name, function, module.__name__, file, settings, reads)


def _kinds(annotation: Any) -> frozenset[Kind]:
    """Return the kinds of data that an annotation such as `ImageSpec | TableSpec` accepts."""
    specs = get_args(annotation) or (annotation,)
    return frozenset(_READS[spec] for spec in specs if spec in _READS)
