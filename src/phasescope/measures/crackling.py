"""The crackling-noise relation (α − 1)/(τ − 1) = γ as a test on jointly estimated exponents."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtri

from phasescope.measures.arrays import as_finite
from phasescope.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class CracklingRelation(Result):
    """How far the exponents are from (α − 1)/(τ − 1) = γ."""

    estimate: float  # (α − 1)/(τ − 1) − γ; 0 where the relation holds
    interval: tuple[float, float]  # 95 %, Fieller's; unbounded where τ is not told from 1
    predicted: float  # (α − 1)/(τ − 1)
    predicted_interval: tuple[float, float]
    measured: float  # γ
    measured_interval: tuple[float, float]
    p_value: float  # of the relation; the interval holds 0 exactly where p > 0.05


def crackling_relation(
    *, size_exponent: float, duration_exponent: float, mean_size_exponent: float, covariance: ArrayLike
) -> CracklingRelation:
    """Test the relation between the exponents of size τ, duration α and mean size given duration γ [1].

    With A(δ) = α − 1 − (γ + δ)(τ − 1), which is linear in what it divides by, the difference δ is compatible with the
    data where A(δ)² ≤ 1.96² var A(δ) (Fieller). The relation is a necessary consequence of scaling and no proof of
    criticality: noise above a threshold obeys it too [2].

    Args:
        size_exponent: τ of P(S) ~ S^−τ.
        duration_exponent: α of P(T) ~ T^−α.
        mean_size_exponent: γ of ⟨S⟩(T) ~ T^γ, in the literature 1/(σνz).
        covariance: Of the three in that order, shape `(3, 3)`.

    Returns:
        The difference with its interval, both sides of the relation, and p.

    Raises:
        ValueError: If τ is 1, or the covariance is not of that shape.

    References:
        [1] Sethna, Dahmen & Myers (2001), Nature 410, 242.
        [2] Touboul & Destexhe (2017), Physical Review E 95, 012413.

    Example:
        >>> relation = crackling_relation(
        ...     size_exponent=1.5, duration_exponent=2.0, mean_size_exponent=1.9, covariance=0.01 * np.eye(3)
        ... )
        >>> round(relation.estimate, 12), relation.p_value > 0.05
        (0.1, True)
    """
    spread = as_finite(covariance, name="covariance", ndim=2)
    if spread.shape != (3, 3):
        raise ValueError(f"covariance needs shape (3, 3), for τ, α and γ; it has {spread.shape}")
    tau, alpha, gamma = size_exponent - 1, duration_exponent - 1, mean_size_exponent
    if tau == 0:
        raise ValueError("the size exponent is 1, so (α − 1)/(τ − 1) is undefined")
    residual = np.array([-gamma, 1.0, -tau])
    product = np.array([-gamma, 1.0, 0.0])
    ratio_low, ratio_high = _fieller(alpha - gamma * tau, tau, residual, spread)
    predicted_low, predicted_high = _fieller(alpha - gamma * tau, tau, product, spread)
    variance = float(residual @ spread @ residual)
    gap = alpha - gamma * tau
    half = float(ndtri(0.975)) * math.sqrt(float(spread[2, 2]))
    caveats: tuple[str, ...] = ()
    if not math.isfinite(ratio_low):
        caveats = ("the size exponent is not told from 1, so the predicted exponent is unbounded",)
    return CracklingRelation(
        estimate=alpha / tau - gamma,
        interval=(ratio_low, ratio_high),
        predicted=alpha / tau,
        predicted_interval=(gamma + predicted_low, gamma + predicted_high),
        measured=gamma,
        measured_interval=(gamma - half, gamma + half),
        p_value=float(chdtrc(1, gap**2 / variance)) if variance > 0 else float(gap == 0),
        caveats=caveats,
    )


def _fieller(numerator: float, denominator: float, gradient: np.ndarray, covariance: np.ndarray) -> tuple[float, float]:
    """95 % interval of numerator/denominator, the numerator varying along `gradient`, the denominator being τ − 1."""
    z2 = float(ndtri(0.975)) ** 2
    a = denominator**2 - z2 * float(covariance[0, 0])
    b = numerator * denominator - z2 * float(gradient @ covariance[:, 0])
    c = numerator**2 - z2 * float(gradient @ covariance @ gradient)
    if a <= 0:
        return -math.inf, math.inf
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a
