"""Growth of the cut-off: exact powers, bounded laws, and the coverage of the interval."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.cut_off_growth import cut_off_growth


def power_law(n_systems, exponent, rng, n=20_000):
    """Sizes s^−1.5 up to a cut-off N^D."""
    return {
        size: (1 + (size ** (-0.5 * exponent) - 1) * rng.random(n)) ** -2.0
        for size in 10.0 ** np.arange(2, 2 + n_systems)
    }


def test_the_exponent_of_an_exact_cut_off_is_covered():
    rng = np.random.default_rng(0)
    found = [cut_off_growth(power_law(2, 1.0, rng)) for _ in range(100)]
    # ⟨s²⟩/⟨s⟩ = (s_c^1.5 − 1)/(3 (s_c^0.5 − 1)) for s^−1.5 on [1, s_c], so D is known exactly at these sizes too.
    cut_offs = np.array([100.0, 1_000.0])
    ratio = (cut_offs**1.5 - 1) / 3 / (cut_offs**0.5 - 1)
    truth = np.log(ratio[1] / ratio[0]) / np.log(10)
    assert sum(one.interval[0] < truth < one.interval[1] for one in found) >= 88
    assert all(one.verdict == "grows" for one in found)


def test_bounded_avalanches_do_not_grow():
    rng = np.random.default_rng(1)
    found = cut_off_growth({n: rng.geometric(0.3, 20_000) for n in (100, 1_000, 10_000)})
    assert found.verdict == "does not grow"
    assert found.interval[0] < 0 < found.interval[1]
    assert found.overall == pytest.approx(0, abs=0.02)


def test_silent_drives_change_nothing():
    sizes = {n: np.random.default_rng(n).geometric(1 / n, 3_000) for n in (10, 20)}
    padded = {n: np.ravel(np.stack([values, np.zeros_like(values)], axis=1)) for n, values in sizes.items()}
    assert cut_off_growth(padded).to_dict() == cut_off_growth(sizes).to_dict()


def test_little_data_is_undecided_or_refused():
    rng = np.random.default_rng(2)
    assert cut_off_growth({n: rng.pareto(1.1, 100) + 1 for n in (10, 20)}).verdict == "undecided"
    with pytest.raises(ValueError, match="at least two systems"):
        cut_off_growth({10: np.ones(100)})
    with pytest.raises(ValueError, match="has 10 avalanches"):
        cut_off_growth({10: np.ones(10), 20: np.ones(100)})
    with pytest.raises(ValueError, match="not negative"):
        cut_off_growth({10: -np.ones(100), 20: np.ones(100)})
