"""Functions of a notebook's cells, written to modules that worker processes can import."""

import ast
import inspect
import symtable
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any

_WRITTEN = "# Written by `pipeline` from a notebook or a program: edit it there."


class UnwritableError(ValueError):
    """A function cannot be written to a module; the message says why."""


def write_module(function: Callable[..., Any]) -> str:
    """Write a function of `__main__`, with what it uses, to a module in the working directory.

    It can use what is imported, numbers and texts, and functions and classes of other cells.

    Returns:
        The name of the module.

    Raises:
        UnwritableError: when it uses something else, or its source is unknown.
    """
    module = f"{function.__name__}_cell"
    parts = _Parts()
    parts.add(function.__name__, function)
    imports = "\n".join(dict.fromkeys(parts.imports))
    text = "\n\n\n".join(filter(None, [_WRITTEN, imports, *parts.definitions])) + "\n"
    file = Path(f"{module}.py")
    known = file.read_text(encoding="utf-8") if file.exists() else None
    if known is not None and not known.startswith(_WRITTEN):
        raise UnwritableError(f"{file} exists and was written by hand")
    if text != known:
        file.write_text(text, encoding="utf-8")
    return module


class _Parts:
    """The imports and the definitions of a module; each definition follows those that it uses."""

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.definitions: list[str] = []
        self._added: set[str] = set()

    def add(self, name: str, value: Any) -> None:
        """Add what a name stands for."""
        if name in self._added:
            return
        self._added.add(name)
        if isinstance(value, ModuleType):
            self.imports.append(f"import {value.__name__} as {name}")
        elif isinstance(value, FunctionType | type) and value.__module__ == "__main__":
            self._define(name, value)
        elif _is_importable(value):
            self.imports.append(f"from {value.__module__} import {value.__qualname__} as {name}")
        elif _is_constant(value):
            self.definitions.append(f"{name} = {value!r}")
        else:
            raise UnwritableError(f"it uses `{name}`, a {type(value).__name__} of this session")

    def _define(self, name: str, value: FunctionType | type) -> None:
        if name != value.__name__:
            self.add(value.__name__, value)
            self.definitions.append(f"{name} = {value.__name__}")
            return
        try:
            source = dedent(inspect.getsource(value))
        except (OSError, TypeError) as error:
            raise UnwritableError(f"the source of `{name}` is unknown") from error
        here = vars(sys.modules["__main__"])
        for used in _names_from_outside(source):
            if used in here:
                self.add(used, here[used])
        self.definitions.append(source.rstrip())


def _is_importable(value: Any) -> bool:
    """Return whether this object is found under its own name in its own module."""
    name, module = (str(getattr(value, key, "")) for key in ("__qualname__", "__module__"))
    return getattr(sys.modules.get(module), name, None) is value


def _is_constant(value: Any) -> bool:
    """Return whether the `repr` of a value is Python source of an equal one."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def _names_from_outside(source: str) -> Iterator[str]:
    """Yield the names that a definition uses and does not define."""
    waiting = [symtable.symtable(source, "cell", "exec")]
    while waiting:
        table = waiting.pop()
        outermost = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (outermost or symbol.is_global()):
                yield symbol.get_name()
        waiting += table.get_children()
