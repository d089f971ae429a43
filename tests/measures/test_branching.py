"""Branching ratio and autocorrelation.

Only here are seen: a slope formula off by a mean, lags off by one, an estimate that follows the share of events seen,
and an interval on the wrong scale.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasescope.measures.autocorrelation import lagged_sums, regression_slopes
from phasescope.measures.branching import branching_ratio
from phasescope.synthetic.branching import branching_process, subsampled


def literal_slopes(x, max_lag, first, last):
    """Regression of x[t + k] on x[t] over first members t in first … last − 1, by numpy's own least squares."""
    members = np.arange(first, last)
    return np.array([np.polyfit(x[members], x[members + k], 1)[0] for k in range(max_lag + 1)])


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(10, 200))
@settings(max_examples=30, deadline=None)
def test_sums_of_all_blocks_give_the_regression_slopes(seed, max_lag, block):
    x = np.random.default_rng(seed).poisson(3, size=400).astype(float)
    slopes = regression_slopes(lagged_sums(x, max_lag=max_lag, block=block))
    np.testing.assert_allclose(slopes, literal_slopes(x, max_lag, 0, 400 - max_lag), atol=1e-9)


def test_a_weighted_block_counts_as_often_as_its_weight():
    x = np.random.default_rng(0).standard_normal(1_000)
    sums = lagged_sums(x, max_lag=5, block=100)
    weights = np.zeros((1, sums.n_pairs.size))
    weights[0, 3] = 2
    edges = np.linspace(0, 995, sums.n_pairs.size + 1).astype(int)
    np.testing.assert_allclose(
        regression_slopes(sums, weights)[0], literal_slopes(x, 5, edges[3], edges[4]), rtol=1e-9, atol=1e-12
    )


def test_slopes_of_an_autoregression_are_powers():
    rng = np.random.default_rng(1)
    x = np.zeros(200_000)
    steps = rng.standard_normal(x.size)
    for t in range(1, x.size):
        x[t] = 0.9 * x[t - 1] + steps[t]
    slopes = regression_slopes(lagged_sums(x, max_lag=20, block=x.size))
    np.testing.assert_allclose(slopes, 0.9 ** np.arange(21), atol=0.03)


@pytest.mark.parametrize("probability", [1.0, 0.1, 0.01])
def test_survives_observing_one_percent_of_the_events(probability):
    rng = np.random.default_rng(7)
    full = branching_process(ratio=0.98, drive=20.0, n_bins=100_000, rng=rng)
    found = branching_ratio(subsampled(full, probability=probability, rng=rng))
    assert found.interval[0] < 0.98 < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.01
    # b = p/(p + (1 − p)(1 − m²)), and the naive estimate is b·m
    amplitude = probability / (probability + (1 - probability) * (1 - 0.98**2))
    assert found.amplitude == pytest.approx(amplitude, rel=0.12)
    assert found.naive == pytest.approx(amplitude * 0.98, rel=0.12)


def test_the_estimate_lies_within_its_interval_and_matches_its_time():
    activity = branching_process(ratio=0.9, drive=10.0, n_bins=20_000, rng=np.random.default_rng(3))
    found = branching_ratio(activity, max_lag=30)
    assert found.interval[0] < found.estimate < found.interval[1]
    assert found.correlation_time == pytest.approx(-1 / math.log(found.estimate))
    assert found.lags.tolist() == list(range(1, 31))
    assert found.slopes[0] == found.naive


def test_the_interval_covers():
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng([11, seed])
        seen = subsampled(branching_process(ratio=0.9, drive=100.0, n_bins=5_000, rng=rng), probability=0.1, rng=rng)
        low, high = branching_ratio(seen).interval
        covered += low <= 0.9 <= high
    assert covered >= 270  # 90 %: at 95 % fewer are four standard errors away


def test_an_interval_that_reaches_the_critical_point_says_so():
    answers = [
        branching_ratio(branching_process(ratio=0.998, drive=2.0, n_bins=5_500, rng=np.random.default_rng(seed)))
        for seed in range(20)
    ]
    reaching = [found for found in answers if found.interval[1] == 1.0]
    assert reaching
    assert all("m = 1" in " ".join(found.caveats) for found in reaching)


def test_scaling_the_activity_changes_nothing():
    activity = branching_process(ratio=0.9, drive=10.0, n_bins=20_000, rng=np.random.default_rng(3))
    one, other = branching_ratio(activity), branching_ratio(7 * activity)
    assert other.estimate == pytest.approx(one.estimate, abs=1e-6)


def test_independent_bins_leave_m_undetermined():
    answers = []
    for seed in range(10):  # where the best amplitude is not positive there is no estimate at all
        try:
            answers.append(" ".join(branching_ratio(np.random.default_rng(seed).poisson(4, size=5_000)).caveats))
        except ValueError as error:
            answers.append(str(error))
    assert all("not determined" in answer or "does not rise" in answer for answer in answers)


def test_a_trend_is_not_taken_for_criticality_in_silence():
    activity = np.random.default_rng(0).poisson(np.linspace(5, 50, 20_000))
    caveats = " ".join(branching_ratio(activity).caveats)
    assert "hardly decays" in caveats or "not stationary" in caveats


def test_a_short_record_says_what_its_interval_is_worth():
    activity = branching_process(ratio=0.98, drive=20.0, n_bins=5_000, rng=np.random.default_rng(1))
    assert any("correlation times long" in caveat for caveat in branching_ratio(activity).caveats)


@pytest.mark.parametrize(
    ("activity", "message"),
    [
        (np.ones(9_000), "activity is 1 in all 9000 bins, so m is undefined; check the event threshold"),
        (np.arange(50), "at least 200"),
        (np.full(500, np.nan), "finite"),
        (-np.arange(500.0), "not negative"),
        (np.tile([0, 9], 500), "does not rise"),
    ],
)
def test_bad_activity_is_told_in_one_sentence(activity, message):
    with pytest.raises(ValueError, match=message):
        branching_ratio(activity)


def test_a_lag_beyond_a_tenth_of_the_record_is_refused():
    with pytest.raises(ValueError, match="3 … 100"):
        branching_ratio(np.random.default_rng(0).poisson(3, 1_000), max_lag=101)
