"""What `docs/adding-a-layer.md` says is done: its layer and kernel are added and held to Keras."""

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras")

from scratch_forward.kernels.convolution import convolution2d
from scratch_forward.kernels.convolution.method import Method
from scratch_forward.layers import LAYERS
from scratch_forward.layers.base import Layer
from tests.support import contract
from tests.support.matrix import Subject

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-layer.md"


def blocks() -> list[str]:
    """Return the code of the guide: a layer and its row, a kernel and its row."""
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def defined(code: str, base: type) -> type:
    """Run a file of the guide, and return the class of it that extends `base`."""
    namespace: dict[str, Any] = {"__name__": "guide"}
    exec(code, namespace)
    found = [
        value
        for value in namespace.values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    ]
    assert len(found) == 1
    return found[0]


def assert_held_to_keras(row: str, layer: str) -> None:
    subject = eval(row.strip(), {"Subject": Subject})
    assert subject.layer == layer
    cases = contract.cases(subject)
    assert cases
    for case in cases:
        assert not contract.run(case).fault


@pytest.mark.filterwarnings("ignore")
def test_the_layer_of_the_guide_is_held_to_keras_by_its_row(monkeypatch) -> None:
    code, row, _, _ = blocks()
    layer = defined(code, Layer)
    monkeypatch.setitem(LAYERS, layer.__name__, layer)
    assert_held_to_keras(row, layer.__name__)


@pytest.mark.filterwarnings("ignore")
def test_the_kernel_of_the_guide_is_used_and_held_to_keras_by_its_row(monkeypatch) -> None:
    _, _, code, row = blocks()
    method = defined(code, Method)
    ran: list[str] = []
    original = method.block

    def recorded(self, *arguments):
        ran.append(method.__name__)
        return original(self, *arguments)

    monkeypatch.setattr(method, "block", recorded)
    monkeypatch.setattr(convolution2d, "METHODS", (*convolution2d.METHODS, method))
    assert_held_to_keras(row, "Conv2D")
    assert ran
