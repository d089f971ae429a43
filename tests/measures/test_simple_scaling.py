"""Simple scaling: mistakes only these tests see are a curvature read off finite sizes, where corrections bend straight
moments, and an interval that leaves out the unknown correction exponent."""

import numpy as np
import pytest

from phasescope.measures.simple_scaling import simple_scaling
from phasescope.synthetic.manna import manna_sandpile
from phasescope.synthetic.sandpile import sandpile

LENGTHS = (32, 64, 128, 256)


def pareto_cut(rng, n, *, length, dimension, tau, smallest=1.0):
    """Sizes from s^−τ between `smallest` and L^D: moments L^{D(q + 1 − τ)}, bent by the lower end."""
    low, high = smallest ** (1 - tau), length ** (dimension * (1 - tau))
    return (low + (high - low) * rng.random(n)) ** (1 / (1 - tau))


def draws(seed, n=20_000, **law):
    rng = np.random.default_rng(seed)
    return {length: pareto_cut(rng, n, length=length, **law) for length in LENGTHS}


def test_a_truncated_power_law_scales_simply_with_its_own_exponents():
    result = simple_scaling(draws(0, dimension=2.5, tau=1.3))
    assert result.verdict == "simple scaling not rejected"
    assert result.interval[0] < 0 < result.interval[1]
    assert result.dimension_interval[0] < 2.5 < result.dimension_interval[1]
    assert result.size_exponent_interval[0] < 1.3 < result.size_exponent_interval[1]
    assert result.dimension == pytest.approx(2.5, abs=0.2)


def test_moments_without_noise_or_corrections_return_the_exponents_exactly():
    # Sizes L^2 · u with the same u everywhere: σ(q) = 2q, whatever u is.
    u = np.random.default_rng(1).random(5_000)
    result = simple_scaling({length: length**2 * u for length in LENGTHS})
    np.testing.assert_allclose(result.exponents, 2 * result.orders, atol=1e-8)
    assert result.estimate == pytest.approx(0, abs=1e-7)
    assert result.dimension == pytest.approx(2)
    assert result.size_exponent == pytest.approx(1)


def test_a_multifractal_law_is_multiscaling():
    # ln s / ln L has density L^{−x²/4} on [0, 3]: σ(q) = max_x (q x − x²/4) is q² up to q = 1.5 and a line beyond.
    rng = np.random.default_rng(2)
    grid = np.linspace(0, 3, 3001)
    sizes = {}
    for length in LENGTHS:
        weight = length ** (-(grid**2) / 4)
        sizes[length] = length ** rng.choice(grid, 40_000, p=weight / weight.sum())
    result = simple_scaling(sizes)
    assert result.verdict == "multiscaling"
    assert 0 < result.interval[0] < result.estimate < 2  # d²σ/dq² is 2 up to q = 1.5 and 0 beyond
    assert "one pair of exponents" in result.caveats[-1]


@pytest.mark.parametrize(
    ("simulate", "verdict"), [(sandpile, "multiscaling"), (manna_sandpile, "simple scaling not rejected")]
)
def test_the_deterministic_sandpile_is_multiscaling_and_the_random_one_is_not(simulate, verdict):
    sizes = {}
    for length in (8, 16, 32, 64):
        run = simulate(length, n_grains=150_000, rng=np.random.default_rng([11, length]))
        sizes[length] = np.zeros(run.n_grains)
        sizes[length][run.grain_of] = run.avalanches.sizes
    result = simple_scaling(sizes)
    assert result.verdict == verdict


def test_interval_is_the_hull_over_the_correction_exponents():
    sizes = draws(3, dimension=2.0, tau=1.5)
    parts = [simple_scaling(sizes, corrections=[omega]) for omega in (0.5, 1.0, 2.0)]
    together = simple_scaling(sizes, corrections=[0.5, 1.0, 2.0])
    assert together.interval[0] == pytest.approx(min(part.interval[0] for part in parts))
    assert together.interval[1] == pytest.approx(max(part.interval[1] for part in parts))
    assert together.p_value == pytest.approx(max(part.p_value for part in parts))


def test_error_of_a_moment_is_that_of_independent_draws():
    sizes = draws(4, dimension=2.0, tau=1.5)
    result = simple_scaling(sizes, orders=[1, 2, 3])
    for i, length in enumerate(LENGTHS):
        s = sizes[length]
        expected = s.std() / s.mean() / np.sqrt(s.size)
        assert result.log_moment_errors[i, 0] == pytest.approx(expected, rel=0.25)
        assert result.log_moments[i, 0] == pytest.approx(np.log(s.mean()))


def test_units_of_size_do_not_matter_not_even_huge_ones():
    sizes = draws(5, dimension=2.0, tau=1.5)
    scaled = {length: 1e50 * values for length, values in sizes.items()}
    first, second = simple_scaling(sizes), simple_scaling(scaled)
    assert second.estimate == pytest.approx(first.estimate, abs=1e-6)
    assert second.p_value == pytest.approx(first.p_value, abs=1e-4)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ({length: np.ones(2000) for length in (32, 64, 128)}, {}, "at least four systems"),
        ({length: np.ones(2000) for length in (32, 40, 50, 60)}, {}, "factor of four"),
        ({length: np.ones(20) for length in LENGTHS}, {}, "at least 1000 avalanches"),
        ({length: np.zeros(2000) for length in LENGTHS}, {}, "not all zero"),
        ({length: np.full(2000, np.nan) for length in LENGTHS}, {}, "NaN"),
        ({length: np.ones(2000) for length in LENGTHS}, {}, "all 2000 sizes"),
        (None, {"orders": [1, 2]}, "three or more"),
        (None, {"corrections": [0.0]}, "positive"),
    ],
)
def test_bad_input_gets_one_sentence(sizes, options, message):
    with pytest.raises(ValueError, match=message):
        simple_scaling(sizes or draws(6, n=2000, dimension=2.0, tau=1.5), **options)
