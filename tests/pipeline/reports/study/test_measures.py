"""Reports of other tasks, and of a study that names its measure."""

from dataclasses import replace

import pytest

from pipeline.reports.study.definition import parse_study
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.heat_map import heat_map
from pipeline.reports.study.reference import References, majority_class
from pipeline.reports.study.rendering import draw
from pipeline.reports.study.setting_comparison import analyse
from pipeline.reports.study.tables import run_table, runs_csv, score_table
from pipeline.reports.study.verdict_wording import conclude
from pipeline.settings import SettingsError
from tests.support.study_runs import study_run

NONE = References({}, {})
ERRORS = {"8": (0.50, 0.52, 0.51), "16": (0.30, 0.33, 0.31)}  # mean absolute errors by seed


def regression_run(units, seed, error):
    scores = {"r2": 1 - error, "mae": error, "rmse": error, "loss": error**2}
    metrics = {
        f"{split}/{name}": v for name, v in scores.items() for split in ("test", "validation")
    }
    metrics |= {"baseline/mean_r2": -0.01, "baseline/mean_mae": 0.9, "parity/r2_delta": 1e-7}
    curves = {"loss/validation": (1.0, error), "mae/validation": (1.0, error)}
    tags = {"task": "regression"}
    return study_run(
        0.0, seed=seed, metrics=metrics, tags=tags, curves=curves, units=units, dataset="csv"
    )


def gathered(measure=None, select_by="auto"):
    study = parse_study({"measure": measure}, "mine") if measure else None
    runs = [
        regression_run(units, seed, error)
        for units, errors in ERRORS.items()
        for seed, error in enumerate(errors)
    ]
    return Gathered("study=mine", "s", "0", study, ("units",), tuple(runs), select_by=select_by)


def test_a_regression_is_reported_by_r2():
    found = analyse(gathered())
    assert found.task == "regression"
    assert found.main.title == "test R²"
    assert found.selection.title == "validation R²"
    assert found.best.setting.values == ("16",)
    assert conclude(found, NONE).headline.startswith("Units 16 is best: test R² 0.687, ahead of")


def test_the_lowest_error_is_the_best():
    found = analyse(gathered("test_mae", "mae"))
    assert found.best.setting.values == ("16",)
    (comparison,) = found.comparisons
    assert comparison.verdict == "shown"
    assert comparison.difference.mean == pytest.approx(-0.1967, abs=1e-4)
    assert comparison.lead == -comparison.difference.mean
    assert comparison.better.values == ("16",)
    headline = conclude(found, NONE).headline
    assert headline == (
        "Units 16 is best: test mean absolute error 0.313, ahead of units 8 by 0.197."
    )
    assert "lowest mean validation mean absolute error" in conclude(found, NONE).selection


def test_the_best_on_validation_can_be_behind_in_the_error_on_test_data():
    of = gathered("test_mae", "r2")
    swapped = [
        replace(run, metrics={**run.metrics, "validation/r2": 1 - run.metrics["validation/r2"]})
        for run in of.runs
    ]
    headline = conclude(analyse(replace(of, runs=tuple(swapped))), NONE).headline
    assert headline.startswith(
        "Units 8 is best on validation, but on the test set units 16 is ahead of it"
    )


def test_any_measure_can_be_the_one_of_a_study():
    found = analyse(gathered("seconds"))
    assert found.main.title == "seconds per run"
    assert "All numbers in the answer are the seconds per run." in conclude(found, NONE).selection
    with pytest.raises(SettingsError, match=r"study\.measure=speed cannot be used"):
        parse_study({"measure": "speed"}, "mine")


def test_the_baseline_of_a_regression_is_the_mean():
    found = analyse(gathered("test_mae"))
    settings = {one.setting: majority_class(one.runs[0]) for one in found.variants}
    verdict = conclude(found, References(settings, {}))
    assert verdict.points[-1].startswith(
        "Units 16 against the mean of the training data (0.900): −0.587 ["
    )


def test_tables_and_figures_have_the_scores_of_the_task():
    of = gathered("test_mae")
    found = analyse(of)
    assert list(score_table(found).columns)[2:5] == [
        "validation R²",
        "test mean absolute error",
        "test R²",
    ]
    assert "mean absolute error difference" in run_table(of.runs, ("units",), "regression").columns
    assert "test_mae" in runs_csv(of.runs, ("units",), "regression").partition("\n")[0]
    assert {"forest", "loss", "mae", "differences"} == set(draw(found, NONE))
    two = analyse(replace(of, varied=("units", "mask")))
    assert heat_map(two)
