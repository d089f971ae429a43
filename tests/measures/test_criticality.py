"""The verdict on systems that are critical and on noise that looks it, and scans over thresholds and bins."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.avalanche_scan import avalanche_scan
from phasescope.measures.avalanches import avalanches_of_signal
from phasescope.measures.criticality import CRITICAL, CUT_OFF, NO_SCALING, SURROGATE, TOO_LITTLE, criticality
from phasescope.measures.surrogates import ornstein_uhlenbeck
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import galton_watson


def one_after_the_other(avalanches):
    """A record in which a silent bin parts every two avalanches."""
    rows = np.split(avalanches.profiles, avalanches.offsets[1:-1])
    return np.concatenate([np.append(0, row) for row in rows] + [[0]]).astype(np.int64)


def verdict(record, seed=0, **options):
    return criticality(record, rng=np.random.default_rng(seed), **options)


def test_critical_trees_and_the_directed_sandpile_are_called_critical():
    trees = [verdict(galton_watson(10_000, rng=np.random.default_rng(seed))) for seed in range(10)]
    walks = [verdict(directed_sandpile(256, n_grains=20_000, rng=np.random.default_rng(seed))) for seed in range(10)]
    for found in (trees, walks):
        assert sum(one.verdict in (CRITICAL, CUT_OFF) for one in found) >= 7
        assert all("surrogates" in one.caveats[0] for one in found)


def test_a_record_of_critical_trees_differs_from_all_its_surrogates():
    trees = galton_watson(6_000, profiles=True, rng=np.random.default_rng(2))
    found = verdict(one_after_the_other(trees))
    assert found.verdict in (CRITICAL, CUT_OFF)
    assert [one.kind for one in found.surrogates] == ["time-shuffled", "phase-randomized"]
    assert all(one.p_value == 0.05 for one in found.surrogates)


@pytest.mark.parametrize("rate", [0.2, 0.7, 2.0])
def test_independent_events_do_not_scale(rate):
    found = verdict(np.random.default_rng(1).poisson(rate, 100_000))
    assert found.verdict == NO_SCALING
    assert found.surrogates == ()  # nothing to explain


def test_noise_with_a_long_memory_is_not_told_from_its_surrogate():
    noise = ornstein_uhlenbeck(150_000, correlation_time=1_000, rng=np.random.default_rng(1))
    found = verdict(noise, threshold=0.0)
    assert found.verdict in (SURROGATE, NO_SCALING)


def test_the_directed_sandpile_is_told_from_a_random_walk_above_a_threshold_by_its_silences():
    walks = directed_sandpile(1_024, n_grains=60_000, profiles=True, rng=np.random.default_rng([17, 1]))
    lengths = np.diff(walks.offsets)
    gaps = np.random.default_rng(1).geometric(0.2, size=lengths.size)
    rows = np.split(walks.profiles, walks.offsets[1:-1])
    record = np.concatenate([part for gap, row in zip(gaps, rows, strict=True) for part in (np.zeros(gap), row)])
    found = verdict(record.astype(np.int64))
    assert found.verdict in (CRITICAL, CUT_OFF)
    phase = found.surrogates[-1]
    assert phase.silence_variations[0] < 1  # the drive has no memory
    assert phase.silence_variations[1:].min() > 1.5
    assert phase.n_alike == 0


def test_events_on_units_may_be_read_above_a_level_of_their_sum():
    events = np.random.default_rng(0).poisson(1.0, (5, 20_000))
    found = verdict(events, threshold=6.0, bin_size=2)
    assert found.verdict == NO_SCALING
    assert found.n == len(avalanches_of_signal(events.sum(axis=0).reshape(-1, 2).sum(axis=1), threshold=6.0))


def test_few_avalanches_are_too_little_data():
    found = verdict(np.random.default_rng(0).poisson(0.5, 200))
    assert found.verdict == TOO_LITTLE
    assert "exponents need 300" in found.reason


def test_the_verdict_is_reproducible():
    trees = one_after_the_other(galton_watson(2_000, profiles=True, max_size=10_000, rng=np.random.default_rng(2)))
    assert verdict(trees, seed=3).to_dict() == verdict(trees, seed=3).to_dict()


def test_too_few_surrogates_and_a_silent_record_are_refused():
    with pytest.raises(ValueError, match="at least 19"):
        verdict(np.tile([0, 1], 500), n_surrogates=10)
    with pytest.raises(ValueError, match="silent in all 500 bins"):
        verdict(np.zeros(500, dtype=int))
    with pytest.raises(ValueError, match="bin_size must lie in 1 … 500"):
        verdict(np.random.default_rng(0).standard_normal(500), threshold=0.0, bin_size=501)


def test_a_scan_finds_no_scaling_in_noise_at_any_threshold_or_bin():
    noise = np.random.default_rng(0).standard_normal((20, 30_000))
    scan = avalanche_scan(noise, thresholds=(2.0, 2.5, 3.0, 9.0), bin_sizes=(1, 2, 100))
    assert scan.estimate == 0
    assert scan.agreement is None
    assert scan.n_avalanches[3].tolist() == [0, 0, 0]  # never active
    assert scan.troubles[2].startswith("the raster is active in each")
    assert np.all(np.diff(scan.active_share[:3, 0]) < 0)


def test_a_scan_of_critical_trees_finds_one_exponent_where_bins_do_not_join_them():
    trees = galton_watson(10_000, profiles=True, rng=np.random.default_rng(2))
    rows = np.split(trees.profiles, trees.offsets[1:-1])
    record = np.concatenate([np.append(np.zeros(8), row) for row in rows] + [np.zeros(8)])
    scan = avalanche_scan(record, thresholds=(0.5,), bin_sizes=(1, 2))
    assert scan.estimate > 0
    found = scan.exponents[np.isfinite(scan.exponents[..., 0])][:, 0]
    np.testing.assert_allclose(found, 1.5, atol=0.15)


def test_a_scan_without_any_avalanche_is_refused():
    with pytest.raises(ValueError, match="no threshold among"):
        avalanche_scan(np.zeros((3, 100)), thresholds=(1.0,))
    with pytest.raises(ValueError, match="at least one threshold"):
        avalanche_scan(np.zeros((3, 100)), thresholds=())
