"""Laws that compete with a power law for the same tail: each fitted by maximum likelihood on [x_min, x_max].

| law | density from x_min on | discrete |
|---|---|---|
| exponential | ∝ e^(−λx) | the same at whole numbers: geometric |
| lognormal | ∝ x^−1 e^(−(ln x − μ)²/2σ²) | rounded to whole numbers |
| stretched_exponential | ∝ x^(β−1) e^(−(λx)^β) | rounded to whole numbers |
| truncated_power_law | ∝ x^−α e^(−λx), λ ≥ 0 | the same at whole numbers, summed exactly |

The power law is the truncated law at λ = 0, and the limit of the lognormal (μ → −∞, σ² ∝ −μ) and of the stretched
exponential (β → 0): continuous, these three are never worse than it [1 takes them as separate families].

References:
    [1] Clauset, Shalizi & Newman (2009), SIAM Review 51, 661.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.tail import LawFit, Tail, power_law_log_likelihoods
from phasescope.measures.tail_exponential import fit_exponential
from phasescope.measures.tail_lognormal import fit_lognormal
from phasescope.measures.tail_stretched_exponential import fit_stretched_exponential
from phasescope.measures.tail_truncated_power_law import fit_truncated_power_law

LAWS = ("lognormal", "exponential", "stretched_exponential", "truncated_power_law")


def fit_law(law: str, tail: Tail, *, alpha: float) -> LawFit:
    """Maximum-likelihood fit of one of `LAWS` to a tail.

    Args:
        law: Its name.
        tail: The data.
        alpha: Exponent of the power law that fits best; the limit of three of the laws.

    Raises:
        ValueError: If there is no law of that name.

    Example:
        >>> from phasescope.measures.tail import tail_of
        >>> waits = 1 + np.random.default_rng(0).exponential(0.5, 10_000)  # rate 2
        >>> fit = fit_law("exponential", tail_of(waits, x_min=1.0, x_max=None, discrete=False), alpha=2.0)
        >>> round(fit.parameters["lambda"], 1)
        2.0
    """
    if law == "exponential":
        return fit_exponential(tail)
    if law == "lognormal":
        return fit_lognormal(tail, alpha)
    if law == "stretched_exponential":
        return fit_stretched_exponential(tail, alpha)
    if law == "truncated_power_law":
        return fit_truncated_power_law(tail, alpha)
    raise ValueError(f"there is no law {law!r}; there are {', '.join(LAWS)}")


def log_likelihood_ratios(tail: Tail, alpha: float, fit: LawFit) -> NDArray[np.float64]:
    """Ln p(x) of the power law less that of another law, at each distinct value."""
    return np.asarray(power_law_log_likelihoods(tail, alpha) - fit.log_likelihoods)
