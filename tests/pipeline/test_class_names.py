"""One word per thing: class names are unique within the package, and errors are called so."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

PIPELINE = Path(__file__).parents[2] / "pipeline"


@cache
def classes():
    nodes = [
        node
        for file in PIPELINE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    ]
    return [node for node in nodes if isinstance(node, ast.ClassDef)]


def test_no_two_classes_share_a_name():
    counts = Counter(node.name for node in classes())
    assert len(counts) > 100
    assert [name for name, count in counts.items() if count > 1] == []


def test_errors_end_in_error():
    bases = {node.name: [ast.unparse(base) for base in node.bases] for node in classes()}
    errors = {
        name
        for name, own in bases.items()
        if any(base.endswith(("Error", "Exception")) for base in own)
    }
    assert "StoreError" in errors
    assert [name for name in errors if not name.endswith("Error")] == []
