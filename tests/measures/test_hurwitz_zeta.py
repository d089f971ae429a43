"""Hurwitz zeta against SciPy and against its own derivatives; only here would a wrong Bernoulli number show."""

import math

import numpy as np
import pytest
from scipy.special import zeta

from phasescope.measures.hurwitz_zeta import bounded_zeta_moments, log_survival, scaled_zeta, zeta_moments


@pytest.mark.parametrize("a", [1.01, 1.5, 2.0, 2.5, 3.5, 7.3, 20.0, 60.0])
@pytest.mark.parametrize("q", [1.0, 2.0, 3.0, 7.0, 12.0, 13.0, 100.0, 1e4])
def test_it_is_the_zeta_function_scaled(a, q):
    assert scaled_zeta(a, q) == pytest.approx(zeta(a, q) * q**a, rel=3e-14)
    assert zeta_moments(a, q)[0] == pytest.approx(zeta(a, q) * q**a, rel=3e-14)


def test_known_values():
    assert scaled_zeta(2.0, 1.0) == pytest.approx(math.pi**2 / 6, rel=1e-15)
    assert scaled_zeta(4.0, 1.0) == pytest.approx(math.pi**4 / 90, rel=1e-15)
    # −ζ'(2) = Σ ln k / k²
    assert zeta_moments(2.0, 1.0)[1] == pytest.approx(0.937548254315844, rel=1e-14)


@pytest.mark.parametrize("a", [1.2, 2.5, 6.0, 25.0])
@pytest.mark.parametrize("q", [1.0, 5.0, 30.0, 1e5])
def test_each_moment_is_minus_the_derivative_of_the_one_before(a, q):
    h = 1e-5 * (a - 1)
    above, below, here = zeta_moments(a + h, q), zeta_moments(a - h, q), zeta_moments(a, q)
    for r in range(3):
        assert (below[r] - above[r]) / (2 * h) == pytest.approx(here[r + 1], rel=1e-7)


def test_no_underflow_where_the_function_itself_underflows():
    assert zeta(50.0, 1e7) == 0
    assert scaled_zeta(50.0, 1e7) == pytest.approx(1e7 / 49 + 0.5, rel=1e-6)
    assert log_survival(50.0, 1e7, 2e7) == pytest.approx(-49 * math.log(2), rel=1e-5)


@pytest.mark.parametrize("a", [-1.3, 0.2, 0.9899, 0.9901, 1 - 1e-9, 1.0, 1.0001, 1.0099, 1.0101, 1.7, 30.0])
@pytest.mark.parametrize(("q", "end"), [(1, 20), (1, 500), (7, 3000), (40, 100), (40, 5000), (3, 300_000)])
def test_bounded_sums_are_sums_whatever_the_exponent(a, q, end):
    k = np.arange(q, end + 1) / q
    for r, moment in enumerate(bounded_zeta_moments(a, float(q), float(end))):
        assert moment == pytest.approx(np.sum(k**-a * np.log(k) ** r), rel=1e-9)
