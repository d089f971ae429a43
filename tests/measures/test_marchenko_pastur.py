"""Only this sees a wrong edge, mass or moment of the law of noise, or a missing mass at 0 for c > 1.

Truths: edges and moments in closed form, the integral of the density, and the eigenvalues of a large Gaussian matrix.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from phasescope.measures.marchenko_pastur import cumulative, density, edges, quantile


@pytest.mark.parametrize(
    ("aspect", "low", "high"), [(1.0, 0.0, 4.0), (1 / 3, 0.178633, 2.488034), (0.25, 0.25, 2.25), (4.0, 1.0, 9.0)]
)
def test_the_edges_are_the_squares_of_one_plus_and_minus_the_root_of_the_aspect(aspect, low, high):
    assert edges(aspect) == pytest.approx((low, high), abs=1e-6)
    assert edges(aspect, variance=3) == pytest.approx((3 * low, 3 * high), abs=3e-6)


@pytest.mark.parametrize(
    ("shape", "low", "high"),
    [((768, 2304), 0.164628, 2.292973), ((768, 768), 0, 1.2288), ((768, 3072), 0.3072, 2.7648)],
)
def test_the_edges_of_the_layers_of_gpt2(shape, low, high):
    found = np.array(edges(shape[0] / shape[1], variance=0.02**2)) * shape[1]
    assert found == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("aspect", [0.01, 0.3, 1.0, 2.5])
def test_the_moments_are_narayana_polynomials(aspect):
    low, high = edges(aspect, variance=2)
    for power, moment in enumerate((1, 1 + aspect, 1 + 3 * aspect + aspect**2), start=1):
        found = quad(lambda x, k=power: x**k * float(density(x, aspect, variance=2)), low, high, limit=200)[0]
        assert found == pytest.approx(2**power * moment, rel=1e-7)


@pytest.mark.parametrize("aspect", [0.01, 0.3, 0.97, 1.0, 1.2, 5.0])
def test_the_share_below_is_the_integral_of_the_density(aspect):
    low, high = edges(aspect, variance=0.5)
    at_zero = max(0.0, 1 - 1 / aspect)
    for place in (0.02, 0.4, 0.9):
        x = low + place * (high - low)
        found = at_zero + quad(lambda y: float(density(y, aspect, variance=0.5)), low, x, limit=300)[0]
        assert cumulative(x, aspect, variance=0.5) == pytest.approx(found, abs=1e-8)
    assert cumulative([-1.0, high, 2 * high], aspect, variance=0.5).tolist() == pytest.approx([0, 1, 1])


@given(st.floats(0.001, 0.999), st.floats(0.01, 20), st.floats(1e-6, 1e6))
def test_a_quantile_is_the_inverse_of_the_share_below_to_the_stated_precision(share, aspect, variance):
    low, high = edges(aspect, variance=variance)
    margin = np.array([-1e-7, 1e-7]) * (high - low)
    below, above = cumulative(quantile(share, aspect, variance=variance) + margin, aspect, variance=variance)
    assert below - 1e-12 <= max(share, 1 - 1 / aspect) <= above + 1e-12


def test_the_median_of_a_square_matrix_solves_its_equation():
    """At c = 1, x = 2 − 2 cos θ has the share (θ + sin θ)/π below it."""
    angle = brentq(lambda theta: theta + np.sin(theta) - np.pi / 2, 0, np.pi)
    assert quantile(0.5, 1.0) == pytest.approx(2 - 2 * np.cos(angle), abs=4e-7)


def test_a_large_gaussian_matrix_follows_the_law():
    eigenvalues = np.linalg.svd(np.random.default_rng(0).standard_normal((300, 900)), compute_uv=False) ** 2 / 900
    share = np.sort(cumulative(eigenvalues, 1 / 3))
    assert np.abs(share - (np.arange(300) + 0.5) / 300).max() < 0.01


def test_wrong_calls_say_what_arrived():
    with pytest.raises(ValueError, match="must be positive and finite; got -1"):
        edges(-1.0)
    with pytest.raises(ValueError, match=r"shares must lie in 0 … 1; got 0.5 … 2"):
        quantile([0.5, 2.0], 1.0)
