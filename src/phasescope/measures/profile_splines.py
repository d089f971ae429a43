"""Cubic splines over a profile's relative time u = (t + ½)/T: moments of profiles with them, and their products."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import BSpline

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

N_SPLINES = 8  # over 0 … 1: enough for a skewed arch, few enough for durations of ten bins


def spline_basis(u: FloatArray) -> FloatArray:
    """Cubic B-splines at positions in [0, 1], shape `(n, n_splines)`."""
    return np.asarray(BSpline.design_matrix(u, _knots(), 3).toarray())


def _knots() -> FloatArray:
    return np.concatenate(([0.0] * 3, np.linspace(0, 1, N_SPLINES - 2), [1.0] * 3))


def spline_integrals() -> tuple[FloatArray, FloatArray]:
    """∫ B_k and ∫ (u − ½) B_k over 0 … 1."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    edges = np.linspace(0, 1, N_SPLINES - 2)
    half = 0.5 * np.diff(edges)[:, None]
    u = (edges[:-1, None] + half * (nodes + 1)).ravel()
    w = (half * weights).ravel()
    basis = spline_basis(u)
    return np.asarray(w @ basis), np.asarray((w * (u - 0.5)) @ basis)


@njit(cache=True)
def _cubics(u: float, values: FloatArray) -> int:
    """The four splines that differ from 0 at u, into `values` (Cox–de Boor); the number of the first of them."""
    n_pieces = N_SPLINES - 3
    piece = min(int(u * n_pieces), n_pieces - 1)
    values[0] = 1.0
    for order in range(1, 4):
        saved = 0.0
        for j in range(order):
            right = min(piece + j + 1, n_pieces) / n_pieces
            left = max(piece + j + 1 - order, 0) / n_pieces
            share = values[j] / (right - left)
            values[j] = saved + (right - u) * share
            saved = (u - left) * share
        values[order] = saved
    return piece


@njit(cache=True)
def profile_moments(profiles: FloatArray, starts: IntArray, lengths: IntArray) -> FloatArray:
    """(1/T) Σ_t a_t B(u_t) of every avalanche, shape `(n, n_splines)`."""
    out = np.zeros((starts.size, N_SPLINES))
    values = np.empty(4)
    for i in range(starts.size):
        for t in range(lengths[i]):
            first = _cubics((t + 0.5) / lengths[i], values)
            share = profiles[starts[i] + t] / lengths[i]
            for k in range(4):
                out[i, first + k] += share * values[k]
    return out


@njit(cache=True)
def spline_products(lengths: IntArray) -> FloatArray:
    """(1/T) Σ_t B(u_t) B(u_t)ᵀ of every duration, shape `(n_durations, n_splines, n_splines)`."""
    out = np.zeros((lengths.size, N_SPLINES, N_SPLINES))
    values = np.empty(4)
    for i in range(lengths.size):
        for t in range(lengths[i]):
            first = _cubics((t + 0.5) / lengths[i], values)
            for j in range(4):
                for k in range(4):
                    out[i, first + j, first + k] += values[j] * values[k] / lengths[i]
    return out
