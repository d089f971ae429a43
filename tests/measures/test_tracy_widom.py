"""Only this sees a wrong law of the largest eigenvalue: its center, its scale, and above all its far tail.

Truths: the same law from the Painlevé equation, published quantiles and moments, the integral of the Airy function far
out, and the largest eigenvalues of simulated noise.
"""

import numpy as np
import pytest
from scipy.integrate import quad, simpson, solve_ivp
from scipy.special import airy, airye

from phasescope.measures.tracy_widom import (
    MEAN,
    VARIANCE,
    cumulative,
    largest_eigenvalue_scaling,
    survival,
    upper_quantile,
)


def painleve(points):
    """Literal transcription: q″ = s q + 2 q³, q ~ Ai; F₁ = exp(−½ ∫ (q + (x − s) q²) dx)."""
    start = 8.0
    ai, slope = airy(start)[:2]

    def step(s, y):
        q, dq = y[:2]
        return [dq, s * q + 2 * q**3, -(q**2), -q, -y[2]]

    # y[2] = ∫ q², y[3] = ∫ q, y[4] = ∫∫ q², all from s to infinity; beyond the start q = Ai.
    first = quad(lambda x: airy(x)[0] ** 2, start, 30, epsabs=0)[0]
    second = quad(lambda x: airy(x)[0], start, 30, epsabs=0)[0]
    third = quad(lambda x: (x - start) * airy(x)[0] ** 2, start, 30, epsabs=0)[0]
    found = solve_ivp(
        step,
        (start, min(points)),
        [ai, slope, first, second, third],
        t_eval=points,
        rtol=1e-12,
        atol=1e-20,
        method="DOP853",
    )
    return np.exp(-0.5 * (found.y[3] + found.y[4]))


def test_agrees_with_the_painleve_equation():
    points = np.arange(6.0, -5.1, -0.5)
    np.testing.assert_allclose(cumulative(points), painleve(points), atol=1e-9)


def test_has_the_published_moments():
    s = np.linspace(-9, 8, 341)
    share = cumulative(s)
    mean = 8 - simpson(share, x=s)
    assert mean == pytest.approx(MEAN, abs=1e-6)
    assert 64 - 2 * simpson(s * share, x=s) - mean**2 == pytest.approx(VARIANCE, abs=2e-6)


@pytest.mark.parametrize(
    ("probability", "s"), [(0.1, 0.4501), (0.05, 0.9793), (0.01, 2.0234), (0.5, -1.2686), (0.95, -3.1804)]
)
def test_has_the_published_quantiles(probability, s):
    assert upper_quantile(probability) == pytest.approx(s, abs=1e-4)
    assert survival(upper_quantile(probability)) == pytest.approx(probability, rel=1e-8)


@pytest.mark.parametrize("s", [12.0, 30.0, 60.0, 95.0])
def test_the_far_tail_keeps_its_digits(s):
    """1 − F₁ = ½ ∫_s^∞ Ai there; the next order is the square of it."""
    front = 2 / 3 * s**1.5
    integral = quad(
        lambda x: airye(s + x)[0] * np.exp(front - 2 / 3 * (s + x) ** 1.5), 0, 60 / np.sqrt(s), epsabs=0, limit=200
    )[0]
    assert np.log(survival(s)) == pytest.approx(np.log(integral / 2) - front, abs=1e-9)


def test_beyond_all_numbers_it_is_none_or_all():
    assert survival([-50.0, 500.0, np.inf, -np.inf]).tolist() == [1, 0, 0, 1]
    assert np.isnan(survival(np.nan))
    assert (np.diff(survival(np.linspace(-12, 100, 400))) <= 0).all()


@pytest.mark.parametrize(("n_variables", "n_samples"), [(20, 20), (10, 200)])
def test_the_largest_eigenvalue_of_noise_follows_it(n_variables, n_samples):
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((2_000, n_variables, n_samples))
    largest = np.linalg.eigvalsh(noise @ noise.transpose(0, 2, 1))[:, -1]
    center, scale = largest_eigenvalue_scaling(n_variables, n_samples)
    statistic = (largest - center) / scale
    for level in (0.5, 0.1, 0.05):
        assert (statistic > upper_quantile(level)).mean() == pytest.approx(
            level, abs=4 * np.sqrt(level * (1 - level) / 2_000)
        )


def test_the_scaling_does_not_ask_which_side_is_which():
    assert largest_eigenvalue_scaling(30, 70) == largest_eigenvalue_scaling(70, 30)
    with pytest.raises(ValueError, match="probability must lie in"):
        upper_quantile(0.0)
