import math

import numpy as np
import pytest

from pipeline.reports.study.statistics import (
    difference,
    estimate,
    holm,
    paired_bootstrap,
    paired_difference,
)


def test_the_interval_of_a_mean_is_students():
    # Mean 3, deviation sqrt(2.5), t(0.975; 4) = 2.776445: 3 -+ 2.776445 * sqrt(2.5 / 5).
    found = estimate([1, 2, 3, 4, 5])
    assert found.mean == 3
    assert found.n == 5
    assert found.deviation == pytest.approx(math.sqrt(2.5))
    assert found.interval == pytest.approx((3 - 1.963243, 3 + 1.963243), abs=1e-6)


def test_no_interval_below_three_samples():
    assert estimate([0.5, 0.7]).interval is None
    assert math.isnan(estimate([0.5]).deviation)
    found = difference([0.1, 0.2])
    assert found.mean == pytest.approx(0.15)
    assert (found.interval, found.bootstrap, found.p, found.shown) == (None, None, None, False)


def test_no_sample_is_an_error():
    with pytest.raises(ValueError, match="at least one sample"):
        estimate([])


def test_a_difference_is_taken_between_equal_seeds():
    found = paired_difference({0: 0.9, 1: 0.8, 2: 0.7, 9: 0.0}, {0: 0.7, 1: 0.6, 2: 0.4, 8: 1.0})
    assert found.n == 3
    assert found.mean == pytest.approx((0.2 + 0.2 + 0.3) / 3)
    # t = mean / (deviation / sqrt(3)) = 0.233333 / 0.033333 = 7, two-sided with 2 degrees.
    assert found.p == pytest.approx(0.019804, abs=1e-6)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_the_interval_is_the_wider_of_bootstrap_and_student():
    found = difference([1, 2, 3, 4, 5])
    assert found.interval == pytest.approx((1.036757, 4.963243), abs=1e-6)  # Student's
    assert 1.4 < found.bootstrap.low < 1.9  # the resamples' own spread is sqrt(2 / 5) = 0.63
    assert 4.1 < found.bootstrap.high < 4.6
    assert found.shown


def test_a_skewed_sample_widens_the_interval_beyond_students():
    skewed = difference([0.0] * 11 + [1.0])
    # Student: 1/12 -+ 2.200985 * sqrt(1/12 / 12) = 0.083333 -+ 0.183415.
    assert skewed.interval.low == pytest.approx(0.083333 - 0.183415, abs=1e-5)
    assert skewed.interval.high == skewed.bootstrap.high > 0.083333 + 0.183415


def test_equal_differences_have_no_spread():
    assert difference([0.2, 0.2, 0.2]).interval == pytest.approx((0.2, 0.2))
    assert difference([0.2, 0.2, 0.2]).shown
    assert not difference([0.0, 0.0, 0.0]).shown
    assert difference([0.0, 0.0, 0.0]).p == 1


def test_the_same_samples_give_the_same_interval_again():
    samples = [0.1, 0.3, -0.2, 0.15]
    assert difference(samples) == difference(samples)


@pytest.mark.parametrize("seeds", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (5, 10))])
def test_an_interval_that_should_cover_zero_does_at_its_rate(seeds):
    draw = np.random.default_rng(seeds)
    found = [difference(draw.normal(0, 0.02, seeds)) for _ in range(400)]
    rate = np.mean([one.interval.covers(0) for one in found])
    assert 0.925 <= rate <= 0.985  # 95 % and the chance of 400 trials
    assert np.mean([one.p < 0.05 for one in found]) == pytest.approx(0.05, abs=0.03)


def test_a_real_effect_is_found():
    draw = np.random.default_rng(1)
    found = [difference(draw.normal(0.05, 0.02, 5)) for _ in range(200)]
    # Power of the paired t test at an effect of 2.5 deviations with 5 pairs: 0.98.
    assert np.mean([one.shown for one in found]) > 0.93
    assert all(one.mean > 0 for one in found)


def test_seeds_that_move_together_are_paired_away():
    draw = np.random.default_rng(2)
    luck = draw.normal(0, 0.2, 5)
    first = dict(enumerate(0.73 + luck + draw.normal(0, 0.003, 5)))
    second = dict(enumerate(0.70 + luck + draw.normal(0, 0.003, 5)))
    assert paired_difference(first, second).shown
    assert estimate(list(first.values())).interval.covers(0.70)


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.04 times 3, 2, 1; none below the one before.
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_paired_bootstrap_covers_the_true_difference_as_often_as_it_says():
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        first, second = rng.random((2, 100)) < [[0.8], [0.7]]  # right or wrong, 100 examples
        paired = first.astype(float) - second
        interval = paired_bootstrap(lambda rows, paired=paired: paired[rows].mean(), 100)
        covered += interval.covers(0.1)
    assert 52 <= covered <= 60  # 95 % of 60 is 57


def test_few_examples_have_no_interval():
    assert paired_bootstrap(lambda rows: 0.0, 29) is None
