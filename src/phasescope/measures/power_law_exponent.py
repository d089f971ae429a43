"""Maximum-likelihood exponent of a power law on [x_min, x_max], continuous or discrete (compiled).

Both laws are exponential families whose sufficient statistic is the mean of ln(x/x_min), so the estimate solves

    E_α[ln(x/x_min)] = mean of ln(x/x_min).

Continuous and unbounded this is α = 1 + 1/mean [1, eq. 3.1]; bounded, or discrete with Hurwitz's zeta function in the
normalization [1, eq. 3.5], it is a Newton iteration, whose derivatives are the cumulants of ln x.

References:
    [1] Clauset, Shalizi & Newman (2009), SIAM Review 51, 661.
"""

from __future__ import annotations

import math

from numba import njit
from numpy import inf

from phasescope.measures.hurwitz_zeta import NEAR_POLE, bounded_zeta_moments, scaled_zeta

LARGEST_EXPONENT = 1e4  # of a discrete law: beyond it, a tail of equal values
_STEEPEST = 600.0  # −rate · range of a law that piles up at its end; e^700 overflows
_FLAT = 1e-6  # |rate · range| below which the bounded law is taken as flat in ln x


@njit(cache=True)
def bounded_exponential_mean(y: float) -> float:
    """Mean of the exponential law of rate y on [0, 1]: 1/y − 1/(e^y − 1)."""
    if abs(y) < 1e-2:
        return 0.5 - y / 12.0 + y**3 / 720.0
    return 1.0 / y - 1.0 / math.expm1(y) if y < 700.0 else 1.0 / y


@njit(cache=True)
def continuous_exponent(mean_log: float, log_range: float) -> float:
    """α of the continuous law from the mean of ln(x/x_min), with ln(x_max/x_min) = `log_range`, possibly infinite."""
    if log_range == inf:
        return 1.0 + 1.0 / mean_log
    share = mean_log / log_range
    if share >= 1.0 - 1.0 / _STEEPEST:
        return 1.0 - _STEEPEST / log_range
    y = 12.0 * (0.5 - share)
    if share < 0.2:
        y = 1.0 / share
    elif share > 0.8:
        y = -1.0 / (1.0 - share)
    for _ in range(60):
        if abs(y) < 1e-2:
            slope = -1.0 / 12.0 + y * y / 240.0
        elif abs(y) < 700.0:
            slope = -1.0 / (y * y) + 0.25 / math.sinh(0.5 * y) ** 2
        else:
            slope = -1.0 / (y * y)
        step = (bounded_exponential_mean(y) - share) / slope
        step = max(-1.0 - 0.5 * abs(y), min(1.0 + 0.5 * abs(y), step))
        y -= step
        if abs(step) <= 1e-13 * max(1.0, abs(y)):
            break
    if abs(y) < _FLAT:
        y = math.copysign(_FLAT, y)
    return 1.0 + y / log_range


@njit(cache=True)
def discrete_exponent(mean_log: float, q: float, x_max: float, start: float) -> float:
    """α of the discrete law on q … x_max from the mean of ln(x/q); `start` is a first guess, or 0 for none."""
    guess = 1.0 + 1.0 / (mean_log + math.log(q / (q - 0.5)))
    alpha = min(start if 1.0 < start < 2.0 * guess else guess, LARGEST_EXPONENT)
    lowest = 1.0 if x_max == inf else 1.0 - _STEEPEST / math.log(x_max / q)
    for _ in range(100):
        m0, m1, m2, _ = bounded_zeta_moments(alpha, q, x_max)
        mean = m1 / m0
        step = (mean - mean_log) / max(m2 / m0 - mean * mean, 1e-300)
        new = alpha + step
        if x_max == inf:
            new = max(new, 0.5 * (1.0 + alpha))  # the pole at 1 is the end of the range
        else:
            new = max(lowest, alpha + max(-2.0 - abs(alpha), min(2.0 + abs(alpha), step)))
        new = min(new, LARGEST_EXPONENT)
        if abs(new - 1.0) < NEAR_POLE:
            new = 1.0 + NEAR_POLE
        if abs(new - alpha) <= 1e-13 * abs(new):
            return new
        alpha = new
    return alpha


@njit(cache=True)
def log_cumulants(alpha: float, x_min: float, x_max: float, discrete: bool) -> tuple[float, float, float]:
    """Mean, variance and third cumulant of ln(x/x_min) under the law.

    One observation carries the Fisher information κ₂; over n, the estimate's first-order bias is κ₃ / (2 n κ₂²).
    """
    if discrete:
        m0, m1, m2, m3 = bounded_zeta_moments(alpha, x_min, x_max)
        mean = m1 / m0
        return mean, m2 / m0 - mean * mean, m3 / m0 - 3.0 * mean * m2 / m0 + 2.0 * mean**3
    rate = alpha - 1.0
    if x_max == inf:
        return 1.0 / rate, 1.0 / rate**2, 2.0 / rate**3
    log_range = math.log(x_max / x_min)
    y = rate * log_range
    if abs(y) < 0.2:  # series about the flat law, whose odd cumulants vanish
        second = 1.0 / 12.0 - y * y / 240.0 + y**4 / 6048.0
        third = y / 120.0 - y**3 / 1512.0
    else:
        half = 0.5 * min(abs(y), 1400.0)
        second = 1.0 / y**2 - 0.25 / math.sinh(half) ** 2
        third = 2.0 / abs(y) ** 3 - 0.25 * math.cosh(half) / math.sinh(half) ** 3
        third = math.copysign(third, y)
    return bounded_exponential_mean(y) * log_range, second * log_range**2, third * log_range**3


@njit(cache=True)
def model_survival(
    log_ratio: float, x: float, alpha: float, scale: float, rest: float, discrete: bool
) -> tuple[float, float]:
    """P(X ≥ x) and P(X > x) under the law, with ln(x/x_min) and what `law_constants` returns."""
    if discrete:
        mass = math.exp(-alpha * log_ratio) * scale
        at_least = mass * scaled_zeta(alpha, x)
        return (at_least - rest) / (1.0 - rest), (at_least - mass - rest) / (1.0 - rest)
    survival = (math.exp((1.0 - alpha) * log_ratio) - rest) / (1.0 - rest)
    return survival, survival


@njit(cache=True)
def law_constants(alpha: float, x_min: float, x_max: float, discrete: bool) -> tuple[float, float]:
    """Scale 1/(x_min^α ζ(α, x_min)) and the unbounded law's share above x_max."""
    if discrete:
        scale = 1.0 / scaled_zeta(alpha, x_min)
        if x_max == inf:
            return scale, 0.0
        return scale, math.exp(-alpha * math.log((x_max + 1.0) / x_min)) * scaled_zeta(alpha, x_max + 1.0) * scale
    if x_max == inf:
        return 1.0, 0.0
    return 1.0, math.exp((1.0 - alpha) * math.log(x_max / x_min))
