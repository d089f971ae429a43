"""The scan over thresholds and bin sizes: critical activity keeps its exponents, noise has none, saturation is seen."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.avalanche_exponents import avalanche_exponents
from phasescope.measures.avalanche_scan import avalanche_scan
from phasescope.measures.avalanches import avalanches
from phasescope.studies.criticality.cases.verdicts import in_time
from phasescope.synthetic.galton_watson import galton_watson


@pytest.fixture(scope="module")
def activity():
    rng = np.random.default_rng(4)
    return in_time(galton_watson(6_000, max_generations=20_000, profiles=True, rng=rng), mean_silence=20.0, rng=rng)


def test_a_threshold_of_no_event_gives_the_avalanches_themselves(activity):
    scan = avalanche_scan(activity, thresholds=(0.0,), bin_sizes=(1,))
    alone = avalanche_exponents(avalanches(activity))
    assert scan.n_avalanches.tolist() == [[6_000]]
    assert scan.active_share[0, 0] == pytest.approx(np.mean(activity > 0))
    expected = [alone.size_exponent, alone.duration_exponent, alone.mean_size_exponent]
    np.testing.assert_allclose(scan.exponents[0, 0], expected)
    np.testing.assert_allclose(scan.errors[0, 0], np.sqrt(np.diag(alone.covariance)))
    assert scan.crackling_p[0, 0] == pytest.approx(alone.crackling.p_value)


def test_short_bins_keep_the_exponents_of_critical_trees(activity):
    scan = avalanche_scan(activity, thresholds=(0.0,), bin_sizes=(1, 2, 4))
    assert scan.estimate == 1.0
    errors = (scan.exponents[0] - [1.5, 2.0, 2.0]) / scan.errors[0]
    assert (np.abs(errors) < 3.5).all()
    assert scan.agreement is not None
    assert scan.agreement < 2


def test_rows_are_thresholds_and_columns_bin_sizes(activity):
    scan = avalanche_scan(activity, thresholds=(0.0, 5.0, 1e9), bin_sizes=(1, 8))
    assert scan.n_avalanches.shape == (3, 2)
    assert scan.n_avalanches[0, 1] < scan.n_avalanches[0, 0]  # silences are bridged
    assert scan.n_avalanches[2].tolist() == [0, 0]
    assert np.isnan(scan.exponents[2]).all()
    assert "never above" in scan.troubles[4]


def test_independent_noise_scales_at_no_setting():
    noise = np.random.default_rng(0).standard_normal((20, 30_000))
    scan = avalanche_scan(noise, thresholds=(2.0, 2.5, 3.0), bin_sizes=(1, 2, 4))
    assert scan.estimate == 0.0
    assert all(scan.troubles)
    assert scan.agreement is None


def test_units_that_cannot_count_bend_the_law(activity):
    """Twenty units that are on or off: large avalanches grow with their duration only."""
    rng = np.random.default_rng(0)
    raster = rng.multinomial(activity, np.full(20, 1 / 20)).T
    scan = avalanche_scan(raster, thresholds=(0.5,), bin_sizes=(1,))
    counted = avalanche_exponents(avalanches(raster))
    if np.isfinite(scan.exponents[0, 0, 2]):
        assert scan.exponents[0, 0, 2] < counted.mean_size_exponent_interval[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: avalanche_scan(np.zeros((2, 3, 4)), thresholds=(1.0,)), "n_units, n_bins"),
        (lambda: avalanche_scan([0.0, np.nan], thresholds=(1.0,)), "record"),
        (lambda: avalanche_scan([0.0, 1.0], thresholds=()), "at least one threshold"),
        (lambda: avalanche_scan([0.0, 1.0], thresholds=(0.5,), bin_sizes=(0,)), "bin size ≥ 1"),
        (lambda: avalanche_scan([0.0, 1.0, 0.0], thresholds=(5.0,), bin_sizes=(1,)), "no threshold among"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
