"""The points behind a power-law fit, few enough to be drawn: empirical survival, and the fit over candidates."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.power_law_scan import Sample, Tails, tail_distance, tail_exponent, tails_of
from phasescope.measures.published_rules import log_log_line

FloatArray = NDArray[np.float64]

N_POINTS = 1_000
N_SCAN = 200


def survival_curve(sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Distinct values and the share of observations at least as large, Kaplan–Meier where some are censored.

    Of more than `N_POINTS` values those are kept that are evenly spaced in the logarithm of their rank from the top.
    """
    tails = tails_of(sample, False, True, False)
    m = tails.values.size
    kept = m - 1 - _log_spaced(m, N_POINTS)[::-1]
    return tails.values[kept].copy(), tails.upper[kept].copy()


def legacy_exponent(values: FloatArray, survival: FloatArray) -> float | None:
    """1 − slope of a straight line through the points on log–log axes; None with fewer than three of them.

    Args:
        values: Rising, from x_min on, shape `(n_values,)`.
        survival: Share of the observations at least as large, shape `(n_values,)`; points of share 0 are left out.
    """
    seen = survival > 0
    if np.unique(np.log(values[seen])).size < 3:
        return None
    return 1.0 - log_log_line(values[seen], survival[seen], "survival")[0]


def scan_curve(
    sample: Sample, *, two_sided: bool, discrete: bool, x_max: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Candidates for x_min, about evenly spaced in their logarithm, with exponent and distance."""
    tails = tails_of(sample, two_sided, discrete, False)
    m = tails.values.size - 1
    steps = np.linspace(tails.logs[0], tails.logs[m - 1], N_SCAN)
    chosen = np.arange(m) if m <= N_SCAN else np.unique(np.searchsorted(tails.logs[:m], steps).clip(0, m - 1))
    alphas, distances = _fits_at(sample, tails, chosen, discrete, x_max)
    return tails.values[chosen].copy(), alphas, distances


def _log_spaced(n: int, most: int) -> NDArray[np.int64]:
    """At most `most` of the ranks 0 … n − 1, first and last included."""
    if n <= most:
        return np.arange(n)
    return np.unique(np.round(np.geomspace(1, n, most)).astype(np.int64)) - 1


@njit(cache=True)
def _fits_at(
    sample: Sample, tails: Tails, chosen: NDArray[np.int64], discrete: bool, x_max: float
) -> tuple[FloatArray, FloatArray]:
    alphas, distances = np.empty(chosen.size), np.empty(chosen.size)
    for k in range(chosen.size):
        alphas[k] = tail_exponent(sample, tails, chosen[k], discrete, x_max, 0.0)
        distances[k], _ = tail_distance(tails, chosen[k], alphas[k], x_max, discrete, np.inf)
    return alphas, distances
