"""Crossings and delays.

Only here are seen: a crossing reported at the step before it happened, a bracket that ignores a missing value, a run
that fell back counted as one that stayed, and a censored run that is dropped instead of bounded.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasescope.measures.delay import crossing, delay, generalization_step, memorization_step

STEPS = [0, 10, 20, 40, 80, 160]


def literal_crossing(steps, values, threshold):
    """First and last upward crossing by walking along the finite values, one at a time."""
    first = last = bracket = None
    before_step, before_above = None, False
    for step, value in zip(steps, values, strict=True):
        if not math.isfinite(value):
            continue
        above = value >= threshold
        if above and not before_above:
            last = step
            if first is None:
                first = step
                bracket = (0.0 if before_step is None else before_step, step)
        before_step, before_above = step, above
    return first, last, bracket


def test_a_rising_curve_crosses_once_between_two_evaluations():
    found = crossing(STEPS, [0.0, 0.2, 0.5, 0.98, 0.99, 1.0])
    assert (found.estimate, found.interval, found.last, found.final) == (80, (40, 80), 80, 1.0)
    assert found.n_crossings == 1
    assert found.caveats == ()


def test_a_curve_that_falls_back_has_a_first_and_a_last_crossing():
    found = crossing(STEPS, [0.0, 1.0, 0.5, 1.0, 0.4, 0.3])
    assert (found.estimate, found.last, found.final, found.n_crossings) == (10, 40, 0.3, 2)
    assert "upward 2 times" in found.caveats[0]
    assert "below the threshold again" in found.caveats[1]


def test_a_curve_that_never_gets_there_is_censored_at_its_last_step():
    found = crossing(STEPS, [0.1] * 6)
    assert (found.estimate, found.interval, found.last, found.censored_at) == (None, None, None, 160)


def test_a_missing_value_widens_the_bracket_and_is_counted():
    found = crossing(STEPS, [0.0, 0.2, np.nan, np.inf, 1.0, 1.0])
    assert (found.estimate, found.interval) == (80, (10, 80))
    assert found.caveats == ("2 of 6 values of the curve are not finite and were left out",)


def test_a_curve_that_ends_in_nan_is_censored_where_it_was_last_seen():
    found = crossing(STEPS, [0.0, 0.2, 0.3, 0.4, np.nan, np.nan])
    assert found.censored_at == 40
    assert math.isnan(found.final)


def test_a_start_above_the_threshold_says_that_the_crossing_lies_before():
    found = crossing([10, 20], [1.0, 1.0])
    assert found.interval == (0.0, 10.0)
    assert "anywhere before it" in found.caveats[0]
    assert crossing([0, 20], [1.0, 1.0]).caveats == ()


def test_only_nan_is_an_answer_without_numbers():
    found = crossing([1, 2], [np.nan, np.nan])
    assert found.estimate is None
    assert math.isnan(found.censored_at)


@given(
    st.lists(st.one_of(st.floats(0, 1), st.sampled_from([math.nan, math.inf, 0.5])), min_size=1, max_size=30),
    st.floats(0.01, 0.99),
)
@settings(deadline=None)
def test_any_curve_agrees_with_a_walk_along_it(values, threshold):
    steps = np.cumsum(np.arange(1, len(values) + 1))
    found = crossing(steps, values, threshold=threshold)
    assert (found.estimate, found.last, found.interval) == literal_crossing(steps, values, threshold)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0.1, 1000))
@settings(deadline=None)
def test_rescaling_the_steps_rescales_the_crossing(values, factor):
    steps = np.arange(1.0, len(values) + 1)
    plain, scaled = crossing(steps, values, threshold=0.5), crossing(steps * factor, values, threshold=0.5)
    if plain.estimate is None:
        assert scaled.estimate is None
    else:
        assert scaled.estimate == pytest.approx(plain.estimate * factor)


def test_the_delay_is_a_ratio_and_its_interval_follows_from_the_brackets():
    train = memorization_step(STEPS, [0, 0.5, 1, 1, 1, 1])
    test = generalization_step(STEPS, [0, 0, 0, 0.1, 0.5, 1])
    found = delay(train, test)
    assert (found.estimate, found.interval) == (160 / 20, (80 / 20, 160 / 10))
    assert (found.memorization_step, found.generalization_step_interval) == (20, (80, 160))


def test_a_run_that_never_generalizes_has_a_lower_bound():
    found = delay(memorization_step(STEPS, [0, 1, 1, 1, 1, 1]), generalization_step(STEPS, [0] * 6))
    assert (found.estimate, found.lower_bound) == (None, 16)
    assert "more than 16" in found.caveats[0]


def test_a_run_that_never_memorizes_has_no_delay_and_no_bound():
    found = delay(memorization_step(STEPS, [0] * 6), generalization_step(STEPS, [0, 0, 0, 0, 0, 1]))
    assert (found.estimate, found.lower_bound, found.interval) == (None, None, None)


def test_memorization_at_the_first_evaluation_leaves_the_delay_unbounded_above():
    found = delay(memorization_step([10, 20], [1, 1]), generalization_step([10, 20], [0, 1]))
    assert found.interval == (1.0, math.inf)
    assert delay(memorization_step([0, 20], [1, 1]), generalization_step([0, 20], [0, 1])).estimate is None


def test_a_delay_with_two_thresholds_or_a_fallen_test_curve_says_so():
    steps = [1, 2, 3]
    found = delay(memorization_step(steps, [0, 1, 1], threshold=0.9), generalization_step(steps, [0, 1, 0.2]))
    assert "thresholds differ" in found.caveats[0]
    assert "ends at 0.2" in found.caveats[1]


@pytest.mark.parametrize(
    ("steps", "values", "message"),
    [
        ([], [], "no points"),
        ([1, 2], [0.5], "same length"),
        ([[1, 2]], [[0.5, 1]], "one-dimensional"),
        ([1, 1], [0, 1], "1 is followed by 1 at position 1"),
        ([-1, 1], [0, 1], "not be negative"),
        ([0, np.nan], [0, 1], "finite"),
    ],
)
def test_a_malformed_curve_is_refused_with_the_reason(steps, values, message):
    with pytest.raises(ValueError, match=message):
        crossing(steps, values)


def test_a_threshold_must_be_a_number():
    with pytest.raises(ValueError, match="finite number; got nan"):
        crossing([1], [1], threshold=math.nan)


def test_a_crossing_prints_and_serializes():
    found = crossing(STEPS, [0, 0, 0, 0, 0, np.nan])
    assert found.to_dict()["final"] is None
    assert "estimate" in str(found)
