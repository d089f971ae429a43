"""Stretched exponential law on the tail: P(X ≥ x) = e^(−(λx)^β), given X ≥ x_min.

With κ = (λ x_min)^β and y = x/x_min the logarithm of the survival function is −κ (y^β − 1). As β → 0 with κβ fixed it
becomes the power law of α = 1 + κβ: the likelihood is flat towards that limit, so β is profiled on a logarithmic scale,
and κ follows in closed form or by a search in one dimension. Discrete data are the law rounded to whole numbers,
P(k) ∝ P(k − ½ ≤ X < k + ½), summed exactly since the sum telescopes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.tail import (
    LawFit,
    Tail,
    bounded_exponential,
    climb,
    far_values,
    highest,
    power_law_log_likelihoods,
    profile_limit,
)

FloatArray = NDArray[np.float64]

_SMALLEST, _LARGEST = 1e-8, 300.0  # β · reach
_STEEPEST = 0.3  # change of ln p over a far cell beyond which its second derivative says nothing


def fit_stretched_exponential(tail: Tail, alpha: float) -> LawFit:
    """λ and β by maximum likelihood, and the largest bend that the data allow.

    Where the continuous law is not above the likelihood of the power law `alpha`, β = 0 is the optimum, and that law.
    """
    solve = _discrete_solver(tail) if tail.discrete else _continuous_solver(tail)
    low, high = math.log(_SMALLEST / tail.reach), math.log(_LARGEST / tail.reach)
    n = tail.n

    def profile(log_beta: float) -> float:
        return solve(math.exp(log_beta))[1]

    best, top = highest(profile, low, high, 40)
    limit = profile_limit(lambda x: n * profile(x), best, n * top, high)
    bends = [_bend(tail, math.exp(x), solve(math.exp(x))[0]) for x in (best, limit)]
    beta = math.exp(best)
    kappa, _, at_values = solve(beta, True)
    plain = power_law_log_likelihoods(tail, alpha)
    if not tail.discrete and not tail.counts @ (at_values - plain) > 0:
        return LawFit("stretched_exponential", {"lambda": math.inf, "beta": 0.0}, plain, max(bends))
    # (λ x_min)^β = κ; towards the power law λ leaves the range of floating-point numbers
    log_rate = math.log(abs(kappa)) / beta - math.log(tail.x_min)
    parameters = {"lambda": math.exp(log_rate) if log_rate < 700 else math.inf, "beta": beta}
    return LawFit("stretched_exponential", parameters, at_values, max(bends))


def _bend(tail: Tail, beta: float, kappa: float) -> float:
    """Change of the local exponent 1 − β + κβ y^β over the tail, as a share of what it is at its start, less 1."""
    start = kappa * beta - beta
    change = kappa * beta * math.expm1(min(beta * tail.reach, 700.0))
    return abs(change) / abs(start) if start > 0 else math.inf


Solver = Callable[..., tuple[float, float, FloatArray]]


def _continuous_solver(tail: Tail) -> Solver:
    mean_log, nothing = tail.mean(tail.logs), np.empty(0)

    def solve(beta: float, with_values: bool = False) -> tuple[float, float, FloatArray]:
        t = np.expm1(beta * tail.logs)  # y^β − 1, an exponential variable of rate κ
        mean = tail.mean(t)
        span = math.expm1(min(beta * tail.log_range, 700.0)) if math.isfinite(tail.x_max) else math.inf
        kappa, log_total = bounded_exponential(mean, span)
        constant = math.log(beta) - log_total
        height = constant + beta * mean_log - kappa * mean
        if not with_values:
            return float(kappa), height, nothing
        return float(kappa), height, constant + (beta - 1) * tail.logs - kappa * t - math.log(tail.x_min)

    return solve


def _discrete_solver(tail: Tail) -> Solver:
    few = ~far_values(tail)
    counts, nothing = tail.counts, np.empty(0)
    near, far = tail.values[few], tail.logs[~few]
    lower, upper = np.log((near - 0.5) / tail.x_min), np.log((near + 0.5) / tail.x_min)
    first = math.log((tail.x_min - 0.5) / tail.x_min)
    last = math.log((tail.x_max + 0.5) / tail.x_min) if math.isfinite(tail.x_max) else math.inf
    inverse = 1 / tail.values[~few] ** 2
    n_far, sum_logs = float(counts[~few].sum()), float(counts[~few] @ far)

    def solve(beta: float, with_values: bool = False) -> tuple[float, float, FloatArray]:
        a, b = np.expm1(beta * lower), np.expm1(beta * upper)
        power = np.exp(beta * far)
        weight = counts[~few] * inverse / 24
        sums = (float(weight.sum()), float(weight @ power), float(weight @ power**2))
        mean_power = float(counts[~few] @ np.expm1(beta * far))
        top = math.exp(beta * tail.reach)
        bottom = math.expm1(beta * first)
        span = math.expm1(min(beta * last, 700.0)) - bottom if math.isfinite(last) else math.inf

        def height(log_slope: float) -> float:
            """Log-likelihood of one observation for κβ = e^log_slope."""
            kappa = math.exp(log_slope) / beta
            total = float(counts[few] @ (np.log(-np.expm1(-kappa * (b - a))) - kappa * a))
            # ln of a far cell: density at its middle, with the second derivative's (D² + D − κβ² y^β) / 24x²
            total += n_far * (log_slope - math.log(tail.x_min)) + (beta - 1) * sum_logs - kappa * mean_power
            d, e = 1 - beta, kappa * beta
            if d + e * top < _STEEPEST * tail.values[-1]:
                total += (d * d + d) * sums[0] + (2 * d * e + e - e * beta) * sums[1] + e * e * sums[2]
            norm = -kappa * bottom
            if math.isfinite(span):
                norm += math.log(-math.expm1(-kappa * span))
            return total / tail.n - norm

        guess = beta / (tail.mean(np.expm1(beta * tail.logs)) - bottom)
        log_slope, best = climb(height, math.log(guess), 0.02, 20.0)
        kappa = math.exp(log_slope) / beta
        if not with_values:
            return kappa, best, nothing
        at_values = np.empty(tail.values.size)
        norm = -kappa * bottom + (math.log(-math.expm1(-kappa * span)) if math.isfinite(span) else 0.0)
        at_values[few] = np.log(-np.expm1(-kappa * (b - a))) - kappa * a - norm
        d = 1 - beta + kappa * beta * power
        steep = 1 - beta + kappa * beta * top >= _STEEPEST * tail.values[-1]
        curve = (d * d + d - kappa * beta**2 * power) * inverse / 24 * (not steep)
        density = log_slope - math.log(tail.x_min) + (beta - 1) * far - kappa * np.expm1(beta * far)
        at_values[~few] = density + curve - norm
        return kappa, best, at_values

    return solve
