"""Settings given as keyword arguments, as words of the command line."""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.api.cell_functions import UnwritableError, write_module
from pipeline.settings import refuse

_BARE = re.compile(r"[A-Za-z_./~][\w./:~-]*")  # text that Hydra's grammar reads as it is
_READ_AS_OTHER = {"true", "false", "null", "nan", "inf"}


def as_words(settings: Mapping[str, Any]) -> list[str]:
    """Return `setting=value` words: a list has several values to try, a tuple is one value.

    >>> as_words({"model": "lstm", "units": [32, 64], "filters": (16, 32), "mask": True})
    ['model=lstm', 'units=32,64', 'filters=[16,32]', 'mask=true']

    Raises:
        SettingsError: when a value is of a type that no setting has.
    """
    faults: list[str] = []
    words = []
    for key, value in settings.items():
        try:
            several = value if isinstance(value, list) else [value]
            words.append(f"{key}={','.join(_word(one) for one in several)}")
        except _UnnamedFunctionError as error:
            faults.append(f"{key}={error}")
        except TypeError:
            faults.append(
                f"{key}={value!r} must be a number, text, True, False, None, a tuple of these for "
                "a setting that is a list, or a list of the values to try."
            )
        if isinstance(value, list) and not value:
            faults.append(f"{key}=[] has no value to try; a setting that is an empty list is ().")
    refuse(faults)
    return words


class _UnnamedFunctionError(ValueError):
    """A function that no other process could import; the message begins with its name."""


def _function(function: Any) -> str:
    """Return `module:function`, by which worker processes import a function.

    A function of a notebook or of the program is written to a module.
    """
    name, module = function.__name__, function.__module__
    # Not compared by identity: a module that was edited is imported again.
    known = inspect.isfunction(getattr(sys.modules.get(module), name, None))
    why = "it is not at the top level of a module or cell"
    if known and function.__qualname__ == name:
        try:
            return f"{write_module(function) if module == '__main__' else module}:{name}"
        except UnwritableError as error:
            why = str(error)
    raise _UnnamedFunctionError(
        f"{name} cannot be imported by worker processes: {why}; write it to a file beside the "
        f"program or notebook (`%%writefile my_models.py` in a cell) and give my_models.{name}, or "
        f"its name 'my_models:{name}'."
    )


def _word(value: Any) -> str:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # NumPy's scalars
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if inspect.isfunction(value):
        return _function(value)
    if isinstance(value, tuple):
        return f"[{_joined(value)}]"
    raise TypeError


def _joined(values: Iterable[Any]) -> str:
    return ",".join(_word(one) for one in values)


def _text(text: str) -> str:
    """Quote text that Hydra's grammar would split, or read as a number."""
    if _BARE.fullmatch(text) and text.lower() not in _READ_AS_OTHER:
        return text
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", text)
    if trailing := re.search(r"\\+$", escaped):
        escaped += trailing[0]
    return f"'{escaped}'"
