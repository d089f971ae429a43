"""Integrals and sums that normalize the laws compared with a power law (compiled).

In u = ln(x/x_min) the power law, the lognormal and the power law with exponential cut-off are one family,

    g(u) ∝ exp(−r u − c u² − λ e^(u − reach)),

with r = α − 1 for the power laws, c = 1/(2σ²) for the lognormal, and λ the cut-off's rate per x_min e^reach. ln g is
concave, so its support can be found; outside, it is 50 below its maximum.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_DROP = 50.0  # e^−50 of the maximum is nothing to a sum
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANELS, _CUT_PANELS = 24, 20
_BEFORE_CUT = 10.0  # logarithms before the cut-off where λ e^(u − reach) begins to curve
_DIRECT = 64  # terms of a sum that are added one by one, at least
# B_2k / (2k)! for k = 1 … 6
_EULER_MACLAURIN = np.array([1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000])


@njit(cache=True)
def _height(u: float, r: float, c: float, rate: float, reach: float) -> float:
    bend = rate * math.exp(min(u - reach, 690.0)) if rate > 0.0 else 0.0
    return -r * u - c * u * u - bend


@njit(cache=True)
def _slope(u: float, r: float, c: float, rate: float, reach: float) -> float:
    bend = rate * math.exp(min(u - reach, 690.0)) if rate > 0.0 else 0.0
    return -r - 2.0 * c * u - bend


@njit(cache=True)
def _peak(r: float, c: float, rate: float, reach: float, start: float, end: float) -> float:
    """Where the density is largest on [start, end]; infinite where it rises for ever."""
    if _slope(start, r, c, rate, reach) <= 0.0:
        return start
    if end < np.inf and _slope(end, r, c, rate, reach) >= 0.0:
        return end
    low, step = start, 1.0
    high = min(start + step, end)
    while _slope(high, r, c, rate, reach) > 0.0:
        low, step = high, 2.0 * step
        if step > 1e9:
            return np.inf
        high = min(start + step, end)
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _slope(middle, r, c, rate, reach) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit(cache=True)
def _where_it_drops(peak: float, end: float, r: float, c: float, rate: float, reach: float) -> float:
    """Between the peak and `end`, where the logarithm has dropped by 50; `end` if it never does."""
    level = _height(peak, r, c, rate, reach) - _DROP
    if abs(end) < np.inf and _height(end, r, c, rate, reach) >= level:
        return end
    sign = 1.0 if end > peak else -1.0
    inside, step = peak, 1e-3
    outside = peak + sign * step
    while _height(outside, r, c, rate, reach) > level:
        inside, step = outside, 2.0 * step
        if step > 1e9:
            return np.inf
        outside = peak + sign * step
    for _ in range(12):
        middle = 0.5 * (inside + outside)
        if _height(middle, r, c, rate, reach) > level:
            inside = middle
        else:
            outside = middle
    return min(outside, end) if sign > 0 else max(outside, end)


@njit(cache=True)
def log_moments(
    r: float, c: float, rate: float, reach: float, start: float, end: float
) -> tuple[float, float, float, float]:
    """Logarithm of ∫ g from `start` to `end`, and mean and variance of u and mean of u² under g.

    Example:
        >>> round(log_moments(2.0, 0.0, 0.0, 0.0, 0.0, 50.0)[1], 9)  # an exponential law of rate 2, nearly
        0.5
    """
    peak = _peak(r, c, rate, reach, start, end)
    if peak == np.inf:
        return np.inf, np.nan, np.nan, np.nan
    high = _where_it_drops(peak, end, r, c, rate, reach)
    if high == np.inf:
        return np.inf, np.nan, np.nan, np.nan
    low = start if peak == start else _where_it_drops(peak, start, r, c, rate, reach)
    cut = high
    if rate > 0.0:
        cut = min(max(reach - math.log(rate) - _BEFORE_CUT, low), high)
    top = _height(peak, r, c, rate, reach)
    total, first, second = 0.0, 0.0, 0.0
    for part in range(2):
        a, b, n = (low, cut, _PANELS) if part == 0 else (cut, high, _CUT_PANELS)
        if b <= a:
            continue
        half = 0.5 * (b - a) / n
        for k in range(n):
            middle = a + (2 * k + 1) * half
            for i in range(_NODES.size):
                u = middle + half * _NODES[i]
                mass = half * _WEIGHTS[i] * math.exp(_height(u, r, c, rate, reach) - top)
                total += mass
                first += mass * (u - peak)
                second += mass * (u - peak) ** 2
    first /= total
    second /= total
    variance = second - first * first
    mean = peak + first
    return top + math.log(total), mean, variance, variance + mean * mean


@njit(cache=True)
def rate_for_mean(
    mean_log: float, c: float, rate: float, reach: float, start: float, end: float, guess: float
) -> tuple[float, float]:
    """The r at which u has the mean `mean_log`, and the logarithm of the integral there: Newton, kept in a bracket."""
    low, high = -np.inf, np.inf
    r = guess
    log_total = np.inf
    for _ in range(200):
        log_total, mean, variance, _ = log_moments(r, c, rate, reach, start, end)
        if log_total == np.inf or mean > mean_log:
            low = max(low, r)  # r must grow
        else:
            high = min(high, r)
        if log_total == np.inf or not variance > 0.0:
            new = r + max(1.0, abs(r)) if high == np.inf else 0.5 * (r + high)
        else:
            new = r + (mean - mean_log) / variance
        if new >= high:
            new = 0.5 * (max(low, 2.0 * high - new) + high) if low == -np.inf else 0.5 * (low + high)
        elif new <= low:
            new = 0.5 * (low + high) if high < np.inf else low + max(1.0, abs(low))
        if abs(new - r) <= 1e-12 * max(abs(new), 1e-3):
            break
        r = new
    return r, log_total


@njit(cache=True)
def _odd_derivative(order: int, x: float, alpha: float, rate: float) -> float:
    """−f^(order)/f of f = x^−α e^(−rate x) for an odd order, by Leibniz's rule."""
    total, term = 0.0, 1.0  # term = C(order, j) (α)_j x^−j
    for j in range(order + 1):
        total += term * rate ** (order - j)
        term *= (order - j) / (j + 1.0) * (alpha + j) / x
    return total


@njit(cache=True)
def log_truncated_zeta(alpha: float, rate: float, q: float, end: float) -> float:
    """Ln Σ_{k = q}^{end} (k/q)^−α e^(−rate (k − q)) over whole numbers; rate ≥ 0, `end` finite or not.

    The first terms are added, the rest is their integral with Euler–Maclaurin's corrections.
    """
    n_direct = _DIRECT + math.ceil(5.0 * abs(alpha))
    if rate > 0.3:  # the series would not converge: all terms that count
        n_direct += math.ceil((60.0 + 3.0 * max(-alpha, 0.0) * math.log(4.0 + max(-alpha, 0.0) / rate)) / rate)
    n_direct = min(n_direct, 100_000)
    # With α < 0 terms rise before they fall: keep all below e^700.
    top = 0.0
    if alpha < 0.0:
        place = q if rate <= 0.0 else max(q, -alpha / rate)
        place = min(place, end)
        top = -alpha * math.log(place / q) - rate * (place - q)
    total = 0.0
    x = q
    for _ in range(n_direct):
        if x > end:
            return top + math.log(total)
        total += math.exp(-alpha * math.log(x / q) - rate * (x - q) - top)
        x += 1.0
    if x > end:
        return top + math.log(total)
    start, stop = math.log(x / q), math.log(end / q) if end < np.inf else np.inf
    if stop > start:
        log_integral, _, _, _ = log_moments(alpha - 1.0, 0.0, rate * q, 0.0, start, stop)
        if log_integral == np.inf:
            return np.inf
        total += math.exp(log_integral + rate * q - top) * q
    first = math.exp(-alpha * start - rate * (x - q) - top)
    last = math.exp(-alpha * stop - rate * (end - q) - top) if end < np.inf else 0.0
    total += 0.5 * (first + last)
    for k in range(_EULER_MACLAURIN.size):
        total += _EULER_MACLAURIN[k] * first * _odd_derivative(2 * k + 1, x, alpha, rate)
        if last > 0.0:
            total -= _EULER_MACLAURIN[k] * last * _odd_derivative(2 * k + 1, end, alpha, rate)
    return top + math.log(total)
