"""The files that decide what a function computes: its module and its local imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pipeline.settings.function_settings import SettingsFunction

_PACKAGE = "pipeline.models"  # the only imports of built-in models that decide their graph


def sources(function: SettingsFunction) -> dict[str, Path]:
    """Return the files of a function by their path below the folder that they are imported from."""
    return sources_of(function.module, function.file)


def sources_of(own: str, own_file: Path) -> dict[str, Path]:
    """Return the files of a module, and of the local modules that it imports.

    A module is local if it is in the same folder or package; installed libraries are identified by
    their versions.

    Args:
        own: name of the module.
        own_file: its file.
    """
    root = own_file.parents[own.count(".")]
    if own_file.name == "__init__.py":
        root = root.parent
    found: dict[str, Path] = {}
    waiting = [own]
    while waiting:
        module = waiting.pop()
        file = _file(root, module)
        place = file.relative_to(root).as_posix() if file else ""
        if file is None or place in found or not _local(own, module):
            continue
        found[place] = file
        waiting += _imports(file, module)
    return dict(sorted(found.items()))


def _local(of: str, module: str) -> bool:
    """Return whether a module belongs to the function: in a package, only that package counts."""
    if of.startswith(_PACKAGE):
        return module.startswith(_PACKAGE)
    package, dot, _ = of.partition(".")
    return not dot or module.split(".")[0] == package


def _file(root: Path, module: str) -> Path | None:
    path = root.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _imports(file: Path, module: str) -> Iterator[str]:
    """Yield every module that a file may import, with relative names made absolute."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(filter(None, [*(above if node.level else []), node.module]))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
