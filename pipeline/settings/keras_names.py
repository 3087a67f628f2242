"""Names of Keras's losses and metrics, read from its source: importing Keras takes seconds."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Literal

_NOT_NAMES = {
    *("loss", "metric", "loss_function_wrapper", "mean_metric_wrapper"),  # bases
    *("mean", "sum"),  # of values, not of labels and outputs
}
_WORD_ENDS = (r"(.)([A-Z][a-z]+)", r"([a-z])([A-Z])")


def exports(package: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of everything that a package of Keras exports.

    >>> ("keras.src.optimizers.adamw", "AdamW") in exports("optimizers")
    True
    """
    for node in ast.parse(keras_source(f"keras/{package}/__init__.py")).body:
        if isinstance(node, ast.ImportFrom) and node.module and "keras.src" in node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def keras_source(path: str) -> str:
    """Return a file of the installed Keras."""
    return Path(str(distribution("keras").locate_file(path))).read_text(encoding="utf-8")


@cache
def keras_names(package: Literal["losses", "metrics"]) -> tuple[str, ...]:
    """Return the names that Keras resolves to a loss or a metric: `mean_squared_error`, `mse`."""
    nodes = [*ast.walk(ast.parse(keras_source(f"keras/src/{package}/__init__.py")))]
    classes = {
        one.id
        for node in nodes
        if isinstance(node, ast.Set)
        for one in node.elts
        if isinstance(one, ast.Name)
    }
    aliases = {
        key.value
        for node in nodes
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    names = {_snake_case(name) for name in classes} | {name for name in aliases if name.islower()}
    return tuple(sorted(names - _NOT_NAMES))


def _snake_case(name: str) -> str:
    """Return the name of a class as Keras abbreviates it, `CTC` as `ctc`."""
    for pattern in _WORD_ENDS:
        name = re.sub(pattern, r"\1_\2", name)
    return name.lower()
