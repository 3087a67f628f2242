"""Every layer against Keras, over a pairwise-covering matrix of its options."""

import pytest

pytest.importorskip("keras")

from tests.support import contract
from tests.support.matrix import SUBJECTS, Subject


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_layer_is_as_near_to_the_exact_result_as_keras(subject: Subject) -> None:
    for case in contract.cases(subject):
        outcome = contract.run(case)
        if outcome.fault:
            smallest = contract.shrink(outcome)
            pytest.fail(f"{smallest.case}: {smallest.fault}")
