"""Only this file would notice: a pruning that loses the optimum, a tie or a minimum length handled one sample off, and
intervals for a break's location that are too narrow in correlated noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phasescope.measures.autoregression import color, noise_beside_shifts, whiten
from phasescope.measures.segmentation import segment
from phasescope.measures.step_location import step_location_interval


def dynamic_programme(values, penalty, min_length):
    """The O(n²) recursion of Jackson et al. (2005), literally: F(t) = min over s of F(s) + C(s, t) + penalty."""
    n = len(values)
    best = [-penalty] + [np.inf] * n
    last = [0] * (n + 1)
    for t in range(1, n + 1):
        for s in range(0, t - min_length + 1):
            part = values[s:t]
            cost = best[s] + float(((part - part.mean()) ** 2).sum()) + penalty
            if cost < best[t]:
                best[t], last[t] = cost, s
    breaks, t = [], n
    while last[t] > 0:
        t = last[t]
        breaks.append(t)
    return best[n], breaks[::-1]


def fixed_number_programme(values, n_changes, min_length):
    """The same for a given number of changes (Auger & Lawrence 1989)."""
    n = len(values)
    best = np.full((n_changes + 1, n + 1), np.inf)
    last = np.zeros((n_changes + 1, n + 1), dtype=int)
    for k in range(n_changes + 1):
        for t in range(1, n + 1):
            for s in [0] if k == 0 else range(1, t):
                before = 0.0 if k == 0 else best[k - 1, s]
                if t - s < min_length or not np.isfinite(before):
                    continue
                cost = before + float(((values[s:t] - values[s:t].mean()) ** 2).sum())
                if cost < best[k, t]:
                    best[k, t], last[k, t] = cost, s
    breaks, t = [], n
    for k in range(n_changes, 0, -1):
        t = last[k, t]
        breaks.append(int(t))
    return best[n_changes, n], breaks[::-1]


def staircase(seed, n_samples=60, heights=(0.0, 3.0, 1.0)):
    rng = np.random.default_rng(seed)
    levels = np.repeat(heights, n_samples // len(heights) + 1)[:n_samples]
    return levels + rng.standard_normal(n_samples)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("min_length", [1, 3])
def test_finds_the_optimum_and_the_breaks_of_the_literal_recursion(seed, min_length):
    values = staircase(seed)
    penalty = float(np.random.default_rng(seed).exponential(4.0))
    cost, breaks = dynamic_programme(values, penalty, min_length)
    result = segment(values, penalty=penalty, min_length=min_length)
    assert result.breaks.tolist() == breaks
    assert result.cost + penalty * len(breaks) == pytest.approx(cost, rel=1e-10)


@pytest.mark.parametrize("n_changes", [0, 1, 2, 5])
@pytest.mark.parametrize("min_length", [1, 4])
def test_finds_the_optimum_for_a_given_number_of_changes(n_changes, min_length):
    values = staircase(n_changes, n_samples=40)
    cost, breaks = fixed_number_programme(values, n_changes, min_length)
    result = segment(values, n_changes=n_changes, min_length=min_length)
    assert result.breaks.tolist() == breaks
    assert result.cost == pytest.approx(cost, rel=1e-10)
    assert result.penalty is None


@settings(max_examples=60, deadline=None)
@given(
    values=arrays(np.float64, st.integers(1, 25), elements=st.integers(-3, 3).map(float)),
    penalty=st.sampled_from([0.25, 1.0, 2.0, 7.0]),
    min_length=st.integers(1, 4),
)
def test_ties_cost_as_little_as_in_the_literal_recursion(values, penalty, min_length):
    if values.size < min_length:
        return
    cost, _ = dynamic_programme(values, penalty, min_length)
    result = segment(values, penalty=penalty, min_length=min_length)
    assert result.cost + penalty * result.breaks.size == pytest.approx(cost, abs=1e-9)
    lengths = np.diff([0, *result.breaks, values.size])
    assert lengths.min() >= min_length


@settings(max_examples=25, deadline=None)
@given(shift=st.floats(-1e6, 1e6), scale=st.floats(1e-6, 1e6), seed=st.integers(0, 5))
def test_shifting_and_scaling_the_values_moves_no_break(shift, scale, seed):
    values = staircase(seed)
    plain, moved = segment(values), segment(shift + scale * values)
    if abs(shift) < 1e8 * scale:  # else rounding of the input is the noise
        np.testing.assert_array_equal(plain.breaks, moved.breaks)


def test_reversing_the_series_mirrors_the_breaks():
    values = staircase(3)
    forward, backward = segment(values, n_changes=2), segment(values[::-1], n_changes=2)
    np.testing.assert_array_equal(forward.breaks, (values.size - backward.breaks)[::-1])


def test_single_precision_input_gives_the_same_breaks():
    values = staircase(1)
    np.testing.assert_array_equal(segment(values).breaks, segment(values.astype(np.float32)).breaks)


def test_a_hundred_thousand_samples_with_ten_breaks_are_cut_at_the_breaks():
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.permutation(11) * 3.0, 9_091)[:100_000]
    result = segment(levels + rng.standard_normal(100_000))
    truth = np.flatnonzero(np.diff(levels)) + 1
    assert result.breaks.size == 10
    assert (np.abs(result.breaks - truth) <= 10).all()
    low, high = result.breaks_interval.T
    assert (low <= truth).all()
    assert (truth <= high).all()


@pytest.mark.parametrize(("height", "phi"), [(2.0, 0.0), (3.0, 0.5)])
def test_the_interval_of_a_step_covers_its_location(height, phi):
    # 150 sets at a true coverage of 0.95: fewer than 0.90 happens in 4 of 1,000 seeds; the benchmark has 1,000 sets.
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(150):
        location = int(rng.integers(30, 90))
        noise = color(rng.standard_normal(220) * np.sqrt(1.0 - phi**2), phi)[100:]
        low, high = segment(noise + height * (np.arange(120) >= location), n_changes=1).breaks_interval[0]
        hits += low <= location <= high
    assert hits >= 0.90 * 150


def test_the_location_likelihood_is_that_of_generalized_least_squares():
    rng = np.random.default_rng(2)
    phi, n = 0.6, 30
    values = color(rng.standard_normal(n), phi) + 2.0 * (np.arange(n) >= 12)
    squares = []
    for location in range(1, n):
        design = np.column_stack([np.arange(n) < location, np.arange(n) >= location]).astype(float)
        rest = whiten(values, phi)
        white = whiten(design, phi)
        rest = rest - white @ np.linalg.lstsq(white, rest, rcond=None)[0]
        squares.append(float(rest @ rest))
    excess = np.array(squares) - min(squares)
    inside = np.flatnonzero(excess <= -2.0 * np.log(1.0 - np.sqrt(0.95))) + 1
    best = int(np.argmin(squares)) + 1
    assert step_location_interval(values, best, phi, 1.0) == (inside.min(), inside.max())


def test_differences_tell_the_noise_beside_shifts():
    # Autocorrelation 0.5, standard deviation 2; with 20,000 samples the estimates scatter by about 2 %.
    rng = np.random.default_rng(0)
    noise = color(2.0 * np.sqrt(0.75) * rng.standard_normal(20_000), 0.5)
    sd, phi = noise_beside_shifts(noise + np.repeat(rng.uniform(-50, 50, 20), 1_000))
    assert sd == pytest.approx(2.0, rel=0.05)
    assert phi == pytest.approx(0.5, abs=0.05)


def test_pure_noise_is_one_segment():
    # The default penalty on white noise finds a break in about 1 % of records of 200 samples.
    rng = np.random.default_rng(1)
    assert sum(segment(rng.standard_normal(200)).breaks.size > 0 for _ in range(100)) <= 5


def test_a_step_without_noise_is_found_exactly():
    result = segment(np.repeat([0.02, 1.0], [70, 30]))
    assert result.breaks.tolist() == [70]
    assert result.breaks_interval.tolist() == [[70, 70]]
    assert result.cost == pytest.approx(0.0, abs=1e-20)
    assert result.means.tolist() == pytest.approx([0.02, 1.0])


@pytest.mark.parametrize("values", [np.ones(50), np.full(1, 3.0), np.zeros(2)])
def test_a_constant_series_is_one_segment(values):
    result = segment(values)
    assert result.breaks.size == 0
    assert result.breaks_interval.shape == (0, 2)
    assert result.cost == 0.0


def test_says_what_is_wrong_with_the_call():
    with pytest.raises(ValueError, match="NaN or infinite"):
        segment([0.0, np.nan, 1.0])
    with pytest.raises(ValueError, match="not both"):
        segment(np.arange(10.0), penalty=1.0, n_changes=1)
    with pytest.raises(ValueError, match="4 segments of at least 3 need 12"):
        segment(np.arange(10.0), n_changes=3, min_length=3)
    with pytest.raises(ValueError, match="penalty must not be negative"):
        segment(np.arange(10.0), penalty=-1.0)
    with pytest.raises(ValueError, match="min_length must be at least 1"):
        segment(np.arange(10.0), min_length=0)
    with pytest.raises(ValueError, match="n_changes must not be negative"):
        segment(np.arange(10.0), n_changes=-1)


def test_a_random_walk_gets_a_caveat():
    walk = np.cumsum(np.random.default_rng(0).standard_normal(300))
    assert any("random walk" in caveat for caveat in segment(walk, n_changes=1).caveats)
