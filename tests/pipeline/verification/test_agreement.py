import numpy as np
import pytest

from pipeline.tasks import task_named
from pipeline.verification import agreement

LABELS = np.array([0, 1, 2, 1])
CLASSES = task_named("multiclass")
KERAS = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5], [0.5, 0.4, 0.1]], np.float32)


def compare(keras, scratch, labels):
    return agreement.compare(CLASSES, keras, scratch, labels)


def test_equal_predictions_are_exact():
    parity = compare(KERAS, KERAS.copy(), LABELS)
    assert parity.verdict == "exact"
    assert (parity.scores["f1"].delta, parity.agreement, parity.max_abs_diff) == (0, 1, 0)
    assert parity.certified_fraction == 1
    assert parity.min_margin == pytest.approx(0.1)


def test_hand_computed_macro_f1():
    # Class 0: precision 1/2, recall 1 -> 2/3; class 1: 1, 1/2 -> 2/3; class 2: 1.
    assert compare(KERAS, KERAS, LABELS).scores["f1"].keras == pytest.approx(
        (2 / 3 + 2 / 3 + 1) / 3
    )


def test_a_difference_above_the_bar_is_close():
    scratch = KERAS.copy()
    scratch[0] += [-2e-6, 2e-6, 0]
    parity = compare(KERAS, scratch, LABELS)
    assert parity.verdict == "close"
    assert parity.max_abs_diff == pytest.approx(2e-6, rel=0.1)


def test_another_class_diverges_even_where_f1_would_not_tell():
    scratch = KERAS[:, [0, 2, 1]]
    wrong_everywhere = np.tile([0.8, 0.1, 0.1], (4, 1)).astype(np.float32)
    assert compare(KERAS, scratch, LABELS).verdict == "diverged"
    assert compare(wrong_everywhere, wrong_everywhere[:, [0, 2, 1]], LABELS).verdict == "exact"
    assert compare(wrong_everywhere, KERAS, LABELS).verdict == "diverged"


def test_another_class_in_a_tie_is_close():
    """Two classes level but for rounding: which of them is ahead decides nothing."""
    tie = np.array([[0.4, 0.4 + 3e-6, 0.2 - 3e-6], [0.1, 0.6, 0.3]])
    turned = np.array([[0.4 + 2e-6, 0.4, 0.2 - 2e-6], [0.1, 0.6, 0.3]])
    parity = compare(tie, turned, np.array([0, 1]))
    assert (parity.verdict, parity.agreement) == ("close", 0.5)
    clear = np.array([[0.4, 0.4 + 1e-4, 0.2 - 1e-4], [0.1, 0.6, 0.3]])
    assert compare(clear, turned, np.array([0, 1])).verdict == "diverged"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_diverges_from_everything(value):
    spoilt = KERAS.copy()
    spoilt[2, 2] = value  # its class remains the most probable
    with np.errstate(invalid="ignore"):
        for keras, scratch in ((KERAS, spoilt), (spoilt, KERAS), (spoilt, spoilt)):
            assert compare(keras, scratch, LABELS).verdict == "diverged"


def test_a_lead_smaller_than_twice_the_error_is_not_certified():
    keras = np.array([[0.5, 0.5 - 1e-7], [0.9, 0.1]])
    scratch = keras + np.array([[-1e-7, 0], [0, 0]])
    parity = compare(keras, scratch, np.array([0, 0]))
    assert parity.certified_fraction == 0.5
    assert parity.min_margin == pytest.approx(1e-7)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 3\) cannot match \(4, 3\)"):
        compare(KERAS, KERAS[:3], LABELS)


def test_a_label_that_differs_diverges_unless_its_probability_is_one_half():
    task, labels = task_named("multilabel"), np.array([[1, 0], [0, 1]])
    keras = np.array([[0.9, 0.2], [0.5 + 2e-6, 0.8]])
    tie = keras - np.array([[0, 0], [3e-6, 0]])
    parity = agreement.compare(task, keras, tie, labels)
    assert (parity.verdict, parity.agreement, parity.certified_fraction) == ("close", 0.5, 0.5)
    other = np.array([[0.9, 0.6], [0.5 + 2e-6, 0.8]])
    assert agreement.compare(task, keras, other, labels).verdict == "diverged"
    assert agreement.compare(task, keras, keras, labels).verdict == "exact"


def test_a_binary_lead_is_that_of_two_classes():
    keras = np.array([[0.5 + 1e-7], [0.9]])
    parity = agreement.compare(task_named("binary"), keras, keras - 2e-7, np.array([1, 1]))
    assert parity.min_margin == pytest.approx(2e-7)
    assert (parity.agreement, parity.certified_fraction, parity.verdict) == (0.5, 0.5, "close")


@pytest.mark.parametrize(
    ("scale", "error", "verdict"),
    [(1, 0.9e-6, "exact"), (1, 2e-6, "close"), (1000, 5e-4, "exact"), (1000, 2e-3, "close")],
)
def test_values_may_differ_in_proportion_to_the_largest(scale, error, verdict):
    keras = np.linspace(-1, 1, 50)[:, None] * scale
    scratch = keras.copy()
    scratch[7] += error
    parity = agreement.compare(task_named("regression"), keras, scratch, keras[:, 0] * 1.01)
    assert parity.verdict == verdict
    assert set(parity.scores) == {"r2", "mae"}
    assert parity.agreement is None
    assert {"r2_delta", "mae_keras", "max_abs_diff"} <= set(parity.numbers)
    assert "certified_fraction" not in parity.numbers


def test_values_that_are_not_numbers_diverge():
    keras = np.linspace(0, 1, 5)[:, None]
    scratch = np.where(keras > 0.9, np.nan, keras)
    regression = task_named("regression")
    assert agreement.compare(regression, keras, scratch, keras[:, 0]).verdict == "diverged"
