"""Binned fits: the likelihood of the bins against a literal optimizer, fine bins against points, calibration."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from phasescope.measures.power_law_bins import fit_binned_power_law

EDGES = np.append(2.0 ** np.arange(10), np.inf)


def histogram(n, seed=0, edges=EDGES):
    return np.histogram(np.random.default_rng(seed).pareto(1.5, n) + 1, edges)[0]


def test_the_exponent_maximizes_the_likelihood_of_the_bins():
    counts = histogram(2000)
    fit = fit_binned_power_law(EDGES, counts, x_min=1.0, n_bootstrap=100, rng=np.random.default_rng(0))

    def loss(alpha):
        return -np.sum(counts * np.log(EDGES[:-1] ** (1 - alpha) - EDGES[1:] ** (1 - alpha)))

    best = minimize_scalar(loss, bounds=(1.5, 4), method="bounded", options={"xatol": 1e-10}).x
    assert fit.alpha == pytest.approx(best, abs=1e-6)
    h = 1e-3
    curvature = (loss(best + h) - 2 * loss(best) + loss(best - h)) / h**2
    assert fit.standard_error == pytest.approx(curvature**-0.5, rel=1e-4)


def test_fine_bins_are_points():
    data = np.random.default_rng(1).pareto(1.5, 3000) + 1
    edges = np.append(np.geomspace(1, 1e4, 20_000), np.inf)
    fit = fit_binned_power_law(
        edges, np.histogram(data, edges)[0], x_min=1, n_bootstrap=100, rng=np.random.default_rng(0)
    )
    assert fit.alpha == pytest.approx(1 + data.size / np.log(data).sum(), rel=1e-3)


def test_interval_and_p_are_calibrated_when_x_min_is_given():
    rng, hits, p_values = np.random.default_rng(5), 0, []
    for seed in range(200):
        fit = fit_binned_power_law(EDGES, histogram(1000, seed), x_min=1.0, n_bootstrap=150, rng=rng)
        hits += fit.interval[0] <= 2.5 <= fit.interval[1]
        p_values.append(fit.p_value)
    assert hits / 200 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)
    assert np.mean(p_values) == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 200))


def test_the_scan_leaves_out_a_body_that_is_no_power_law():
    counts = histogram(5000)
    counts[:2] = 10
    fit = fit_binned_power_law(EDGES, counts, n_bootstrap=100, rng=np.random.default_rng(0))
    assert fit.x_min >= 4
    assert fit.interval[0] < 2.5 < fit.interval[1]


@pytest.mark.parametrize(
    ("edges", "counts", "options", "message"),
    [
        ([1, 2], [3, 4], {}, "n counts need n . 1 edges"),
        ([2, 1, 3], [3, 4], {}, "positive and rising"),
        ([0, 1, 3], [3, 4], {}, "positive and rising"),
        ([1, 2, 3], [3, -4], {}, "whole and not negative"),
        ([1, 2, 3], [3, 0], {}, "two occupied bins"),
        ([1, 2, 3], [3, 1], {"x_min": 1.5}, "one of the edges; got 1.5"),
        ([1, 2, 3], [3, 1], {"n_bootstrap": 5}, "at least 100"),
    ],
)
def test_malformed_histograms_are_refused(edges, counts, options, message):
    with pytest.raises(ValueError, match=message):
        fit_binned_power_law(edges, counts, **options, rng=np.random.default_rng(0))
