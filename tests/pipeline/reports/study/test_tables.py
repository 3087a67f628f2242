import pytest

from pipeline.reports.study.study_run import STUDY_MEASURES
from pipeline.reports.study.tables import mean_and_interval
from pipeline.reports.study.variants import group_by_values
from tests.support.study_runs import study_run

FALLS, DIPS, RISES = (0.9, 0.8, 0.7), (0.9, 0.6, 0.7), (0.7, 0.8, 0.9)


def cell(name, *losses):
    """The table's cell for runs of one setting, a seed each, with these validation losses."""
    runs = [
        study_run(0.70 + 0.01 * seed, seed=seed, curves={"loss/validation": curve})
        for seed, curve in enumerate(losses)
    ]
    (variant,) = group_by_values(runs, ["units"], None)
    return mean_and_interval(variant, STUDY_MEASURES[name])


def test_a_score_is_a_mean_with_its_interval():
    # Scores 0.70, 0.71, 0.72: t for two degrees of freedom is 4.303, times 0.01 / sqrt(3).
    assert cell("test_f1_macro", FALLS, FALLS, FALLS) == "0.710 [0.685, 0.735]"


@pytest.mark.parametrize(
    ("losses", "shown"),
    [((DIPS, RISES), "1.5 (1 to 2)"), ((RISES, RISES), "1"), ((FALLS, FALLS), "–")],
)
def test_epochs_are_a_mean_and_their_range_if_they_differ(losses, shown):
    assert cell("overfits_after", *losses) == shown
