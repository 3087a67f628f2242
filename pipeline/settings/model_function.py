"""A model is a function: its keyword arguments are the settings, its docstring is the help.

`model=lstm` names a function in `pipeline/models/`. `model=my_models:textcnn` names a user's
function, in a module in the working directory or on Python's path.
"""

import ast
import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin

import pydantic
from pydantic import BeforeValidator, ValidationError

from pipeline.data.data_spec import (
    ArraySpec,
    ImageSpec,
    InputsSpec,
    Kind,
    TableSpec,
    TextSpec,
)
from pipeline.settings import schema
from pipeline.settings.allowed import allowed
from pipeline.settings.as_typed import as_typed
from pipeline.settings.settings_error import SettingsError
from pipeline.settings.suggest import choices, did_you_mean

_MODELS = Path(__file__).resolve().parents[1] / "models"
_OWN = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<function>[A-Za-z_]\w*)")
_KERAS = re.compile(r"^\s*(?:import|from)\s+(?:keras|tensorflow)\b", re.MULTILINE)
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


@dataclass(frozen=True)
class ModelFunction:
    """A function that builds a model.

    Attributes:
        name: the name in `model=`.
        function: takes a `DataSpec` and the settings.
        module: the module that defines it.
        file: the file of that module.
        reads: the kinds of data that it accepts; empty for any.
        settings: types, ranges and defaults of its keyword arguments.
    """

    name: str
    function: Callable[..., Any]
    module: str
    file: Path
    reads: frozenset[Kind]
    settings: type[schema.Model]

    @property
    def own(self) -> bool:
        """Whether it is a user's function."""
        return ":" in self.name

    def accepts(self, kind: str) -> bool:
        """Return whether it accepts data of a kind."""
        return not self.reads or kind in self.reads

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each keyword argument; None for one without."""
        fields = self.settings.model_fields
        return {
            key: None if field.is_required() else _plain(field.default)
            for key, field in fields.items()
        }

    def as_yaml(self) -> str:
        """Return the settings as a commented configuration file."""
        told = _explained(inspect.getdoc(self.function) or "")
        properties = self.settings.model_json_schema().get("properties", {})
        lines = [
            f"{key}: {as_typed(value)} # {told.get(key) or allowed(properties[key])}"
            for key, value in self.defaults.items()
        ]
        return "\n".join(lines) + "\n"


def is_own(name: object) -> bool:
    """Return whether a value of `model=` has the form of a user's function, `module:function`."""
    return isinstance(name, str) and _OWN.fullmatch(name) is not None


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
    if name in built_in_models():
        module_name, function_name = built_in_models()[name], name
    elif matched := _OWN.fullmatch(name):
        module_name, function_name = matched["module"], matched["function"]
    else:
        raise SettingsError(
            [
                f"model={name} must be {choices(built_in_models())}"
                f"{did_you_mean(name, built_in_models())}, or a function of your own, "
                "model=my_module:my_function."
            ]
        )
    module = _imported(name, module_name)
    function = getattr(module, function_name, None)
    if not inspect.isfunction(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        meant = did_you_mean(function_name, known)
        raise SettingsError([f"model={name}: {module_name} has no such function{meant}."])
    return _read(name, function, module)


def _imported(name: str, module: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        _quiet_keras(module)
        return importlib.import_module(module)
    except SyntaxError as error:
        raise SettingsError(
            [f"model={name}: {error.filename}, line {error.lineno}: {error.msg}."]
        ) from error
    except ModuleNotFoundError as error:
        if error.name == module.split(".")[0]:
            raise SettingsError(
                [f"model={name}: there is no module {module} in {folder} or on Python's path."]
            ) from error
        raise SettingsError([f"model={name}: {module} cannot be imported: {error}."]) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise SettingsError([f"model={name}: {module} cannot be imported: {reason}."]) from error


def _quiet_keras(module: str) -> None:
    """Make an import of Keras by a module use the quiet TensorFlow start of this project."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin or module.startswith("pipeline."):
        return
    with suppress(OSError, UnicodeDecodeError):
        if _KERAS.search(Path(spec.origin).read_text(encoding="utf-8")):
            importlib.import_module("pipeline.models.keras_backend")


def _read(name: str, function: Callable[..., Any], module: ModuleType) -> ModelFunction:
    arguments = list(inspect.signature(function).parameters.values())
    if not arguments or arguments[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise SettingsError(
            [f"model={name} takes no argument `data`; write `def {function.__name__}(data, ...)`."]
        )
    first, *rest = arguments
    faults = [fault for one in rest for fault in _argument_faults(name, one)]
    if faults:
        raise SettingsError(faults)
    try:
        spec = _evaluated(first.annotation, module)
        fields: dict[str, Any] = {one.name: _field(one, module) for one in rest}
        settings = pydantic.create_model(function.__name__, __base__=schema.Model, **fields)
        properties = settings.model_json_schema().get("properties", {})
        for described in properties.values():
            allowed(described)
    except (NameError, AttributeError, TypeError, KeyError, pydantic.PydanticUserError) as error:
        raise SettingsError(
            [
                f"model={name}: an annotation cannot be used ({error}); a setting is a bool, int, "
                "float, str, Literal, tuple or list of them, or None."
            ]
        ) from error
    file = Path(os.fspath(module.__file__ or ""))
    found = ModelFunction(name, function, module.__name__, file, _kinds(spec), settings)
    _check_defaults(found)
    return found


def _argument_faults(name: str, argument: inspect.Parameter) -> Iterator[str]:
    if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
        yield f"model={name}: `{argument}` hides which settings there are; name each argument."
    elif argument.kind is argument.POSITIONAL_ONLY:
        yield f"model={name}: `{argument.name}` must be an argument that can be given by name."
    elif argument.annotation is argument.empty:
        yield f"model={name}: `{argument.name}` has no type; write `{argument.name}: int`, say."
    if argument.name in _TAKEN:
        yield f"model={name}: `{argument.name}` is a setting of every run already; rename it."


def _evaluated(annotation: Any, module: ModuleType) -> Any:
    """Return an annotation's value, even if the module postpones its evaluation."""
    return eval(annotation, vars(module)) if isinstance(annotation, str) else annotation


def _kinds(annotation: Any) -> frozenset[Kind]:
    """Return the kinds of data that an annotation such as `ImageSpec | TableSpec` accepts."""
    specs = get_args(annotation) or (annotation,)
    return frozenset(_READS[spec] for spec in specs if spec in _READS)


def _field(argument: inspect.Parameter, module: ModuleType) -> tuple[Any, Any]:
    """Return an argument as a pydantic field; a tuple becomes a list, as in YAML."""
    annotation = _evaluated(argument.annotation, module)
    if get_origin(annotation) is tuple:
        annotation = Annotated[annotation, BeforeValidator(_tuple)]
    return annotation, ... if argument.default is argument.empty else argument.default


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _check_defaults(found: ModelFunction) -> None:
    given = {key: value for key, value in found.defaults.items() if value is not None}
    try:
        found.settings(**given)
    except ValidationError as error:
        faults = [
            f"model={found.name}: the default of `{detail['loc'][0]}` does not fit its type: "
            f"{detail['msg']}."
            for detail in error.errors()
            if detail["type"] != "missing"
        ]
        if faults:
            raise SettingsError(faults) from error


def _explained(docstring: str) -> dict[str, str]:
    """Return the description of each argument in a docstring's section `Args:`."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", docstring, re.MULTILINE)
    if not section:
        return {}
    entries = re.findall(r"(?m)^ {4}(\w+)(?: \([^)]*\))?: (.+(?:\n {5,}.+)*)", section[1])
    return {key: " ".join(words.split()).rstrip(".") for key, words in entries}
