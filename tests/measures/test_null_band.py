"""The null band: only this file sees ends that are too narrow when few values were simulated."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.null_band import null_band


def test_ends_have_the_ranks_that_hold_95_percent_of_further_values():
    median, (low, high) = null_band(np.arange(1.0, 200.0))  # 199 values: ranks 5, 100 and 195
    assert (low, median, high) == pytest.approx((5.0, 100.0, 195.0))
    assert null_band(np.arange(1.0, 40.0))[1] == pytest.approx((1.0, 39.0))  # 39 values: the extremes


def test_a_further_value_falls_inside_in_95_percent_of_cases_also_with_few_values():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(4000):
        _, (low, high) = null_band(rng.normal(size=39))
        inside += low <= rng.normal() <= high
    assert inside / 4000 == pytest.approx(0.95, abs=0.015)


def test_no_values_make_no_band():
    assert null_band([]) == (None, None)
