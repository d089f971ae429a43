"""Marchenko–Pastur law: what the eigenvalues of pure noise look like.

For X of shape `(n_variables, n_samples)` with independent entries of mean 0 and variance σ², the eigenvalues of X Xᵀ /
n_samples fill σ² (1 ± √c)², c = n_variables / n_samples being the aspect. For c > 1 a share 1 − 1/c of them is 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GRID = 4_097  # angles between the edges on which quantiles are interpolated: error below 1e-7 of the bulk's width


def edges(aspect: float, *, variance: float = 1.0) -> tuple[float, float]:
    """Where the continuous part of the law begins and ends, σ² (1 ± √c)².

    Args:
        aspect: c = n_variables / n_samples, positive.
        variance: σ² of the entries.

    Example:
        >>> edges(0.25)
        (0.25, 2.25)
    """
    _check(aspect, variance)
    root = np.sqrt(aspect)
    return float(variance * (1 - root) ** 2), float(variance * (1 + root) ** 2)


def density(x: ArrayLike, aspect: float, *, variance: float = 1.0) -> NDArray[np.float64]:
    """Density √((b − x)(x − a)) / (2π σ² c x) between the edges a and b, 0 elsewhere.

    For c > 1 it integrates to 1/c, the share of the eigenvalues that are not 0.

    Args:
        x: Eigenvalues of X Xᵀ / n_samples, any shape.
        aspect: c = n_variables / n_samples, positive.
        variance: σ² of the entries.

    References:
        Marchenko & Pastur (1967), Mathematics of the USSR-Sbornik 1, 457.
    """
    low, high = edges(aspect, variance=variance)
    values = np.asarray(x, dtype=np.float64)
    inside = (values > low) & (values < high)
    safe = np.where(inside, values, high)
    root = np.sqrt(np.maximum((high - safe) * (safe - low), 0.0))
    return np.where(inside, root / (2 * np.pi * variance * aspect * safe), 0.0)


def cumulative(x: ArrayLike, aspect: float, *, variance: float = 1.0) -> NDArray[np.float64]:
    """Share of the eigenvalues that are at most x, in closed form; includes those that are 0 for c > 1."""
    _check(aspect, variance)
    values = np.asarray(x, dtype=np.float64) / variance
    if aspect > 1:  # the other eigenvalues are those of Xᵀ X, times c
        rest = cumulative(values / aspect, 1 / aspect)
        return np.where(values < 0, 0.0, 1 - 1 / aspect + rest / aspect)
    root = np.sqrt(aspect)
    half_turn = np.clip((1 + aspect - values) / (2 * root), -1.0, 1.0)
    return _share_below(np.arccos(half_turn), aspect)


def quantile(share: ArrayLike, aspect: float, *, variance: float = 1.0) -> NDArray[np.float64]:
    """Eigenvalue below which the given share of the law lies, to 1e-7 of the bulk's width.

    Raises:
        ValueError: If a share lies outside 0 … 1.

    Example:
        >>> float(quantile(0.5, 1.0).round(4))
        0.6528
    """
    _check(aspect, variance)
    shares = np.asarray(share, dtype=np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"shares must lie in 0 … 1; got {shares.min():g} … {shares.max():g}")
    if aspect > 1:
        zero = 1 - 1 / aspect
        rest = quantile(np.clip((shares - zero) * aspect, 0.0, 1.0), 1 / aspect, variance=variance)
        return np.where(shares <= zero, 0.0, aspect * rest)
    angle = np.linspace(0, np.pi, _GRID)
    found = np.interp(shares, _share_below(angle, aspect), angle)
    return np.asarray(variance * (1 + aspect - 2 * np.sqrt(aspect) * np.cos(found)))


def _share_below(angle: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
    """F at x = 1 + c − 2√c cos θ, c ≤ 1, with t = tan θ/2.

    (2√c sin θ + (1 + c) θ − 2 (1 − c) arctan(t (1 + √c)/(1 − √c))) / (2πc).
    """
    root = np.sqrt(aspect)
    turn = 2 * np.arctan2((1 + root) * np.sin(angle / 2), (1 - root) * np.cos(angle / 2)) if aspect < 1 else 0.0 * angle
    share = (2 * root * np.sin(angle) + (1 + aspect) * angle - (1 - aspect) * turn) / (2 * np.pi * aspect)
    return np.asarray(np.clip(share, 0.0, 1.0))


def _check(aspect: float, variance: float) -> None:
    if not (0 < aspect < np.inf and 0 < variance < np.inf):
        raise ValueError(f"aspect and variance must be positive and finite; got {aspect:g} and {variance:g}")
