"""The Kaplan–Meier curve, its median and their intervals.

Only here are seen: a censored run counted as an event or dropped from those at risk, a median off by one step, and
limits that are not the exact binomial ones when nothing is censored.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from phasescope.measures.survival import kaplan_meier


def literal_product_limit(times, observed):
    """S just after each event, as the paper's table: at risk, failed, factor, in exact fractions."""
    rows, survival = {}, Fraction(1)
    for time in sorted({t for t, o in zip(times, observed, strict=True) if o}):
        at_risk = sum(t >= time for t in times)
        failed = sum(t == time and o for t, o in zip(times, observed, strict=True))
        survival *= Fraction(at_risk - failed, at_risk)
        rows[time] = survival
    return rows


runs = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=25)


@given(runs)
@settings(deadline=None)
def test_any_runs_agree_with_the_product_limit_in_fractions(runs):
    times, observed = zip(*runs, strict=True)
    curve = kaplan_meier(times, observed)
    for time, survival in literal_product_limit(times, observed).items():
        assert curve.survival[np.flatnonzero(curve.steps == time)[0]] == pytest.approx(float(survival), abs=1e-12)


@given(runs.filter(lambda runs: any(observed for _, observed in runs)))
@settings(max_examples=40, deadline=None)
def test_any_runs_agree_with_scipy(runs):
    times, observed = map(np.array, zip(*runs, strict=True))
    data = stats.CensoredData(uncensored=times[observed], right=times[~observed])
    reference = stats.ecdf(data).sf
    curve = kaplan_meier(times, observed)
    index = np.searchsorted(curve.steps, reference.quantiles)
    np.testing.assert_allclose(curve.survival[index], reference.probabilities, atol=1e-12)


def test_the_published_remission_times_give_the_published_curve():
    # 6-MP arm of Freireich et al. (1963), the standard textbook example: S(6) … S(23), median 23
    times = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    observed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = kaplan_meier(times, observed)
    at_events = curve.survival[curve.events > 0]
    np.testing.assert_allclose(at_events, [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], atol=5e-4)
    assert curve.estimate == 23


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
@settings(deadline=None)
def test_without_censoring_the_median_is_the_sample_median(times):
    assert kaplan_meier(times, [True] * len(times)).estimate == np.median(times)


@given(st.integers(6, 40))
@settings(deadline=None)
def test_without_censoring_the_interval_is_that_of_the_sign_test(n):
    # order statistics X(k), X(n + 1 − k) with the largest k such that P(Binomial(n, ½) ≤ k − 1) ≤ 0.025
    k = max(k for k in range(1, n) if stats.binom.cdf(k - 1, n, 0.5) <= 0.025)
    assert kaplan_meier(np.arange(1, n + 1), np.ones(n, dtype=bool)).interval == (k, n + 1 - k)


def test_without_censoring_the_band_is_the_exact_binomial_interval():
    n = 12
    curve = kaplan_meier(np.arange(1, n + 1), np.ones(n))
    for step in range(n + 1):
        exact = stats.binomtest(n - step, n).proportion_ci(method="exact")
        np.testing.assert_allclose(curve.band[step], [exact.low, exact.high], atol=1e-9)


def test_two_censored_runs_give_the_band_computed_by_hand():
    # at risk 5 at the first event, 3 at the second after one censoring: S = 4/5 · 2/3
    curve = kaplan_meier([1, 2, 3, 4, 5], [1, 0, 1, 0, 0])
    assert curve.survival[curve.steps == 3] == pytest.approx(8 / 15)
    draws = np.random.default_rng(0).beta([5, 3], 1, size=(200_000, 2)).prod(axis=1)
    # the moments agree exactly, the quantiles of the product to about a percent
    assert curve.band[3, 1] == pytest.approx(np.quantile(draws, 0.975), abs=0.01)


def test_fewer_than_half_there_leaves_no_median_and_a_bound():
    curve = kaplan_meier([400, 500, 1500, 1500, 1500, 1500, 1500, 1500], [1, 1, 0, 0, 0, 0, 0, 0])
    assert curve.estimate is None
    assert curve.interval == (400, math.inf)  # as the sign test: the first of eight
    assert "2 of 8 runs got there by step 1500" in curve.caveats[0]
    assert "at least 400" in curve.caveats[0]


def test_eight_runs_none_of_them_there_are_all_beyond_the_horizon():
    assert kaplan_meier([1500] * 8, [0] * 8).interval == (1500, math.inf)


def test_four_runs_cannot_bound_a_median_and_say_so():
    assert "4 runs cannot bound a median with 95% confidence; 6 can" in kaplan_meier([1, 2, 3, 4], [1] * 4).caveats[-1]


def test_a_run_censored_at_the_step_of_an_event_is_still_at_risk_there():
    curve = kaplan_meier([5, 5, 7], [1, 0, 1])
    np.testing.assert_allclose(curve.survival, [1, 2 / 3, 0])
    assert curve.at_risk.tolist() == [3, 3, 1]


@given(runs, st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_runs_does_not_matter(runs, seed):
    times, observed = map(np.array, zip(*runs, strict=True))
    order = np.random.default_rng(seed).permutation(len(times))
    one, other = kaplan_meier(times, observed), kaplan_meier(times[order], observed[order])
    assert (one.estimate, one.interval) == (other.estimate, other.interval)


@pytest.mark.parametrize("censored", [0.0, 0.3])
def test_the_interval_covers_the_true_median_of_eight_runs(censored):
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        true = np.exp(0.4 * rng.standard_normal(8))
        limit = np.where(rng.random(8) < censored, rng.random(8) * 2, np.inf)
        low, high = kaplan_meier(np.minimum(true, limit), true <= limit).interval
        hits += low <= 1 <= high
    assert hits / 300 >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / 300)


@pytest.mark.parametrize(
    ("times", "observed", "message"),
    [
        ([], [], "at least one run"),
        ([1, 2], [True], "same length"),
        ([1, np.nan], [True, False], "last step looked at"),
        ([-1], [True], "not negative"),
        ([1, 2], [2, 0], "True or False"),
    ],
)
def test_malformed_runs_are_refused_with_the_reason(times, observed, message):
    with pytest.raises(ValueError, match=message):
        kaplan_meier(times, observed)


def test_confidence_is_a_probability():
    with pytest.raises(ValueError, match="between 0 and 1; got 95"):
        kaplan_meier([1], [1], confidence=95)


def test_at_a_tie_the_one_that_got_there_comes_before_the_censored_one():
    # Both are at risk at step 5: half of them get there. The other order would leave nobody at risk but one.
    for observed in ([True, False], [False, True]):
        curve = kaplan_meier([5.0, 5.0], observed)
        assert curve.survival[curve.steps == 5].tolist() == [0.5]
