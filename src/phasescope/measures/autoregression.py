"""First-order autoregressive noise: whiten it, draw it, and estimate it beside mean shifts.

The noise of a training curve is correlated from one evaluation to the next. Everything here counts in evaluations,
not in training steps: ε[t] = φ·ε[t − 1] + η[t] with innovations η of standard deviation σ, so that the series itself
has the standard deviation σ/√(1 − φ²).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]
ROUNDING_SD = 3e-4  # of the curve's range
TRIMMED = 0.95  # share of the differences that is kept, so that shifts are not taken for noise
TRIMMED_VARIANCE = 0.7588  # of a Gaussian variable within its central 95 %


def whiten(series: FloatArray, autocorrelation: float) -> FloatArray:
    """Turn AR(1) noise into white noise of the innovations' variance (Prais–Winsten, keeps the first sample).

    Args:
        series: Samples along the first axis, shape `(n_samples,)` or `(n_samples, n_series)`.
        autocorrelation: φ, in (−1, 1).

    Returns:
        An array of the same shape.
    """
    white = np.empty_like(series)
    white[0] = math.sqrt(1.0 - autocorrelation**2) * series[0]
    white[1:] = series[1:] - autocorrelation * series[:-1]
    return white


def color(innovations: FloatArray, autocorrelation: float) -> FloatArray:
    """Inverse of `whiten`: a stationary AR(1) series made of the given innovations, same shape."""
    first = innovations.copy()
    first[0] /= math.sqrt(1.0 - autocorrelation**2)
    colored: FloatArray = lfilter([1.0], [1.0, -autocorrelation], first, axis=0)
    return colored


def rounding_variance(autocorrelation: float) -> float:
    """Variance that rounding noise has after whitening, for a curve of range one.

    Added to residuals when autocorrelations are compared, it lets a curve without noise count as uncorrelated.
    """
    return ROUNDING_SD**2 * (1.0 + autocorrelation**2)


def local_sd(innovations: FloatArray) -> FloatArray:
    """Standard deviation of innovations as it changes over the record, smoothed over a quarter of it.

    Args:
        innovations: Shape `(n_samples,)`, of mean zero.

    Returns:
        A positive array of the same shape.
    """
    bandwidth = max(innovations.size / 8.0, 8.0)
    smooth = gaussian_filter1d(innovations**2, bandwidth, mode="reflect")
    floor = max(1e-4 * float(smooth.max()), float(np.finfo(float).tiny))
    spread: FloatArray = np.sqrt(np.maximum(smooth, floor))
    return spread


def noise_beside_shifts(values: FloatArray) -> tuple[float, float]:
    """Standard deviation and lag-one autocorrelation of AR(1) noise on a piecewise-constant mean, without fitting it.

    Differences at lags 1 and 2 see a shift only where it happens, and the largest 5 % of them are left out:
    Var[y(t+1) − y(t)] = 2γ(1 − φ) and Var[y(t+2) − y(t)] = 2γ(1 − φ²), so their ratio is 1 + φ.

    Args:
        values: Samples, shape `(n_samples,)`, at least four.

    Returns:
        The standard deviation √γ and φ, the latter within [0, 0.95].
    """
    near, far = (_trimmed_variance(values[lag:] - values[:-lag]) for lag in (1, 2))
    if near == 0.0:
        return 0.0, 0.0
    autocorrelation = min(max(far / near - 1.0, 0.0), 0.95)
    return math.sqrt(near / (2.0 * (1.0 - autocorrelation))), autocorrelation


def _trimmed_variance(differences: FloatArray) -> float:
    """Variance of Gaussian differences of mean zero, from the smallest of them."""
    kept = np.sort(differences**2)[: max(int(TRIMMED * differences.size), 1)]
    return float(kept.mean()) / TRIMMED_VARIANCE
