"""The contract reaches every way to convolve; what it does not run is compared with itself."""

from collections import Counter

import pytest

pytest.importorskip("keras")

from scratch_forward.kernels.convolution.convolution2d import METHODS
from tests.support import contract
from tests.support.matrix import SUBJECTS

CONVOLUTIONS = {"Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"}


@pytest.mark.filterwarnings("ignore")
def test_the_contract_runs_every_convolution_method(monkeypatch) -> None:
    ran: Counter[str] = Counter()

    def counted(method, original):
        def block(self, *arguments):
            ran[method.__name__] += 1
            return original(self, *arguments)

        return block

    for method in METHODS:
        monkeypatch.setattr(method, "block", counted(method, method.block))
    wanted = {method.__name__ for method in METHODS}
    subjects = [subject for subject in SUBJECTS if subject.layer in CONVOLUTIONS]
    subjects.sort(key=lambda subject: len(subject.batches))  # that of many filters first
    for case in (case for subject in subjects for case in contract.cases(subject)):
        if case.batch >= 12 and set(ran) != wanted:
            assert not contract.run(case).fault
    assert set(ran) == wanted, ran
