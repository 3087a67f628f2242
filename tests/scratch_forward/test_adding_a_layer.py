"""What `docs/adding-a-layer.md` says is done: its layer is added, and held to Keras by its row."""

import re
from pathlib import Path

import pytest

pytest.importorskip("keras")

from scratch_forward.layers import LAYERS
from scratch_forward.layers.base import Layer
from tests.support import contract
from tests.support.matrix import Subject

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-layer.md"


@pytest.mark.filterwarnings("ignore")
def test_the_layer_of_the_guide_is_held_to_keras_by_its_row(monkeypatch) -> None:
    file, row = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    namespace = {"Subject": Subject}
    exec(file, namespace)
    (layer,) = (
        value
        for value in namespace.values()
        if isinstance(value, type) and issubclass(value, Layer) and value is not Layer
    )
    monkeypatch.setitem(LAYERS, layer.__name__, layer)
    subject = eval(row.strip(), namespace)
    assert subject.layer == layer.__name__
    cases = contract.cases(subject)
    assert cases
    for case in cases:
        assert not contract.run(case).fault
