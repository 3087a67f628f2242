from itertools import product

import pytest

from pipeline.reports.study.analysis import analyse
from pipeline.reports.study.definition import Study
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.reference import References, majority_class
from pipeline.reports.study.verdict import conclude
from pipeline.tasks.baselines import Baseline
from tests.support.study_runs import runs_of, study_run

NONE = References({}, {})
GOOD, FAIR, BAD = (0.80, 0.81, 0.79), (0.70, 0.72, 0.69), (0.30, 0.31, 0.32)


def gathered(runs, *varied, study=None):
    return Gathered("study=x", "s", "0", study, varied, tuple(runs))


def headline(runs, *varied):
    return conclude(analyse(gathered(runs, *varied)), NONE).headline


def test_one_value_is_best():
    runs = [*runs_of(FAIR, units=32), *runs_of(GOOD, units=64), *runs_of(BAD, units=128)]
    assert headline(runs, "units") == (
        "units=64 is best: test macro F1 0.800, ahead of units=32 and units=128 by 0.097 to 0.490."
    )


def test_the_highest_is_ahead_of_some():
    runs = [*runs_of(FAIR, units=32), *runs_of(FAIR[::-1], units=64), *runs_of(BAD, units=128)]
    assert headline(runs, "units") == (
        "units=32 has the highest mean, test macro F1 0.703, clearly ahead of units=128; "
        "against units=64 no clear difference."
    )


def test_no_difference_shown():
    runs = [*runs_of(FAIR, units=32), *runs_of(FAIR[::-1], units=64)]
    assert headline(runs, "units").startswith("No difference shown between 2 settings;")


def test_too_few_seeds():
    runs = [*runs_of(GOOD[:2], units=32), *runs_of(BAD[:2], units=64)]
    assert "too few seeds to say how sure that is" in headline(runs, "units")


def test_many_comparisons_ask_for_more():
    # Alone p = 0.03; the smallest of 30 comparisons has to be below 0.05 / 30.
    runs = runs_of((0.70, 0.70, 0.70), units=0)
    for value in range(1, 31):
        runs += runs_of((0.66, 0.67, 0.68), units=value)
    found = analyse(gathered(runs, "units"))
    assert len(found.comparisons) == 30
    assert {comparison.verdict for comparison in found.comparisons} == {"likely"}
    assert "likely but not clearly ahead" in conclude(found, NONE).headline


def test_a_key_is_averaged_over_the_others():
    runs = [
        *runs_of((0.20, 0.21, 0.22), bidirectional=False, mask=False),
        *runs_of((0.70, 0.71, 0.72), bidirectional=False, mask=True),
        *runs_of((0.70, 0.70, 0.72), bidirectional=True, mask=False),
        *runs_of((0.72, 0.73, 0.71), bidirectional=True, mask=True),
    ]
    found = analyse(gathered(runs, "bidirectional", "mask"))
    direction, mask = found.effects
    assert (direction.key, direction.best, mask.key, mask.best) == (
        *("bidirectional", "true"),
        *("mask", "true"),
    )
    # Seed by seed ((0.70 + 0.72) - (0.20 + 0.70)) / 2 = 0.26, 0.255, 0.245.
    assert direction.comparisons[0].difference.mean == pytest.approx((0.26 + 0.255 + 0.245) / 3)
    assert direction.ranges[0] == pytest.approx((0.01, 0.496666), abs=1e-5)
    assert direction.comparisons[0].difference.n == 3


def factorial(scores):
    """Runs of two dropouts, two l2 and two augment; `scores` of the three gives a mean."""
    return [
        run
        for dropout in (0, 1)
        for l2 in (0, 1)
        for augment in (0, 1)
        for run in runs_of(
            [scores(dropout, l2, augment) + wobble for wobble in (-0.01, 0, 0.01)],
            dropout=dropout,
            l2=l2,
            augment=augment,
        )
    ]


def test_of_many_keys_the_headline_says_what_each_does():
    runs = factorial(lambda dropout, l2, augment: 0.6 + 0.1 * dropout)
    headline = conclude(analyse(gathered(runs, "dropout", "l2", "augment")), NONE).headline
    assert headline.startswith(
        "Averaged over the other settings, dropout=1 is ahead of dropout=0 by 0.100; "
        "of l2 and augment no difference shown. The combination with the highest mean, dropout=1 "
    )


def test_of_a_key_that_turns_round_with_another_the_headline_says_so():
    runs = factorial(lambda dropout, l2, augment: 0.6 + (0.2 if l2 else -0.1) * dropout)
    headline = conclude(analyse(gathered(runs, "dropout", "l2", "augment")), NONE).headline
    assert "dropout=1 is ahead of dropout=0 by 0.050 (−0.100 to +0.200, depending on them)" in (
        headline
    )


def test_a_key_in_doubt_is_not_said_to_make_no_difference():
    runs = []
    for dropout, l2, augment in product((0, 1), (0, 1, 2), (0, 1)):
        # What l2=1 gains: 0.0134, 0.02, 0.0266. p = 0.034 alone, 0.1 with those of all the keys.
        gains = [(0.02 + 0.66 * wobble) * (l2 == 1) + wobble for wobble in (-0.01, 0, 0.01)]
        scores = [0.6 + 0.1 * dropout + gain for gain in gains]
        runs += runs_of(scores, dropout=dropout, l2=l2, augment=augment)
    found = analyse(gathered(runs, "dropout", "l2", "augment"))
    assert [effect.comparisons[0].verdict for effect in found.effects] == [
        *("shown", "likely", "no difference shown"),
    ]
    headline = conclude(found, NONE).headline
    assert "l2=1 is likely ahead of l2=0 by 0.020" in headline
    assert "of augment no difference shown" in headline


def test_the_keys_of_a_factorial_are_one_family_of_comparisons():
    # Each key gains 0.0134, 0.02, 0.0266: t = 5.249, so p = 1 - t / sqrt(2 + t^2) = 0.0344 alone.
    runs = []
    for dropout, l2, augment in product((0, 1), (0, 1), (0, 1)):
        gain = dropout + l2 + augment
        scores = [0.6 + gain * (0.02 + 0.66 * wobble) for wobble in (-0.01, 0, 0.01)]
        runs += runs_of(scores, dropout=dropout, l2=l2, augment=augment)
    effects = analyse(gathered(runs, "dropout", "l2", "augment")).effects
    assert [effect.comparisons[0].difference.shown for effect in effects] == [True] * 3
    assert [effect.comparisons[0].verdict for effect in effects] == ["likely"] * 3
    assert effects[0].comparisons[0].p == pytest.approx(3 * 0.0344, abs=2e-4)


def test_a_seed_that_lacks_a_setting_is_left_out_of_averages():
    runs = [
        *runs_of((0.2, 0.3, 0.4, 0.9), a=1, b=1),
        *runs_of((0.2, 0.3, 0.4), a=1, b=2),
        *runs_of((0.3, 0.4, 0.5, 0.0), a=2, b=1),
        *runs_of((0.3, 0.4, 0.5), a=2, b=2),
    ]
    (effect, _) = analyse(gathered(runs, "a", "b")).effects
    assert effect.comparisons[0].difference.n == 3
    assert effect.comparisons[0].difference.mean == pytest.approx(0.1)


def test_degenerate_runs_are_named():
    only = {"degenerate": "predicts only negative"}
    runs = [*runs_of(GOOD, units=32), *runs_of(BAD, units=64, tags=only)]
    points = conclude(analyse(gathered(runs, "units")), NONE).points
    assert points[-1] == "Runs that predict (nearly) one class only: units=64 (3 of 3)."


def test_a_study_against_tfidf_is_answered_value_by_value():
    study = Study(name="x", question="x?", against="tfidf")
    runs = [*runs_of(BAD, train_size=100), *runs_of(FAIR, train_size=300)]
    runs += runs_of(GOOD, train_size=500)
    scores = {"train_size=100": 0.5, "train_size=300": 0.71, "train_size=500": 0.7}
    baselines = References({}, {name: Baseline("TF-IDF", f1, f1) for name, f1 in scores.items()})
    found = conclude(analyse(gathered(runs, "train_size", study=study)), baselines)
    assert found.headline == (
        "train_size=100 stays below TF-IDF (test macro F1 0.310 against 0.500, −0.190); "
        "train_size=300 no difference shown against TF-IDF (test macro F1 0.703 against 0.710, "
        "−0.007); train_size=500 beats TF-IDF (test macro F1 0.800 against 0.700, +0.100)."
    )


def test_the_majority_classs_accuracy_follows_from_its_macro_f1():
    # 153 of 400 in the largest of three classes: F1 2p / (1 + p) / 3 with p = 0.3825.
    of_classes = {f"test/f1/{name}": 0.5 for name in ("negative", "neutral", "positive")}
    run = study_run(0.7, metrics={"baseline/majority_f1_macro": 0.18444846, **of_classes})
    found = majority_class(run)
    assert found.f1_macro == 0.18444846
    assert found.accuracy == pytest.approx(0.3825, abs=1e-6)


def test_runs_without_a_score_are_an_error():
    with pytest.raises(ValueError, match="study=x has no finished run with a test score"):
        analyse(gathered([study_run(0.5, status="FAILED")], "units"))


def test_values_are_ordered_as_planned_or_by_size():
    runs = [*runs_of(BAD, units=128), *runs_of(GOOD, units=32), *runs_of(FAIR, units=64)]
    assert [v.short for v in analyse(gathered(runs, "units")).variants] == ["32", "64", "128"]
