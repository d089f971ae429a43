"""The calibration's power laws and branching processes.

Only here are seen: a case whose answer names another quantity than its truth, a system that does not have the parameter
it is said to have, and a decision that reads the wrong end of a p-value.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasescope.studies.criticality.calibration import EstimateCase
from phasescope.studies.criticality.cases import branching, power_laws

CASES = {case.name: case for case in (*power_laws.CASES, *branching.CASES)}
ESTIMATES = [name for name, case in CASES.items() if isinstance(case, EstimateCase)]


@pytest.mark.parametrize("name", ESTIMATES)
def test_an_answer_names_the_quantity_whose_truth_is_known_and_is_near_it(name):
    case = CASES[name]
    answer = case.estimate(np.random.default_rng(3))
    assert answer.keys() == case.truths.keys()
    for quantity, (estimate, low, high) in answer.items():
        assert low <= estimate <= high
        assert abs(estimate - case.truths[quantity]) < 2 * (high - low)  # eight standard errors


@pytest.mark.parametrize("sampling", [1.0, 0.01])
def test_the_observed_activity_has_the_mean_and_the_slope_of_the_theory(sampling):
    activity = branching.observed(0.9, sampling, 200_000, np.random.default_rng(0))
    assert activity.mean() == pytest.approx(sampling * branching.MEAN_ACTIVITY, rel=0.01)
    amplitude = sampling / (sampling + (1 - sampling) * (1 - 0.9**2))
    assert np.corrcoef(activity[:-1], activity[1:])[0, 1] == pytest.approx(0.9 * amplitude, abs=0.01)


def test_censoring_cuts_two_values_in_five():
    # P(limit < true) with survival x^−1 and x^−1.5: 1 − 1.5/2.5 = 0.4 of the values
    shares = [power_laws._censored(np.random.default_rng(seed)).censored.mean() for seed in range(50)]
    assert np.mean(shares) == pytest.approx(0.4, abs=5 * math.sqrt(0.24 / 50_000))


def test_the_body_holds_seven_values_in_eight():
    body, tail = math.expm1(2.5) / 2.5, 1 / 1.5
    shares = [(power_laws._with_body(np.random.default_rng(seed)).values < 1).mean() for seed in range(50)]
    assert np.mean(shares) == pytest.approx(body / (body + tail), abs=5 * math.sqrt(0.11 / 50_000))


@pytest.mark.parametrize("name", [name for name in CASES if name not in ESTIMATES])
def test_what_is_false_is_seldom_decided(name):
    case = CASES[name]
    few = 10
    yes = sum(case.decide(np.random.default_rng([5, trial])) for trial in range(few))
    if not case.is_true:  # at most bound: seven of ten at .12 happen once in forty thousand
        assert yes < 7
