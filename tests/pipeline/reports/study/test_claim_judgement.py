import pytest

from pipeline.reports.study.claim_judgement import judge
from pipeline.reports.study.definition import Study
from tests.support.study_runs import runs_of

UNITS = {
    "said": "32 is best",
    "dataset": "nusax",
    "measure": "test_f1_macro",
    "expects": [[32, 64], [32, 128]],
}
DIRECTION = {
    "said": "both directions are needed",
    "dataset": "nusax",
    "measure": "test_f1_macro",
    "expects": [[True, False]],
    "under": {"mask": False},
    "artefact": {"under": {"mask": True}, "of": "unmasked padding"},
}
WORDS = {"units": "{} units", "mask": {True: "masked padding", False: "unmasked padding"}}
GOOD, FAIR, BAD = (0.80, 0.81, 0.79), (0.70, 0.72, 0.69), (0.30, 0.31, 0.32)


def claiming(claim):
    return Study(name="x", question="x?", words=WORDS, claim=claim)


def units(*by_value):
    return [
        run
        for value, scores in zip((32, 64, 128), by_value, strict=True)
        for run in runs_of(scores, units=value)
    ]


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        ((GOOD, FAIR, BAD), "reproduced"),
        ((FAIR, FAIR[::-1], BAD), "reproduced in part"),
        (((0.72, 0.70, 0.69), (0.70, 0.71, 0.68), BAD), "reproduced in part"),
        ((FAIR, FAIR[::-1], FAIR[::-1]), "not reproduced"),
        ((FAIR, GOOD, BAD), "not reproduced"),
        ((BAD, GOOD, FAIR), "not reproduced"),
        ((GOOD[:2], FAIR[:2], BAD[:2]), "not judged"),
    ],
)
def test_a_claim_of_order(scores, outcome):
    assert judge(claiming(UNITS), units(*scores), ["units"]).outcome == outcome


def test_the_reason_gives_every_number():
    because = judge(claiming(UNITS), units(FAIR, FAIR[::-1], BAD), ["units"]).because
    assert because.startswith("test macro F1, 32 units against 64 units: +0.000 [")
    assert "no difference shown; 32 units against 128 units: +0.393 [" in because


def direction(masked_one, masked_both):
    return [
        *runs_of(BAD, bidirectional=False, mask=False),
        *runs_of(GOOD, bidirectional=True, mask=False),
        *runs_of(masked_one, bidirectional=False, mask=True),
        *runs_of(masked_both, bidirectional=True, mask=True),
    ]


def test_a_gap_that_masking_closes_is_an_artefact():
    found = judge(claiming(DIRECTION), direction(FAIR, FAIR[::-1]), ["bidirectional", "mask"])
    assert found.outcome == "artefact"
    assert "with masked padding the gap is" in found.because
    assert found.because.endswith("it came from unmasked padding.")


def test_a_gap_that_stays_is_none():
    found = judge(claiming(DIRECTION), direction(BAD, GOOD), ["bidirectional", "mask"])
    assert found.outcome == "reproduced"


def test_other_data_are_not_judged():
    other = claiming({**UNITS, "dataset": "cifar10"})
    assert judge(other, units(GOOD, FAIR, BAD), ["units"]).outcome == "not judged"


def test_a_value_that_was_not_tried_is_not_judged():
    found = judge(claiming(UNITS), runs_of(GOOD, units=32), ["units"])
    assert found.outcome == "not judged"
    assert "no seed in both" in found.because
