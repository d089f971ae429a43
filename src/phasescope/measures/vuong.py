"""Likelihood ratios of a power law against other laws on the same tail, with Vuong's test."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from phasescope.measures.heavy_tail_laws import LAWS, fit_law, log_likelihood_ratios
from phasescope.measures.tail import LawFit, Tail, tail_of
from phasescope.results import Result

_NESTED = "truncated_power_law"
_ROUNDING = 1e-8  # by how much a law that contains the power law may seem worse than it
_NO_DIFFERENCE = 1e-9  # log-likelihood per √n below which two fits are one law


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Result):
    """Log-likelihood ratio of the power law against another law, both fitted to the same tail."""

    law: str  # the other law
    parameters: dict[str, float]  # of the other law, maximum likelihood
    log_ratio: float  # R = Σ (ln p_power law − ln p_other), nats; positive for the power law
    normalized_ratio: (
        float  # R/(√n s), s the deviation of one observation's ratio; standard normal if neither is nearer
    )
    p_value: float  # two-sided, that R comes from chance: Vuong's, or χ² with one degree of freedom if nested
    nested: bool  # whether the other law contains the power law: R ≤ 0 then
    bend: float | None = (
        None  # largest change of the other law's exponent α − 1 over the tail, as a share of it, that the
    )
    # data allow (one-sided 95 %): near 0 the other law is itself a power law; None where it has no such limit


def compare_with_alternatives(
    values: ArrayLike,
    *,
    alpha: float,
    x_min: float,
    x_max: float | None,
    discrete: bool,
    weights: ArrayLike | None = None,
) -> tuple[Comparison, ...]:
    """Compare a fitted power law with lognormal, exponential, stretched exponential and truncated power law.

    For separate laws R/(√n s) is standard normal if both are equally near the truth, and p = erfc(|R|/√(2n s²)) [1].
    The truncated power law contains the power law, R ≤ 0, and 2|R| follows χ²₁: p = erfc(√|R|). Since λ = 0 lies on the
    boundary of λ ≥ 0, 2|R| is 0 in half of all cases and χ²₁ in the others, and the exact p is half of the one given;
    published tables have χ²₁ [2], and so has this.

    Args:
        values: The tail, all in [x_min, x_max], shape `(n,)`, in the unit of x_min.
        alpha: Maximum-likelihood exponent of the power law.
        x_min: Where the laws begin.
        x_max: Where they end, or None.
        discrete: Whether they live on whole numbers.
        weights: Number of observations of each value, shape `(n,)`; one each if not given.

    Returns:
        One comparison for each law.

    Raises:
        ValueError: If values lie outside [x_min, x_max] or fewer than two are distinct.

    References:
        [1] Vuong (1989), Econometrica 57, 307.
        [2] Clauset, Shalizi & Newman (2009), SIAM Review 51, 661.

    Example:
        >>> import numpy as np
        >>> waits = 1 + np.random.default_rng(0).exponential(1, 2_000)
        >>> alpha = 1 + 1 / np.log(waits).mean()
        >>> found = compare_with_alternatives(waits, alpha=alpha, x_min=1.0, x_max=None, discrete=False)
        >>> [one.law for one in found if one.log_ratio < 0 and one.p_value < 0.01]
        ['lognormal', 'exponential', 'stretched_exponential', 'truncated_power_law']
    """
    tail = tail_of(values, x_min=x_min, x_max=x_max, discrete=discrete, weights=weights)
    return tuple(_comparison(tail, alpha, fit_law(law, tail, alpha=alpha)) for law in LAWS)


def _comparison(tail: Tail, alpha: float, fit: LawFit) -> Comparison:
    ratios = log_likelihood_ratios(tail, alpha, fit)
    log_ratio = float(tail.counts @ ratios)
    variance = tail.mean((ratios - log_ratio / tail.n) ** 2)
    scale = math.sqrt(tail.n * variance)
    nested = fit.law == _NESTED
    if nested and log_ratio > _ROUNDING:
        raise AssertionError(f"the truncated law is worse than the power law it contains by {log_ratio:.1e}")
    same = scale <= _NO_DIFFERENCE and abs(log_ratio) <= _NO_DIFFERENCE * math.sqrt(tail.n)
    normalized = 0.0 if same else log_ratio / max(scale, 1e-300)
    return Comparison(
        law=fit.law,
        parameters=fit.parameters,
        log_ratio=log_ratio,
        normalized_ratio=normalized,
        p_value=math.erfc(math.sqrt(max(-log_ratio, 0.0))) if nested else math.erfc(abs(normalized) / math.sqrt(2)),
        nested=nested,
        bend=fit.bend,
    )
