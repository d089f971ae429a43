"""What each surrogate keeps and what it destroys."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasescope.measures.autocorrelation import lagged_sums, regression_slopes
from phasescope.measures.surrogates import (
    circularly_shifted,
    fast_length,
    ornstein_uhlenbeck,
    ornstein_uhlenbeck_matched,
    phase_randomized,
    poisson_matched,
    time_shuffled,
)


def memory(x, lag=1):
    return regression_slopes(lagged_sums(np.asarray(x, dtype=float), max_lag=lag, block=len(x)))[lag]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_shuffling_keeps_values_and_forgets_their_order(rng):
    signal = ornstein_uhlenbeck(20_000, correlation_time=50, rng=rng)
    shuffled = time_shuffled(signal, rng=rng)
    np.testing.assert_array_equal(np.sort(shuffled), np.sort(signal))
    assert abs(memory(shuffled)) < 0.03 < memory(signal)


def test_joint_shuffling_keeps_coincidences_and_separate_shuffling_does_not(rng):
    raster = np.repeat(rng.random((1, 5_000)) < 0.1, 3, axis=0)
    together = time_shuffled(raster, jointly=True, rng=rng)
    apart = time_shuffled(raster, rng=rng)
    assert (together[0] == together[1]).all()
    assert apart.sum(axis=1).tolist() == raster.sum(axis=1).tolist()
    assert (apart[0] & apart[1]).mean() == pytest.approx(0.01, abs=0.006)


def test_shifting_keeps_each_series_and_moves_it(rng):
    raster = rng.random((4, 200)) < 0.2
    shifted = circularly_shifted(raster, rng=rng)
    for before, after in zip(raster, shifted, strict=True):
        assert any((np.roll(before, lag) == after).all() for lag in range(200))
    with pytest.raises(ValueError, match="n_units, n_bins"):
        circularly_shifted(raster[0], rng=rng)


@pytest.mark.parametrize("n", [1_000, 1_001])
def test_random_phases_keep_the_spectrum_exactly(n, rng):
    signal = 3 + ornstein_uhlenbeck(n, correlation_time=10, rng=rng)
    surrogate = phase_randomized(signal, keep_values=False, rng=rng)
    np.testing.assert_allclose(np.abs(np.fft.rfft(surrogate)), np.abs(np.fft.rfft(signal)), rtol=1e-9, atol=1e-9)
    assert abs(np.corrcoef(surrogate, signal)[0, 1]) < 0.5


def test_adjusted_surrogates_keep_the_values_exactly_and_the_spectrum_nearly(rng):
    signal = np.exp(ornstein_uhlenbeck(4_096, correlation_time=20, rng=rng))
    surrogate = phase_randomized(signal, rng=rng)
    np.testing.assert_array_equal(np.sort(surrogate), np.sort(signal))
    for lag in (1, 10, 30):
        assert memory(surrogate, lag) == pytest.approx(memory(signal, lag), abs=0.05)


def test_the_fast_length_is_the_next_smaller_one_without_a_large_prime_factor():
    assert fast_length(1_000) == 1_000
    assert fast_length(1_009) == 1_000  # a prime; between them nothing is made of 2, 3 and 5


def test_poisson_events_have_the_rate_of_each_unit(rng):
    raster = np.stack([rng.poisson(rate, 50_000) for rate in (0.1, 1.0, 5.0)])
    matched = poisson_matched(raster, rng=rng)
    np.testing.assert_allclose(matched.mean(axis=1), raster.mean(axis=1), rtol=0.05)
    np.testing.assert_allclose(matched.var(axis=1), raster.mean(axis=1), rtol=0.05)


def test_noise_of_ornstein_and_uhlenbeck_has_its_correlation(rng):
    noise = ornstein_uhlenbeck(400_000, correlation_time=20, rng=rng)
    assert noise.var() == pytest.approx(1, abs=0.05)
    assert memory(noise, 20) == pytest.approx(math.exp(-1), abs=0.03)
    matched = ornstein_uhlenbeck_matched(5 + 2 * noise, rng=rng)
    assert matched.mean() == pytest.approx(5, abs=0.2)
    assert memory(matched) == pytest.approx(math.exp(-1 / 20), abs=0.01)


def test_same_seed_same_surrogate():
    signal = np.random.default_rng(0).standard_normal(500)
    for make in (time_shuffled, phase_randomized):
        one = make(signal, rng=np.random.default_rng(1))
        np.testing.assert_array_equal(one, make(signal, rng=np.random.default_rng(1)))


def test_bad_records_are_told():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="shape"):
        time_shuffled(np.zeros((2, 2, 2)), rng=rng)
    with pytest.raises(ValueError, match="no correlation time"):
        ornstein_uhlenbeck_matched(np.ones(100), rng=rng)
    with pytest.raises(ValueError, match="time_shuffled instead"):
        ornstein_uhlenbeck_matched(np.tile([0.0, 1.0], 100), rng=rng)
    with pytest.raises(ValueError, match="correlation_time > 0"):
        ornstein_uhlenbeck(10, correlation_time=0, rng=rng)
    with pytest.raises(ValueError, match="not negative"):
        poisson_matched([-1.0, 0.0], rng=rng)
