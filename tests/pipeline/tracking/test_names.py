"""Every tag, metric and artifact path is written once, in `names.py`."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.tracking import names

PACKAGE = Path(pipeline.__file__).parent
VALUES = {value for key, value in vars(names).items() if key.isupper() and isinstance(value, str)}
# Such a string means nothing else, wherever it stands. A plain word does only where it is looked
# up among tags or metrics, or logged: elsewhere `seconds` is a column, `parity` a command.
PATHS = {value for value in VALUES if "/" in value or "." in value}
WHOLE_PATHS = {value for value in PATHS if value[-1] not in "/._"}
HOLDERS = {"tags", "metrics"}
WRITERS = {"set_tags", "log_metrics", "log_text", "log_json", "artifact_folder", "set_tag"}


def faults(source: str) -> Iterator[str]:
    """The names that a source spells out."""
    tree = ast.parse(source)
    documentation = {id(text) for node in ast.walk(tree) if (text := docstring(node)) is not None}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield from spelled(node)
        for word in looked_up(node):
            if isinstance(word, ast.Constant) and word.value in VALUES - PATHS:
                yield word.value


def docstring(node: ast.AST) -> ast.expr | None:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    return first.value if isinstance(first, ast.Expr) else None


def spelled(node: ast.Constant) -> Iterator[str]:
    if isinstance(node.value, str):
        found = [path for path in WHOLE_PATHS if contains(node.value, path)]
        yield from found or [node.value] * (node.value in PATHS)


def contains(text: str, path: str) -> bool:
    if path not in text:  # as in nearly every text: a search would take ten times as long
        return False
    return re.search(rf"(?<![\w.]){re.escape(path)}(?!\.?\w)", text) is not None


def looked_up(node: ast.AST) -> Iterator[ast.expr | None]:
    """What a node looks up among tags or metrics, or logs."""
    match node:
        case ast.Subscript(value=holder, slice=key) if last_name(holder) in HOLDERS:
            yield key
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[holder]):
            if last_name(holder) in HOLDERS:
                yield key
        case ast.Call(func=ast.Attribute(value=holder, attr="get"), args=[key, *_]):
            if last_name(holder) in HOLDERS:
                yield key
        case ast.Call(func=ast.Attribute(attr=called), args=arguments) if called in WRITERS:
            for argument in arguments:
                yield from argument.keys if isinstance(argument, ast.Dict) else [argument]


def last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('run.metrics.get("test/f1_macro")', ["test/f1_macro"]),
        ('order = "metrics.`test/f1_macro`"', ["test/f1_macro"]),
        ('path = folder / "weights/model.keras"', ["weights/model.keras"]),
        ('tag = f"fingerprint.{split}"', ["fingerprint."]),
        ('run.data.tags.get("parity", "-")', ["parity"]),
        ('tags["error"]', ["error"]),
        ('"error" in run.tags', ["error"]),
        ('run.set_tags({"degenerate": "no"})', ["degenerate"]),
        ('compose_values("parity")', []),
        ('template("report.html.j2")', []),
        ('table.add_column("seconds")', []),
        ('def f():\n    """Reads `weights/model.keras`."""', []),
        ("tags[names.PARITY]", []),
    ],
)
def test_a_name_that_is_spelled_out_is_found(source: str, found: list[str]) -> None:
    assert list(faults(source)) == found


def test_no_other_file_spells_out_a_name() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "names.py"]
    assert len(files) > 100
    found = {
        str(file.relative_to(PACKAGE)): spelled_out
        for file in files
        if (spelled_out := sorted(set(faults(file.read_text("utf-8")))))
    }
    assert found == {}


def test_two_names_are_not_one() -> None:
    """But for a sweep: its tag on the run of a job, and the kind of its own run."""
    spelled_twice = sorted(
        value
        for value in VALUES
        if sum(value == other for key, other in vars(names).items() if key.isupper()) > 1
    )
    assert spelled_twice == ["search", "sweep"]


def test_names_are_had_without_mlflow() -> None:
    code = "import sys; from pipeline.tracking import names; sys.exit('mlflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
