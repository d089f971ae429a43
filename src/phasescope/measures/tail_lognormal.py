"""Lognormal law on the tail: ln x normal with mean μ and deviation σ, given x ≥ x_min.

In u = ln(x/x_min) its density is ∝ e^(−r u − c u²) with c = 1/(2σ²) and r = −(μ − ln x_min)/σ². At c = 0 this is the
power law of α = 1 + r: μ → −∞ and σ → ∞ along a flat ridge, which is no ridge in (r, c), where the log-likelihood is
concave. r is found for each c, and c is profiled from the power law on. Discrete data are the law rounded to whole
numbers, P(k) ∝ P(k − ½ ≤ X < k + ½), summed exactly since the sum telescopes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.tail import LawFit, Tail, climb, far_values, highest, power_law_log_likelihoods, profile_limit
from phasescope.measures.tail_integrals import log_moments, rate_for_mean

FloatArray = NDArray[np.float64]

_FLATTEST, _SHARPEST = 1e-9, 1e3  # c times the variance of u
_CELL_WIDTHS = 50.0  # c times the squared width of the widest cell: σ is at least a tenth of it
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def fit_lognormal(tail: Tail, alpha: float) -> LawFit:
    """μ and σ by maximum likelihood, and the largest bend that the data allow.

    They are −∞ and ∞ where a power law is the optimum: the law `alpha` where the data are continuous.
    """
    solve = _discrete_solver(tail) if tail.discrete else _continuous_solver(tail)
    mean = tail.mean(tail.logs)
    variance = max(tail.mean((tail.logs - mean) ** 2), 1e-300)
    low, high = math.log(_FLATTEST / variance), math.log(_SHARPEST / variance)
    if tail.discrete:
        high = min(high, math.log(_CELL_WIDTHS / math.log((tail.x_min + 0.5) / (tail.x_min - 0.5)) ** 2))
    n = tail.n

    def profile(log_c: float) -> float:
        return solve(math.exp(log_c))[1]

    best, top = highest(profile, low, high, 40)
    limit = profile_limit(lambda x: n * profile(x), best, n * top, high)
    bends = [_bend(tail, math.exp(x), solve(math.exp(x))[0]) for x in (best, limit)]
    c = math.exp(best)
    if solve(0.0)[1] >= top:
        c = 0.0
    r, _, at_values = solve(c, True)
    plain = power_law_log_likelihoods(tail, alpha)
    if c == 0 or (not tail.discrete and not tail.counts @ (at_values - plain) > 0):
        parameters = {"mu": -math.inf, "sigma": math.inf}
        at_values = at_values if tail.discrete else plain
    else:
        parameters = {"mu": math.log(tail.x_min) - r / (2 * c), "sigma": math.sqrt(0.5 / c)}
    return LawFit("lognormal", parameters, at_values, max(bends))


def _bend(tail: Tail, c: float, r: float) -> float:
    """Change 2cu of the local exponent 1 + r + 2cu over the tail, as a share of what it is at its start, less 1."""
    return 2 * c * tail.reach / r if r > 0 else math.inf


Solver = Callable[..., tuple[float, float, FloatArray]]


def _continuous_solver(tail: Tail) -> Solver:
    first, second = tail.mean(tail.logs), tail.mean(tail.logs**2)
    nothing = np.empty(0)

    def solve(c: float, with_values: bool = False) -> tuple[float, float, FloatArray]:
        guess = 1 / first - 2 * c * first  # exact for c = 0 and for a narrow law far from x_min
        r, log_total = rate_for_mean(first, c, 0.0, 0.0, 0.0, tail.log_range, guess)
        height = -r * first - c * second - log_total
        if not with_values:
            return float(r), height, nothing
        return float(r), height, -(r + 1) * tail.logs - c * tail.logs**2 - log_total - math.log(tail.x_min)

    return solve


def _discrete_solver(tail: Tail) -> Solver:
    few = ~far_values(tail)
    counts, nothing = tail.counts, np.empty(0)
    near, far = tail.values[few], tail.logs[~few]
    lower, upper = np.log((near - 0.5) / tail.x_min), np.log((near + 0.5) / tail.x_min)
    half = 0.5 * (upper - lower)[:, None]
    nodes, log_weights = lower[:, None] + half * (_NODES + 1), np.log(half * _WEIGHTS)
    squares = nodes**2
    inverse = 1 / tail.values[~few] ** 2
    n_far, sums = float(counts[~few].sum()), [float(counts[~few] @ far**k) for k in (1, 2)]
    weight = counts[~few] * inverse / 24
    inverse_sums = [float(weight @ far**k) for k in (0, 1, 2)]
    start = math.log((tail.x_min - 0.5) / tail.x_min)
    end = math.log((tail.x_max + 0.5) / tail.x_min) if math.isfinite(tail.x_max) else math.inf
    mean = tail.mean(tail.logs)

    def cells(r: float, c: float) -> FloatArray:
        exponents = log_weights - r * nodes - c * squares
        top = exponents.max(axis=1)
        return np.asarray(top + np.log(np.exp(exponents - top[:, None]).sum(axis=1)))

    def solve(c: float, with_values: bool = False) -> tuple[float, float, FloatArray]:
        def height(r: float) -> float:
            log_total = log_moments(r, c, 0.0, 0.0, start, end)[0]
            if not math.isfinite(log_total):
                return -math.inf
            total = float(counts[few] @ cells(r, c)) if near.size else 0.0
            total -= (r + 1) * sums[0] + c * sums[1] + n_far * math.log(tail.x_min)
            d = 1 + r  # the far cell's second derivative is (D² + D − 2c)/x² with D = d + 2cu
            total += (d * d + d - 2 * c) * inverse_sums[0] + (4 * c * d + 2 * c) * inverse_sums[1]
            total += 4 * c * c * inverse_sums[2]
            return total / tail.n - log_total

        guess, _ = rate_for_mean(mean, c, 0.0, 0.0, start, end, 1 / (mean - start) - 2 * c * (mean - start))
        r, best = climb(height, guess, 0.05 * (1 / mean + 2 * c * mean), 1e6 * (1 / mean + 2 * c * mean))
        if not with_values:
            return r, best, nothing
        at_values = np.empty(tail.values.size)
        log_total = log_moments(r, c, 0.0, 0.0, start, end)[0]
        at_values[few] = cells(r, c) - log_total
        d = 1 + r + 2 * c * far
        density = -(r + 1) * far - c * far**2 - math.log(tail.x_min)
        at_values[~few] = density + (d * d + d - 2 * c) * inverse / 24 - log_total
        return r, best, at_values

    return solve
