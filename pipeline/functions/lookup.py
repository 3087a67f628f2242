"""Finds a function by its name, `my_module:my_function`."""

import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from pipeline.errors import did_you_mean, summary

_OWN = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<function>[A-Za-z_]\w*)")
_IN_GRAPH = ("loss", "metrics")
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_KERAS = re.compile(r"^\s*(?:import|from)\s+(?:keras|tensorflow)\b", re.MULTILINE)


class FunctionError(ValueError):
    """A function of the user cannot be found or used; the message says why in one sentence."""


class EndedProgramError(RuntimeError):
    """A function of the user called `sys.exit`."""


def is_own(name: object) -> bool:
    """Return whether a value has the form of a user's function, `module:function`."""
    return isinstance(name, str) and _OWN.fullmatch(name) is not None


def own_function(key: str, name: str) -> tuple[Callable[..., Any], ModuleType]:
    """Return a function and the module that the name gives.

    The module is in the working directory or on Python's path. A function that makes a model, data
    or a callback is returned as one that leaves the program as it is, see `_contained`. Losses and
    metrics become part of TensorFlow's graph and are returned as they are.

    Args:
        key: the setting that names the function, for errors.

    Raises:
        FunctionError: when there is no such function, or its module cannot be imported.
    """
    module_name, _, function_name = name.partition(":")
    function, module = function_in(key, name, module_name, function_name)
    return function if key in _IN_GRAPH else _contained(function), module


def _contained(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Return the function as one that keeps the working directory, and cannot end the program.

    Runs would be stored in another folder, or a sweep end in silence.
    """

    @wraps(function)
    def contained(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        with _containment():
            return function(*args, **kwargs)

    return contained


@contextmanager
def _containment() -> Iterator[None]:
    folder = Path.cwd()
    try:
        yield
    except SystemExit as end:
        raise EndedProgramError(f"SystemExit: {end.code}") from end
    finally:
        os.chdir(folder)


def function_in(
    key: str, name: str, module_name: str, function_name: str
) -> tuple[Callable[..., Any], ModuleType]:
    """Return a function of a module, and the module; see `own_function`."""
    module = _imported(f"{key}={name}", module_name)
    function = getattr(module, function_name, None)
    if not inspect.isfunction(function):
        known = [each for each, value in vars(module).items() if inspect.isfunction(value)]
        meant = did_you_mean(function_name, known)
        raise FunctionError(f"{key}={name}: {module_name} has no such function{meant}.")
    return function, module


def _imported(setting: str, module: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        _quiet_keras(module)
        with _containment():
            return importlib.import_module(module)
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        raise FunctionError(f"{setting}: {place}: {error.msg}.") from error
    except ModuleNotFoundError as error:
        if error.name == module.split(".")[0]:
            raise FunctionError(
                f"{setting}: there is no module {module} in {folder} or on Python's path."
            ) from error
        raise FunctionError(f"{setting}: {module} cannot be imported: {error}.") from error
    except Exception as error:
        raise FunctionError(f"{setting}: {module} cannot be imported: {summary(error)}.") from error


def _quiet_keras(module: str) -> None:
    """Make an import of Keras by a module use the quiet TensorFlow start of this project."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin or module.startswith("pipeline."):
        return
    with suppress(OSError, UnicodeDecodeError):
        if _KERAS.search(Path(spec.origin).read_text(encoding="utf-8")):
            importlib.import_module("pipeline.models.keras_backend")
