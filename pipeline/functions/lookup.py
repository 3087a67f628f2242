"""Finds a function by its name, `my_module:my_function`."""

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

_OWN = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<function>[A-Za-z_]\w*)")
_KERAS = re.compile(r"^\s*(?:import|from)\s+(?:keras|tensorflow)\b", re.MULTILINE)


class FunctionError(ValueError):
    """A function of the user cannot be found or used; the message says why in one sentence."""


def is_own(name: object) -> bool:
    """Return whether a value has the form of a user's function, `module:function`."""
    return isinstance(name, str) and _OWN.fullmatch(name) is not None


def own_function(key: str, name: str) -> tuple[Callable[..., Any], ModuleType]:
    """Return a function and the module that the name gives.

    The module is in the working directory or on Python's path.

    Args:
        key: the setting that names the function, for errors.
        name: `module:function`.

    Raises:
        FunctionError: when there is no such function, or its module cannot be imported.
    """
    module, _, function = name.partition(":")
    return function_in(key, name, module, function)


def function_in(
    key: str, name: str, module_name: str, function_name: str
) -> tuple[Callable[..., Any], ModuleType]:
    """Return a function of a module, and the module; see `own_function`."""
    module = _imported(f"{key}={name}", module_name)
    function = getattr(module, function_name, None)
    if not inspect.isfunction(function):
        known = [each for each, value in vars(module).items() if inspect.isfunction(value)]
        close = get_close_matches(function_name, known, n=1)
        meant = f" (did you mean `{close[0]}`?)" if close else ""
        raise FunctionError(f"{key}={name}: {module_name} has no such function{meant}.")
    return function, module


def _imported(setting: str, module: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        _quiet_keras(module)
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
        reason = f"{type(error).__name__}: {error}"
        raise FunctionError(f"{setting}: {module} cannot be imported: {reason}.") from error


def _quiet_keras(module: str) -> None:
    """Make an import of Keras by a module use the quiet TensorFlow start of this project."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin or module.startswith("pipeline."):
        return
    with suppress(OSError, UnicodeDecodeError):
        if _KERAS.search(Path(spec.origin).read_text(encoding="utf-8")):
            importlib.import_module("pipeline.models.keras_backend")
