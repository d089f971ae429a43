"""Shape collapse: γ from profiles without noise, exactly; from trees and walks, within its interval.

Only here is seen a collapse that normalizes profiles by their own maximum, and returns one γ whatever the data.
"""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.avalanches import Avalanches, avalanches, separate_avalanches
from phasescope.measures.shape_collapse import shape_collapse
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import galton_watson


def from_profiles(profiles, censored=None):
    lengths = np.array([len(profile) for profile in profiles])
    return Avalanches(
        sizes=np.array([profile.sum() for profile in profiles]),
        durations=lengths,
        censored=np.zeros(lengths.size, dtype=bool) if censored is None else censored,
        profiles=np.concatenate(profiles),
        offsets=np.concatenate(([0], np.cumsum(lengths))),
        n_bins=0,
    )


def parabolas(gamma, durations=range(10, 101), skew=0.0):
    middles = [(np.arange(t) + 0.5) / t for t in durations]
    return [t**gamma * 4 * u * (1 - u) * (1 + skew * (u - 0.5)) for t, u in zip(durations, middles, strict=True)]


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("corrections", [True, False])
def test_profiles_without_noise_return_their_exponent(gamma, corrections):
    found = shape_collapse(from_profiles(parabolas(gamma)), durations=(10, 100), corrections=corrections)
    assert found.estimate == pytest.approx(gamma, abs=1e-6)
    assert found.p_value == 1.0
    u = found.positions
    np.testing.assert_allclose(found.shape, 6 * u * (1 - u), atol=1e-6)
    assert found.skewness == pytest.approx(0, abs=1e-8)


def test_skewness_is_that_of_the_shape():
    found = shape_collapse(from_profiles(parabolas(1.0, skew=0.5)), durations=(10, 100))
    assert found.skewness == pytest.approx(0.5 * 0.05, abs=1e-6)  # ∫(u − ½)² 6u(1 − u) = 1/20


def test_profiles_that_change_shape_do_not_collapse():
    rng = np.random.default_rng(0)
    profiles = []
    for t in rng.integers(10, 100, size=2_000):
        u = (np.arange(t) + 0.5) / t
        bent = u ** (1 + t / 50) * (1 - u)
        profiles.append(t * bent / bent.mean() * rng.gamma(5, 0.2, size=t))
    found = shape_collapse(from_profiles(profiles), durations=(10, 100))
    assert found.p_value < 1e-3
    assert any("differ in shape" in caveat for caveat in found.caveats)


def test_critical_trees_collapse_with_exponent_one():
    found = [shape_collapse(galton_watson(20_000, profiles=True, rng=np.random.default_rng(s))) for s in range(20)]
    assert sum(one.interval[0] < 1 < one.interval[1] for one in found) >= 17
    assert sum(one.skewness_interval[0] < 0 < one.skewness_interval[1] for one in found) >= 17
    assert sum(one.p_value <= 0.05 for one in found) <= 4
    assert np.median([one.interval[1] - one.interval[0] for one in found]) < 0.2


def test_the_directed_sandpile_collapses_with_exponent_one_half():
    found = shape_collapse(directed_sandpile(256, n_grains=20_000, profiles=True, rng=np.random.default_rng(5)))
    assert found.interval[0] < 0.5 < found.interval[1]
    assert any("cut before they ended" in caveat for caveat in found.caveats)


def test_repeating_all_avalanches_narrows_the_interval_by_the_root_of_two_and_a_little():
    profiles = [p * np.random.default_rng(len(p)).gamma(5, 0.2, size=len(p)) for p in parabolas(1.0) for _ in range(3)]
    once = shape_collapse(from_profiles(profiles), durations=(10, 100))
    twice = shape_collapse(from_profiles(profiles + profiles), durations=(10, 100))
    assert twice.estimate == pytest.approx(once.estimate, abs=1e-9)
    ratio = (once.interval[1] - once.interval[0]) / (twice.interval[1] - twice.interval[0])
    assert 1 < ratio / np.sqrt(2) < 1.1  # each has half the leverage, and the variance is known better


def test_a_short_record_has_blocks_that_fit():
    rows = [np.r_[0, (100 * t * (u := (np.arange(t) + 0.5) / t) * (1 - u)).round()] for t in range(10, 60)]
    found = avalanches(np.concatenate([*rows, [0]]).astype(int))
    assert found.n_bins > 0
    assert shape_collapse(found, durations=(10, 59)).estimate == pytest.approx(1, abs=0.02)


def test_trees_cut_at_a_size_are_read_only_where_the_cut_is_not_felt():
    """Complete trees of many generations are the thin ones among those cut at 1,000 individuals."""
    trees = [galton_watson(5_000, max_size=1_000, profiles=True, rng=np.random.default_rng(s)) for s in range(20)]
    found = [shape_collapse(one, cut_by="size") for one in trees]
    assert sum(one.interval[0] < 1 < one.interval[1] for one in found) >= 16
    blind = [shape_collapse(one, durations=(20, 200)) for one in trees]
    assert np.median([one.estimate for one in blind]) < 0.8


def test_what_is_missing_is_said():
    with pytest.raises(ValueError, match="needs profiles"):
        shape_collapse(separate_avalanches(np.ones(500), np.ones(500)))
    with pytest.raises(ValueError, match="3 ≤ shortest < longest"):
        shape_collapse(from_profiles(parabolas(1.0)), durations=(10, 10))
    with pytest.raises(ValueError, match="lie in 200"):
        shape_collapse(from_profiles(parabolas(1.0)), durations=(200, 300))
    with pytest.raises(ValueError, match="too few for a range of durations"):
        shape_collapse(from_profiles(parabolas(1.0)))
