"""The corrected power law: its normalization, moments and maximum likelihood, against sums, integrals and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize

from phasescope.measures.cutoff_power_law import Window, fit_corrected

PARAMETERS = [np.array([1.5, 0.4]), np.array([2.3, -0.8]), np.array([1.2, 2.0])]


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("x_min", [1.0, 7.0])
def test_an_endless_discrete_law_sums_to_one(parameters, x_min):
    window = Window(x_min, math.inf, True)
    log_z, mean, covariance = window.moments(parameters, window.support(x_min))
    x = np.arange(x_min, 4e6)
    density = np.exp(parameters @ window.features(x))
    # The rest by the integral of x^−τ alone: the correction is gone there.
    rest = (x[-1] + 0.5) ** (1 - parameters[0]) * x_min ** parameters[0] / (parameters[0] - 1)
    assert math.exp(log_z) * x_min == pytest.approx(density.sum() + rest, rel=2e-6)
    logs = (density * window.features(x)[1]).sum() / (density.sum() + rest)
    assert mean[1] == pytest.approx(logs, rel=1e-4)
    assert np.linalg.eigvalsh(covariance).min() > 0


@pytest.mark.parametrize("discrete", [True, False])
def test_a_bounded_law_has_the_moments_of_a_direct_sum(discrete):
    window, parameters = Window(3.0, 500.0, discrete), np.array([1.4, 0.5, -1.2])
    log_z, mean, covariance = window.moments(parameters, window.support(3.0))
    if discrete:
        x, weights = np.arange(3.0, 501.0), np.ones(498)
    else:
        nodes, weights = np.polynomial.legendre.leggauss(2_000)
        u = math.log(3) + (nodes + 1) / 2 * math.log(500 / 3)
        x = np.exp(u)
        weights = weights * math.log(500 / 3) / 2 * x
    features = window.features(x)
    masses = weights * np.exp(parameters @ features)
    assert math.exp(log_z) * 3.0 == pytest.approx(masses.sum(), rel=1e-6)
    masses /= masses.sum()
    np.testing.assert_allclose(mean, features @ masses, rtol=1e-6)
    np.testing.assert_allclose(
        covariance, (features * masses) @ features.T - np.outer(mean, mean), rtol=1e-4, atol=1e-8
    )


def test_the_fit_is_the_maximum_that_a_search_without_derivatives_finds():
    rng = np.random.default_rng(0)
    values, counts = np.unique(np.floor(2 * rng.random(4_000) ** (-1 / 0.6)), return_counts=True)
    window = Window(2.0, math.inf, True)
    bounds, bound_counts = np.array([30.0]), np.array([200.0])
    fit = fit_corrected(values, counts.astype(float), bounds, bound_counts, window)
    assert fit.converged

    x = np.arange(2.0, 1e6)

    def negative(parameters):
        log_density = parameters @ window.features(x)
        density = np.exp(log_density)
        rest = (x[-1] + 0.5) ** (1 - parameters[0]) * 2.0 ** parameters[0] / (parameters[0] - 1)
        total, above = density.sum() + rest, density[x >= 30].sum() + rest
        events = counts @ (parameters @ window.features(values))
        return -(events + 200 * math.log(above) - (counts.sum() + 200) * math.log(total)) / counts.sum()

    tight = {"xatol": 1e-4, "fatol": 1e-11}
    found = optimize.minimize(negative, fit.parameters + np.array([0.05, -0.2]), method="Nelder-Mead", options=tight)
    np.testing.assert_allclose(fit.parameters, found.x, atol=2e-3)
    assert negative(fit.parameters) <= found.fun + 1e-9


def test_a_law_with_correction_is_recovered():
    # Inverse transform of the exact law with τ = 1.7, c = 1 on whole numbers.
    rng = np.random.default_rng(4)
    x = np.arange(1.0, 2e6)
    cumulative = np.cumsum(x**-1.7 * np.exp(1 / x))
    draws = x[np.searchsorted(cumulative, rng.random(40_000) * cumulative[-1])]
    values, counts = np.unique(draws, return_counts=True)
    fit = fit_corrected(values, counts.astype(float), np.empty(0), np.empty(0), Window(1.0, math.inf, True))
    errors = np.sqrt(np.diag(np.linalg.inv(fit.information)))
    assert abs(fit.exponent - 1.7) < 4 * errors[0]
    assert abs(fit.parameters[1] - 1.0) < 4 * errors[1]


def test_too_few_distinct_values_have_no_fit():
    assert (
        fit_corrected(np.array([1.0, 2.0]), np.ones(2), np.empty(0), np.empty(0), Window(1.0, math.inf, True)) is None
    )


def test_a_continuous_endless_law_is_normalized():
    window, parameters = Window(2.0, math.inf, False), np.array([1.8, 0.7])
    log_z, _, _ = window.moments(parameters, window.support(2.0))
    exact, _ = integrate.quad(lambda u: 2 * math.exp(u * (1 - 1.8) + 0.7 * math.exp(-u)), 0, np.inf)
    assert math.exp(log_z) * 2.0 == pytest.approx(exact, rel=1e-8)
