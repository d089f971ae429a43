"""The compiled splines against those of SciPy, and their integrals against the sum of many points."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline

from phasescope.measures.profile_splines import (
    N_SPLINES,
    profile_moments,
    spline_basis,
    spline_integrals,
    spline_products,
)


def test_the_compiled_splines_are_those_of_scipy():
    knots = np.concatenate(([0.0] * 3, np.linspace(0, 1, N_SPLINES - 2), [1.0] * 3))
    rng = np.random.default_rng(0)
    lengths = np.array([1, 2, 3, 7, 40])
    profiles = rng.random(lengths.sum())
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    basis = [BSpline.design_matrix((np.arange(t) + 0.5) / t, knots, 3).toarray() for t in lengths]
    rows = [profiles[a : a + t] @ b / t for a, t, b in zip(starts, lengths, basis, strict=True)]
    np.testing.assert_allclose(profile_moments(profiles, starts, lengths), rows, atol=1e-14)
    products = [b.T @ b / t for t, b in zip(lengths, basis, strict=True)]
    np.testing.assert_allclose(spline_products(lengths), products, atol=1e-14)


def test_integrals_are_those_of_the_splines():
    u = (np.arange(200_000) + 0.5) / 200_000
    basis = spline_basis(u)
    np.testing.assert_allclose(basis.sum(axis=1), 1)
    areas, first = spline_integrals()
    np.testing.assert_allclose(areas, basis.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(first, ((u - 0.5)[:, None] * basis).mean(axis=0), atol=1e-9)
