"""Power law with exponential cut-off on the tail: p(x) ∝ x^−α e^(−λx), λ ≥ 0, which contains the power law at λ = 0."""

from __future__ import annotations

import math

import numpy as np

from phasescope.measures.tail import LawFit, Tail, climb, highest, power_law_log_likelihoods
from phasescope.measures.tail_integrals import log_truncated_zeta, rate_for_mean

_LOWEST, _HIGHEST = -30.0, 8.0  # ln λ x_top: from no cut-off within the data to one far below them


def fit_truncated_power_law(tail: Tail, alpha: float) -> LawFit:
    """α and λ by maximum likelihood: an exponential family, whose profile over ln λ has one maximum.

    Where that is not above the power law's likelihood, λ = 0 is the optimum and the fit is the power law `alpha`.

    Args:
        tail: The data.
        alpha: Exponent of the power law that fits best.
    """
    mean_log, reach = tail.mean(tail.logs), tail.reach
    ratios = np.exp(tail.logs - reach)  # x/x_top
    mean_ratio, start = tail.mean(ratios), math.exp(-reach)

    def solve(log_rate: float) -> tuple[float, float]:
        """The best r for a cut-off, and the log-likelihood of one observation up to a constant."""
        rate = math.exp(log_rate)
        if not tail.discrete:
            r, log_total = rate_for_mean(mean_log, 0.0, rate, reach, 0.0, tail.log_range, alpha - 1)
            return r, -r * mean_log - rate * mean_ratio - log_total
        per_unit = rate * start / tail.x_min

        def height(r: float) -> float:
            log_total = log_truncated_zeta(r + 1, per_unit, tail.x_min, tail.x_max)
            return -(r + 1) * mean_log - rate * (mean_ratio - start) - log_total

        return climb(height, alpha - 1, 0.05 * (1 + abs(alpha)), 1e4)

    lowest = _LOWEST
    highest_rate = _HIGHEST - math.log(max(tail.mean(ratios - start), 1e-12))
    best, _ = highest(lambda log_rate: solve(log_rate)[1], lowest, highest_rate)
    r, _ = solve(best)
    rate = math.exp(best)
    if tail.discrete:
        log_total = log_truncated_zeta(r + 1, rate * start / tail.x_min, tail.x_min, tail.x_max)
        at_values = -(r + 1) * tail.logs - rate * (ratios - start) - log_total
    else:
        _, log_total = rate_for_mean(mean_log, 0.0, rate, reach, 0.0, tail.log_range, r)
        at_values = -(r + 1) * tail.logs - rate * ratios - log_total - math.log(tail.x_min)
    plain = power_law_log_likelihoods(tail, alpha)
    if not tail.counts @ (at_values - plain) > 0:
        return LawFit("truncated_power_law", {"alpha": float(alpha), "lambda": 0.0}, plain)
    parameters = {"alpha": float(r + 1), "lambda": float(rate * start / tail.x_min)}
    return LawFit("truncated_power_law", parameters, np.asarray(at_values))
