import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from pipeline.tasks import task_named

TASK = task_named("regression")
RNG = np.random.default_rng(2)
TRUE = RNG.normal(5, 3, (40, 2)).astype(np.float32)
OUTPUTS = (TRUE + RNG.normal(0.3, 1, (40, 2))).astype(np.float32)
NAMES = ("width", "height")


def test_scores_are_those_of_scikit_learn():
    scores = TASK.scores(OUTPUTS, TRUE, NAMES)
    assert scores["r2"] == pytest.approx(r2_score(TRUE, OUTPUTS))
    assert scores["mae"] == pytest.approx(mean_absolute_error(TRUE, OUTPUTS))
    assert scores["loss"] == pytest.approx(mean_squared_error(TRUE, OUTPUTS))
    roots = np.sqrt(mean_squared_error(TRUE, OUTPUTS, multioutput="raw_values"))
    assert scores["rmse"] == pytest.approx(roots.mean())
    assert scores["r2/height"] == pytest.approx(r2_score(TRUE[:, 1], OUTPUTS[:, 1]))
    assert set(TASK.name_scores(NAMES).values()) < set(scores)
    assert set(TASK.score_names) < set(scores)


def test_one_target_may_have_no_axis_and_no_scores_of_its_own():
    one = TASK.scores(OUTPUTS[:, :1], TRUE[:, 0], ("width",))
    assert one == TASK.scores(OUTPUTS[:, :1], TRUE[:, :1], ("width",))
    assert set(one) == {"loss", "r2", "mae", "rmse"}
    assert TASK.name_scores(("width",)) == {}


def test_the_baseline_predicts_the_mean_of_the_training_labels():
    train, test = np.array([1, 3], np.float32), np.array([1, 2, 3, 6], np.float32)
    baseline = TASK.baseline(train, test, ("y",))
    assert baseline["mae"] == pytest.approx((1 + 0 + 1 + 4) / 4)
    assert baseline["r2"] == pytest.approx(1 - 18 / 14)


def test_values_that_hardly_vary_are_degenerate():
    labels = np.linspace(270, 310, 50, dtype=np.float32)
    assert TASK.degeneration(labels[:, None] * 0.1 + 250, labels, ("kelvin",)) is None
    constant = np.full((50, 1), 290.5, np.float32)
    assert TASK.degeneration(constant, labels, ("kelvin",)) == "predicts 290.5 for every example"
    one_varies = np.concatenate([constant, labels[:, None]], axis=1)
    assert TASK.degeneration(one_varies, np.stack([labels, labels], 1), NAMES) is None


def test_values_that_are_not_numbers_have_no_score():
    outputs = OUTPUTS.copy()
    outputs[0, 0] = np.nan
    assert np.isnan(TASK.scores(outputs, TRUE, NAMES)["r2"])


def test_the_report_has_the_residuals():
    lines = TASK.report(OUTPUTS, TRUE, NAMES).splitlines()
    assert [line.split()[0] for line in lines if line] == [
        *("target", "width", "height", "mean"),
        *("residual", "width", "height"),
    ]
    residuals = (OUTPUTS - TRUE)[:, 0]
    assert float(lines[6].split()[4]) == pytest.approx(np.median(residuals), abs=1e-4)


def test_the_largest_error_comes_first_in_units_of_its_own_target():
    true = np.zeros((3, 2))
    outputs = np.array([[0.1, 0.0], [0.2, 900.0], [-0.9, 1000.0]])
    assert TASK.worst(outputs, true)[0] == 2
    assert TASK.prediction(np.array([1.5, 2]), NAMES) == "width 1.5, height 2"
    assert TASK.truth(np.float32(0.25), ("width",)) == "0.25"
