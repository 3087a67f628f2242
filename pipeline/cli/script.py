"""The console script `parity-pipeline`: runs every command of the package by its name."""

import ast
import importlib
import sys
from pathlib import Path

from pipeline.cli.command import refuse
from pipeline.errors import choices, did_you_mean

_PACKAGE = Path(__file__).resolve().parents[1]
_NO_COMMANDS = {"__init__", "errors"}
_OURS = ("pipeline", "scratch_forward")


def main() -> None:
    """Run the command that the first argument names."""
    commands = {path.stem: path for path in _PACKAGE.glob("*.py") if path.stem not in _NO_COMMANDS}
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(_overview(commands))
        return
    if name not in commands:
        refuse([f"`{name}` must be {choices(commands)}{did_you_mean(name, commands)}."])
    if shadows := _shadows(Path.cwd()):
        refuse(shadows)
    sys.argv[1:] = rest
    importlib.import_module(f"pipeline.{name}").main()


def _overview(commands: dict[str, Path]) -> str:
    lines = ["parity-pipeline COMMAND [setting=value ...]", ""]
    for name, path in sorted(commands.items()):
        told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        lines.append(f"  {name:<10}{told.splitlines()[0].partition(': ')[2]}")
    return "\n".join([*lines, "", "parity-pipeline COMMAND --help describes a command."])


def _shadows(folder: Path) -> list[str]:
    """Return one sentence per user module that would shadow a module in worker processes."""
    found = [
        path for name in _OURS for path in (folder / f"{name}.py", folder / name / "__init__.py")
    ]
    return [
        f"{path} has the name of a package of this program and would be imported for it: "
        "rename it, or start in another folder."
        for path in found
        if path.is_file() and _PACKAGE.parent not in path.parents
    ]
