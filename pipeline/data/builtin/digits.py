"""`digits`: the 1,797 handwritten 8x8 digits of scikit-learn, with pixel values 0 to 16."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline.data.catalogue import DIGITS
from pipeline.data.examples import Examples, Source
from pipeline.data.sampling import held_out

_VALIDATION_SIZE = _TEST_SIZE = 360


def read() -> Source:
    """Load the digits in a fixed split of 1,077 / 360 / 360 examples."""
    rows = np.loadtxt(_file(), np.uint8, delimiter=",")  # 64 pixels and the label
    everything = Examples(rows[:, :64].reshape(-1, 8, 8, 1), rows[:, 64].astype(np.int64))
    return Source.divided(
        everything,
        held_out(everything.labels, _VALIDATION_SIZE, _TEST_SIZE),
        classes=DIGITS.classes,
        origin="bundled with scikit-learn",
        scale=1 / 16,
    )


def _file() -> Path:
    """Return scikit-learn's file, without the second that importing scikit-learn takes."""
    package = find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "datasets/data/digits.csv.gz"
