"""Errors of an estimate from the influence that each observation, or each block of correlated ones, has on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtrit

FloatArray = NDArray[np.float64]


def block_sums(rows: FloatArray, blocks: NDArray[np.int64]) -> FloatArray:
    """Influences summed over blocks: shape `(n_rows, n)` to `(n_rows, n_blocks)`; unchanged where there are no blocks.

    The products of what results, summed, are the covariance of the estimates (the infinitesimal jackknife).
    """
    if blocks.size == 0:
        return rows
    return np.asarray(np.add.reduceat(rows, np.flatnonzero(np.diff(blocks, prepend=-1)), axis=1))


def students_quantile(sums: FloatArray) -> FloatArray:
    """By how many standard errors a 95 % interval reaches to either side, shape `(n_rows,)`.

    The variance is itself estimated, from few observations where few of them carry the estimate: Student's law with
    Satterthwaite's degrees of freedom, 2 (Σ u²)²/Σ u⁴.
    """
    squares = sums**2
    freedom = 2 * squares.sum(axis=1) ** 2 / np.maximum((squares**2).sum(axis=1), 1e-300)
    return np.asarray(stdtrit(np.maximum(freedom, 2.0), 0.975))


def leverages(features: FloatArray, counts: FloatArray | None = None) -> FloatArray:
    """Share that an observation has in its own fitted value, at most 0.9, from features of shape `(n_features, n)`.

    What such an observation leaves as its deviation has its variance reduced by that share. With `counts`, of one
    observation at each of n points that so many have in common.
    """
    design = (features if counts is None else features * counts) @ features.T
    return np.asarray(np.minimum(np.einsum("ij,ij->j", features, np.linalg.solve(design, features)), 0.9))


def beyond_noise(moved: float, sums: FloatArray) -> float:
    """What of the difference of two estimates exceeds its own noise at 95 %, given by differences of influence."""
    return float(np.sqrt(max(moved**2 - float(chdtri(1, 0.05)) * float(np.sum(sums**2)), 0.0)))
