"""Every layer against Keras, over a pairwise-covering matrix of its options."""

from collections.abc import Iterable

import pytest

pytest.importorskip("keras")

from tests.support import contract
from tests.support.matrix import SUBJECTS, Subject

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name),
]


COSTLY = {  # a tenth of a second per case, most of it in Keras
    *("Bidirectional", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    *("GroupQueryAttention", "MultiHeadAttention"),
}


def quick_cases(subject: Subject) -> list[contract.Case]:
    few = contract.few_cases(subject)
    return few[:2] if subject.layer in COSTLY else few


def hold(cases: Iterable[contract.Case]) -> None:
    for case in cases:
        outcome = contract.run(case)
        if outcome.fault:
            smallest = contract.shrink(outcome)
            pytest.fail(f"{smallest.case}: {smallest.fault}")


def test_layer_is_as_near_to_the_exact_result_as_keras(subject: Subject) -> None:
    hold(quick_cases(subject))


@pytest.mark.slow
def test_layer_is_so_with_every_pair_of_options(subject: Subject) -> None:
    quick = quick_cases(subject)
    hold(case for case in contract.cases(subject) if case not in quick)
