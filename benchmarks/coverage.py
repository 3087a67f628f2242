"""Write the coverage table of the contract, from a run of it, to `docs/coverage.md`.

python -m benchmarks.coverage
"""

import collections
import platform
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from scratch_forward.layers import LAYERS
from tests.support import contract
from tests.support.contract import Outcome
from tests.support.matrix import SUBJECTS

TABLE = Path(__file__).parents[1] / "docs" / "coverage.md"

_NOT_LAYERS = {"Layer", "Wrapper", "AbstractRNNCell", "InputSpec"}
_PARTLY = {
    "TextVectorization": "not `ragged`, `sparse` or callables",
    "StringLookup": "not `sparse`",
    "IntegerLookup": "not `sparse`",
}
_ELSEWHERE = {
    "InputLayer": "every test of whole models",
    "SimpleRNNCell": "its layer",
    "LSTMCell": "its layer",
    "GRUCell": "its layer",
    "StackedRNNCells": "RNN",
}

HEAD = """# What the forward pass covers, and how accurate it is

Each layer is tested with its options combined so that every pair of values occurs, and with batches
of 1, 7 and 20. Layers that support masks are also tested with masks on the right, on the left, with
holes, and over whole rows. The reference is Keras in float64. Each row shows the largest errors
over all cases with that value: our absolute error, then our error and Keras's in units of the last
place (ULP). For the ULP, each element counts as at least the output's root mean square. Passed: our
error is at most twice Keras's largest plus 4 ULP, the output's mask equals Keras's, and float64
agrees.

Errors above 1,000 ULP occur only in `Attention` and `AdditiveAttention`, for queries whose keys are
all masked. Keras subtracts 1e9 from every masked score. In float32 this rounds the scores away, in
float64 it does not. Keras in float32 is off by as much, so these cases pass.

{cases} cases, {failed} failed. Largest error: {ulp:.1f} ULP, Keras's {keras_ulp:.1f} ULP.
Keras {keras}, TensorFlow {tensorflow}, NumPy {numpy}, {machine}. Written by
`python -m benchmarks.coverage`.

{summary}

## Every option

| Layer | Option | Value | Cases | Largest error | ULP | Keras's ULP | Passed |
|---|---|---|---:|---:|---:|---:|---|
"""


def main() -> None:
    """Run the contract and write the table."""
    warnings.simplefilter("ignore")
    outcomes = [contract.run(case) for subject in SUBJECTS for case in contract.cases(subject)]
    head = HEAD.format(
        cases=len(outcomes),
        failed=sum(bool(outcome.fault) for outcome in outcomes),
        ulp=max(outcome.ulp for outcome in outcomes),
        keras_ulp=max(outcome.keras_ulp for outcome in outcomes),
        keras=keras.__version__,
        tensorflow=tf.__version__,
        numpy=np.__version__,
        machine=platform.machine(),
        summary=summary(),
    )
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(head + "".join(f"{row}\n" for row in rows(outcomes)), encoding="utf-8")
    print(f"{len(outcomes)} cases written to {TABLE}")


def summary() -> str:
    """Say of each layer of Keras, in a word, whether the forward pass computes it."""
    tested = {subject.layer for subject in SUBJECTS}
    lines = ["## At a glance", "", "| Layer of Keras | Computed |", "|---|---|"]
    lines += [f"| {name} | {_answer(name, tested)} |" for name in keras_layers()]
    return "\n".join(lines)


def keras_layers() -> list[str]:
    """Name the layers of `keras.layers` that are not there to be inherited from."""
    names = [
        name
        for name, cls in vars(keras.layers).items()
        if isinstance(cls, type)
        and issubclass(cls, keras.layers.Layer)
        and (name == cls.__name__ or name in LAYERS)  # not a second name of the same class
    ]
    return sorted(set(names) - _NOT_LAYERS)


def _answer(name: str, tested: set[str]) -> str:
    """Answer yes, partly (with what is missing) or no."""
    if name in _PARTLY:
        return f"partly: {_PARTLY[name]}"
    if name not in LAYERS:
        return "no"
    return "yes" if name in tested else f"yes (compared with Keras through {_ELSEWHERE[name]})"


def rows(outcomes: list[Outcome]) -> list[str]:
    """One line for each value of each option of each layer."""
    groups: dict[tuple[str, str, str], list[Outcome]] = collections.defaultdict(list)
    for outcome in outcomes:
        case = outcome.case
        for option, value in {
            **case.options,
            **case.arguments,
            "batch": case.batch,
            "mask": case.mask,
        }.items():
            groups[case.subject.layer, option, _short(value)].append(outcome)
    return [
        f"| {layer} | {option} | {value} | {len(group)} | {max(o.error for o in group):.1e} "
        f"| {max(o.ulp for o in group):.1f} | {max(o.keras_ulp for o in group):.1f} "
        f"| {'no' if any(o.fault for o in group) else 'yes'} |"
        for (layer, option, value), group in sorted(groups.items())
    ]


def _short(value: Any) -> str:
    """Write an option's value in a few characters; an inner layer by its class and flags."""
    if isinstance(value, dict):
        inner = value["options"].get("cells")
        parts = (
            [_short(cell) for cell in inner]
            if inner
            else [f"{k}={v}" for k, v in value["options"].items() if v and k != "units"]
        )
        return f"{value['class_name']}({', '.join(parts)})"
    return "None" if value is None else str(value)


if __name__ == "__main__":
    main()
