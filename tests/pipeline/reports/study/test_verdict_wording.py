import re
from dataclasses import replace
from itertools import product

import pytest

from pipeline.reports.study.definition import Study
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.reference import References, majority_class, references
from pipeline.reports.study.setting_comparison import analyse
from pipeline.reports.study.variants import group_by_values, setting_of
from pipeline.reports.study.verdict_wording import conclude
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
        "Units 64 is best: test macro F1 0.800, ahead of units 32 and units 128 by 0.097 to 0.490."
    )


def test_the_highest_is_ahead_of_some():
    runs = [*runs_of(FAIR, units=32), *runs_of(FAIR[::-1], units=64), *runs_of(BAD, units=128)]
    assert headline(runs, "units") == (
        "Units 32 is best on validation: test macro F1 0.703, clearly ahead of units 128; "
        "no clear difference from units 64."
    )


def test_no_difference_shown():
    runs = [*runs_of(FAIR, units=32), *runs_of(FAIR[::-1], units=64)]
    assert headline(runs, "units").startswith(
        "No difference shown between 2 settings; best on validation: units 32, test macro F1 0.703."
    )


def test_too_few_seeds():
    runs = [*runs_of(GOOD[:2], units=32), *runs_of(BAD[:2], units=64)]
    assert "fewer than 3 seeds are too few to say how sure that is" in headline(runs, "units")


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
    assert (direction.key, mask.key) == ("bidirectional", "mask")
    assert direction.comparisons[0].first.by_key == {"bidirectional": "true"}
    assert mask.comparisons[0].first.by_key == {"mask": "true"}
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
    assert headline == (
        "Averaged over the other settings, dropout 1 is ahead of dropout 0 by 0.100, the only "
        "effect shown; best on validation: dropout 1, l2 0, augment 0, test macro F1 0.700."
    )


def test_of_a_key_that_turns_round_with_another_the_headline_says_so():
    runs = factorial(lambda dropout, l2, augment: 0.6 + (0.2 if l2 else -0.1) * dropout - 0.14 * l2)
    headline = conclude(analyse(gathered(runs, "dropout", "l2", "augment")), NONE).headline
    assert "dropout 1 is ahead of dropout 0 by 0.050 (−0.100 to +0.200, depending on them)" in (
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
    verdict = conclude(found, NONE)
    assert "dropout 1 is ahead of dropout 0 by 0.100, the largest effect" in verdict.headline
    points = "\n".join(verdict.points)
    assert re.search(r"L2 1 against l2 0, averaged.*likely, but not certain", points)
    assert re.search(r"Augment \d against augment \d, averaged.*no difference shown", points)


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
    assert points[-1] == "Runs that predict (nearly) one class only: units 64 (3 of 3)."


def test_a_study_against_tfidf_is_answered_value_by_value():
    study = Study(name="x", question="x?", against="tfidf")
    runs = [*runs_of(BAD, train_size=100), *runs_of(FAIR, train_size=300)]
    runs += runs_of(GOOD, train_size=500)
    of = gathered(runs, "train_size", study=study)
    scores = {"100": 0.5, "300": 0.71, "500": 0.7}
    tfidf = {
        setting_of({"train_size": size}, study): Baseline(
            "TF-IDF", {"f1_macro": f1, "accuracy": f1}
        )
        for size, f1 in scores.items()
    }
    assert conclude(analyse(of), References({}, tfidf)).headline == (
        "Test macro F1 against that of TF-IDF: 0.310 against 0.500 with train size 100 (worse); "
        "0.703 against 0.710 with train size 300 (no difference shown); 0.800 against 0.700 with "
        "train size 500 (better)."
    )


def test_the_majority_class_is_read_from_the_run_or_left_out():
    logged = {"baseline/majority_f1_macro": 0.184, "baseline/majority_accuracy": 0.3825}
    assert majority_class(study_run(0.7, metrics=logged)) == Baseline(
        "majority class", {"f1_macro": 0.184, "accuracy": 0.3825}
    )
    earlier = study_run(0.7, dataset="cifar10")  # an image set, which needs no texts read
    del earlier.metrics["baseline/majority_accuracy"]
    assert majority_class(earlier) is None
    (variant,) = group_by_values([earlier], ["units"], None)
    found = references(None, [variant], "")
    assert found.majority == {}
    assert found.remarks == (
        "The majority class is left out for 1 of 1 settings: an earlier version did not log its "
        "scores.",
    )


def selected(of):
    """Each setting's test and validation scores, by units; gives the verdict."""
    runs = [
        study_run(test, seed=seed, validation=validation, units=units)
        for units, scores in of.items()
        for seed, (test, validation) in enumerate(scores)
    ]
    found = analyse(gathered(runs, "units"))
    return found, conclude(found, NONE)


def test_the_best_setting_is_selected_on_validation_and_scored_on_test():
    # 64 has the higher test score, 32 the higher validation score: 32 is the selection.
    found, verdict = selected(
        {
            32: [(0.70, 0.81), (0.71, 0.79), (0.69, 0.80)],
            64: [(0.72, 0.60), (0.71, 0.61), (0.73, 0.62)],
        }
    )
    assert found.best.setting.by_key == {"units": "32"}
    assert "best on validation: units 32, test macro F1 0.700" in verdict.headline
    assert verdict.selection.startswith(
        "Best is the setting with the highest mean validation macro F1 (0.800 over 3 seeds);"
    )


def test_another_score_may_select():
    losses = {32: 0.9, 64: 0.4}
    runs = [
        study_run(0.7, seed=seed, units=units, metrics={"validation/loss": loss})
        for units, loss in losses.items()
        for seed in (0, 1, 2)
    ]
    found = analyse(replace(gathered(runs, "units"), select_by="loss"))
    assert found.best.setting.by_key == {"units": "64"}
    assert conclude(found, NONE).selection.startswith(
        "Best is the setting with the lowest mean validation loss (0.400 over 3 seeds);"
    )


def test_a_selection_that_the_test_set_does_not_confirm_is_said_to_be_behind():
    _, verdict = selected(
        {
            32: [(0.50, 0.81), (0.51, 0.79), (0.49, 0.80)],
            64: [(0.72, 0.60), (0.73, 0.61), (0.71, 0.62)],
        }
    )
    assert verdict.headline == (
        "Units 32 is best on validation, but on the test set units 64 is ahead of it: "
        "test macro F1 0.500."
    )


def without_validation(run):
    del run.metrics["validation/f1_macro"]
    return run


@pytest.mark.parametrize(
    ("scores", "headline"),
    [
        ((GOOD, BAD), "Test macro F1: 0.800 for units 0 and 0.310 for units 1."),
        (
            (GOOD, GOOD[::-1]),
            "No difference shown between 2 settings; test macro F1 0.800 for units 0 and 0.800 "
            "for units 1.",
        ),
        (
            (BAD, FAIR, FAIR, FAIR, GOOD),
            "Test macro F1: between 0.800 for units 4 and 0.310 for units 0, of 5 settings.",
        ),
    ],
)
def test_runs_without_a_validation_score_name_no_best(scores, headline):
    runs = [run for units, of in enumerate(scores) for run in runs_of(of, units=units)]
    without_validation(runs[0])
    found = analyse(gathered(runs, "units"))
    verdict = conclude(found, NONE)
    assert found.best is None
    assert verdict.headline == headline
    assert verdict.selection.startswith(
        f"No setting is called best: 1 of {len(runs)} runs, made by"
    )
    assert "best" not in " ".join(verdict.points)


def test_a_study_names_its_values():
    words = {"bidirectional": {True: "both directions"}, "units": "{} units"}
    study = Study(name="x", question="x?", words=words)
    values = {"bidirectional": "true", "units": "8", "model": "gru", "mask": "false", "l2": "0.1"}
    setting = setting_of(values, study)
    assert setting.words == "both directions, 8 units, gru, mask off, l2 0.1"
    assert setting.subject == f"the combination of {setting.words}"
    assert setting_of({"units": "8"}, study).subject == "8 units"


def test_values_are_ordered_as_planned_or_by_size():
    runs = [*runs_of(BAD, units=128), *runs_of(GOOD, units=32), *runs_of(FAIR, units=64)]
    assert [v.setting.values for v in analyse(gathered(runs, "units")).variants] == [
        *(("32",), ("64",), ("128",)),
    ]
