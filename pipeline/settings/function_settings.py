"""The settings of a function: its keyword arguments, with their types, ranges and defaults."""

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic
from pydantic import Field, ValidationError

from pipeline.settings.allowed import allowed
from pipeline.settings.as_typed import as_typed
from pipeline.settings.schema import Group
from pipeline.settings.settings_error import SettingsError, refuse


@dataclass(frozen=True)
class SettingsFunction:
    """A function whose keyword arguments are settings.

    Attributes:
        name: the name on the command line.
        function: the function.
        module: the module that defines it.
        file: the file of that module.
        settings: types, ranges and defaults of its keyword arguments, in addition to the settings
            that all functions of its group have.
    """

    name: str
    function: Callable[..., Any]
    module: str
    file: Path
    settings: type[Group]

    @property
    def own(self) -> bool:
        """Whether it is a user's function."""
        return ":" in self.name

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each keyword argument; None for one without."""
        return {
            key: None if field.is_required() else _plain(field.default)
            for key, field in self.settings.model_fields.items()
            if key in inspect.signature(self.function).parameters
        }

    def as_yaml(self) -> str:
        """Return the keyword arguments as a commented configuration file."""
        told = _explained(inspect.getdoc(self.function) or "")
        properties = self.settings.model_json_schema().get("properties", {})
        lines = [
            f"{key}: {as_typed(value)} # {told.get(key) or allowed(properties[key])}"
            for key, value in self.defaults.items()
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Rules:
    """What the settings of a group's functions have in common."""

    group: str  # `model` or `dataset`
    base: type[Group]  # the settings that the functions of this group share
    taken: Collection[str]  # names that are settings already
    owner: str  # what these settings belong to, `every run`


def settings_type(
    name: str,
    function: Callable[..., Any],
    module: ModuleType,
    arguments: Sequence[inspect.Parameter],
    rules: Rules,
) -> type[Any]:
    """Return the settings that the arguments of a function define.

    Raises:
        SettingsError: when an argument cannot be a setting; with one sentence per fault.
    """
    given = f"{rules.group}={name}"
    refuse(fault for one in arguments for fault in _argument_faults(given, one, rules))
    try:
        fields: dict[str, Any] = {one.name: _field(one, module) for one in arguments}
        settings = pydantic.create_model(function.__name__, __base__=rules.base, **fields)
        for described in settings.model_json_schema().get("properties", {}).values():
            allowed(described)
    except UNUSABLE as error:
        raise unusable_annotation(given, error) from error
    _check_defaults(given, settings, fields)
    return settings


UNUSABLE = (NameError, AttributeError, TypeError, KeyError, pydantic.PydanticUserError)
"""Raised where an annotation cannot be evaluated, or is no type of a setting."""


def unusable_annotation(given: str, error: Exception) -> SettingsError:
    """Return the error for an annotation that cannot be used."""
    return SettingsError(
        [
            f"{given}: an annotation cannot be used ({error}); a setting is a bool, int, float, "
            "str, Literal, tuple or list of them, or None."
        ]
    )


def evaluated(annotation: Any, module: ModuleType) -> Any:
    """Return an annotation's value, even if the module postpones its evaluation."""
    return eval(annotation, vars(module)) if isinstance(annotation, str) else annotation


def _argument_faults(given: str, argument: inspect.Parameter, rules: Rules) -> Iterator[str]:
    if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
        yield f"{given}: `{argument}` hides which settings there are; name each argument."
    elif argument.kind is argument.POSITIONAL_ONLY:
        yield f"{given}: `{argument.name}` must be an argument that can be given by name."
    elif argument.annotation is argument.empty:
        yield f"{given}: `{argument.name}` has no type; write `{argument.name}: int`, say."
    if argument.name in rules.taken:
        yield f"{given}: `{argument.name}` is a setting of {rules.owner} already; rename it."


def _field(argument: inspect.Parameter, module: ModuleType) -> tuple[Any, Any]:
    """Return an argument as a pydantic field."""
    annotation = _accepting_lists(evaluated(argument.annotation, module))
    return annotation, ... if argument.default is argument.empty else argument.default


def _accepting_lists(annotation: Any) -> Any:
    """Return the annotation with tuples that may be given as lists: YAML has no tuples."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return Annotated[annotation, Field(strict=False)]
    if origin is Annotated:
        return Annotated[(_accepting_lists(parts[0]), *parts[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(map(_accepting_lists, parts))]  # noqa: UP007
    return annotation


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _check_defaults(given: str, settings: type[Group], fields: dict[str, Any]) -> None:
    defaults = {
        key: _plain(default)
        for key, (_, default) in fields.items()
        if default is not ... and default is not None
    }
    try:
        settings(**defaults)
    except ValidationError as error:
        faults = [
            f"{given}: the default of `{detail['loc'][0]}` does not fit its type: {detail['msg']}."
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
