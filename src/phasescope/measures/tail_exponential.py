"""Exponential law on the tail: p(x) ∝ e^(−λx) from x_min on, to x_max where there is one."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from phasescope.measures.tail import LawFit, Tail, bounded_exponential


def fit_exponential(tail: Tail) -> LawFit:
    """λ by maximum likelihood: from the mean of x − x_min, in closed form where the law has no end.

    Discrete it is the geometric law P(k) ∝ e^(−λk) on whole numbers. On a bounded range λ may be negative.
    """
    excess = tail.values - tail.x_min
    mean, span = tail.mean(excess), tail.x_max - tail.x_min
    if not tail.discrete:
        rate, log_total = bounded_exponential(mean, span)
    elif math.isinf(span):
        rate = math.log1p(1 / mean)
        log_total = -math.log(-math.expm1(-rate))
    else:
        rate = _geometric_rate(mean, span)
        log_total = _log_geometric_sum(rate, span)
    return LawFit("exponential", {"lambda": float(rate)}, np.asarray(-rate * excess - log_total))


@njit(cache=True)
def _log_geometric_sum(rate: float, span: float) -> float:
    """Ln Σ_{k = 0}^{span} e^(−rate k)."""
    if abs(rate) * (span + 1.0) < 1e-9:
        return math.log(span + 1.0) - 0.5 * rate * span
    if rate > 0.0:
        return math.log(-math.expm1(-rate * (span + 1.0))) - math.log(-math.expm1(-rate))
    return -rate * span + math.log(-math.expm1(rate * (span + 1.0))) - math.log(-math.expm1(rate))


@njit(cache=True)
def _geometric_mean(rate: float, span: float) -> float:
    """Mean of k under P(k) ∝ e^(−rate k), k = 0 … span."""
    if rate < 0.0:
        return span - _geometric_mean(-rate, span)
    width = span + 1.0
    if rate * width < 1e-4:
        return 0.5 * span - rate * span * (span + 2.0) / 12.0
    rest = width / math.expm1(rate * width) if rate * width < 700.0 else 0.0
    return 1.0 / math.expm1(rate) - rest if rate < 700.0 else 0.0


@njit(cache=True)
def _geometric_rate(mean: float, span: float) -> float:
    """The rate at which the bounded geometric law has the given mean, by bisection: the mean falls with the rate."""
    low, high = -60.0, 60.0
    for _ in range(200):
        rate = 0.5 * (low + high)
        if _geometric_mean(rate, span) > mean:
            low = rate
        else:
            high = rate
    return 0.5 * (low + high)
