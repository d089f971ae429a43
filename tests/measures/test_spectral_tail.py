"""Only this sees the end of a bulk taken for a power law, or separate spikes. Truths: eigenvalues of either kind."""

import numpy as np
import pytest

from phasescope.measures.marchenko_pastur import quantile
from phasescope.measures.spectral_tail import compare_with_marchenko_pastur, spectral_tail
from phasescope.measures.vuong import Comparison


def judged(beyond, relative_error=0.03, **options):
    options = {"aspect": 0.5, "n_samples": 2000, "n_bootstrap": 100, "rng": np.random.default_rng(1)} | options
    return spectral_tail(np.sort(beyond), relative_error * np.sort(beyond), **options)


def pareto_quantiles(n=4000):
    """Where the law puts n eigenvalues, without the chance by which one sample in ten is rejected."""
    return ((np.arange(n) + 0.5) / n) ** (-1 / 0.8)


def test_a_long_pareto_tail_is_a_power_law():
    found = judged(pareto_quantiles())
    assert found.is_heavy
    assert found.verdict == "supported"
    assert found.interval[0] < 1.8 < found.interval[1]
    assert found.law.x_min == pareto_quantiles().min()
    assert found.spike_log_ratio > 0
    assert found.bulk.log_ratio > 0


def test_a_tail_that_begins_further_out_is_found_there():
    lower = np.linspace(0.02, 1, 200, endpoint=False)
    found = judged(np.r_[lower, pareto_quantiles(1000)])
    assert found.law.x_min == pytest.approx(1, rel=0.1)
    assert found.estimate == pytest.approx(1.8, abs=0.05)


def test_the_end_of_a_bulk_is_not():
    noise = quantile((np.arange(400) + 0.5) / 400, 0.5, variance=2)[300:]
    alpha = 1 + 1 / np.log(noise / noise[0]).mean()
    found = compare_with_marchenko_pastur(noise, alpha=alpha, x_min=noise[0], aspect=0.5)
    assert found.log_ratio < 0
    assert found.p_value < 0.01
    assert found.parameters["variance"] == pytest.approx(2, rel=0.02)
    again = compare_with_marchenko_pastur(noise, alpha=alpha, x_min=noise[0], aspect=2.0)
    assert again.log_ratio == pytest.approx(found.log_ratio)


def test_a_tail_that_a_wider_bulk_fits_as_well_is_not_heavy(monkeypatch):
    """However good the law, it must beat the bulk: here the comparison is made to be undecided."""
    undecided = Comparison(
        law="marchenko_pastur", parameters={}, log_ratio=0.5, normalized_ratio=0.4, p_value=0.7, nested=False
    )
    monkeypatch.setattr("phasescope.measures.spectral_tail.compare_with_marchenko_pastur", lambda *a, **k: undecided)
    found = judged(pareto_quantiles())
    assert found.verdict == "not distinguishable from a wider bulk"
    assert not found.is_heavy


def test_no_bulk_is_as_wide_as_that():
    tail = np.geomspace(1, 1e4, 50)
    found = compare_with_marchenko_pastur(tail, alpha=1.2, x_min=1.0, aspect=0.1)
    assert found.log_ratio == np.inf
    assert found.p_value == 0


def test_spikes_known_exactly_need_no_law():
    """The likelihood of a free spike grows as its error shrinks; that of the law does not."""
    beyond = pareto_quantiles()
    ratios = [judged(beyond, error).spike_log_ratio for error in (0.1, 0.01, 1e-9)]
    n = judged(beyond).law.n_tail
    assert ratios[0] - ratios[1] == pytest.approx(n * np.log(10), rel=1e-6)
    found = judged(beyond, 1e-9)
    assert not found.is_heavy
    assert "separate spikes describe the eigenvalues better" in found.reason


def test_too_few_are_not_fitted():
    assert judged(np.arange(1.0, 10)) is None
    assert judged(np.ones(20)) is None
