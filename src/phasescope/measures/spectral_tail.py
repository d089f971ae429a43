"""Tail of a spectrum beyond the edge of its noise: a power law, or as many separate spikes?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures import marchenko_pastur
from phasescope.measures.power_law import PowerLaw, fit_power_law
from phasescope.measures.vuong import Comparison
from phasescope.results import Result

FEWEST = 10  # eigenvalues beyond the edge before a power law is fitted at all
LEVEL = 0.1  # of the likelihood ratio against a wider bulk, as for the other laws
NO_LAW = ("rejected", "too little data")
_WIDEST = 1e4  # variance of the wider bulk, in units of the narrowest one that reaches the largest eigenvalue


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralTail(Result):
    """Power law fitted to the eigenvalues beyond the edge, against separate spikes and against a wider bulk."""

    estimate: float  # α, maximum likelihood
    interval: tuple[float, float]  # 95 %, refits to resampled eigenvalues, as if these were independent
    law: PowerLaw  # the fit, its goodness of fit and its comparison with other laws
    spike_log_ratio: float  # ln likelihood of the law less that of one free spike each, less ½ ln n per parameter
    bulk: Comparison  # the law against a Marchenko–Pastur bulk of larger variance on the same tail
    is_heavy: bool  # whether the law is not rejected and beats both, be it told from a lognormal one or not
    verdict: str
    reason: str  # of the verdict, one clause


def spectral_tail(
    beyond: NDArray[np.float64],
    spike_errors: NDArray[np.float64],
    *,
    aspect: float,
    n_samples: int,
    n_bootstrap: int,
    rng: np.random.Generator,
) -> SpectralTail | None:
    """Fit a power law to the eigenvalues beyond the edge and judge it; `None` with fewer than ten.

    The law is fitted to all of them. Only where that fit is rejected does it begin further out, at the x_min of the
    smallest Kolmogorov–Smirnov distance.

    Args:
        beyond: Eigenvalues beyond the edge, rising, shape `(n_beyond,)`.
        spike_errors: Standard error of each as the position of a separate spike, same unit.
        aspect: n_variables / n_samples of the noise.
        n_samples: Samples behind the spectrum.
        n_bootstrap: Refits for interval and goodness of fit.
        rng: Source of randomness.
    """
    if beyond.size < FEWEST or beyond[-1] <= beyond[0]:
        return None
    law = fit_power_law(beyond, x_min=float(beyond[0]), n_bootstrap=n_bootstrap, rng=rng)
    if law.verdict == "rejected":
        law = fit_power_law(beyond, n_bootstrap=n_bootstrap, rng=rng)
    tail = beyond[beyond >= law.x_min]
    log_density = _log_density(tail, law.estimate, law.x_min)
    ratio = float(log_density.sum()) + math.lgamma(tail.size + 1) - math.log(tail.size)
    # Each spike is a law of its own: its height there is 1/(√2π s), and its place costs ½ ln n.
    errors = np.maximum(spike_errors[beyond >= law.x_min], 1e-300)
    ratio += float(np.log(errors).sum()) + 0.5 * tail.size * (math.log(2 * math.pi) + math.log(n_samples))
    bulk = compare_with_marchenko_pastur(tail, alpha=law.estimate, x_min=law.x_min, aspect=aspect)
    bulk_loses = bulk.log_ratio > 0 and bulk.p_value <= LEVEL
    if law.verdict in NO_LAW:
        verdict, reason = law.verdict, law.reason
    elif ratio <= 0:
        verdict, reason = "rejected", f"separate spikes describe the eigenvalues better (log ratio {ratio:.3g})"
    elif not bulk_loses:
        verdict = "not distinguishable from a wider bulk"
        reason = f"a Marchenko–Pastur bulk of larger variance fits as well (p = {bulk.p_value:.2g})"
    else:
        verdict, reason = law.verdict, law.reason
    return SpectralTail(
        estimate=law.estimate,
        interval=law.interval,
        law=law,
        spike_log_ratio=ratio,
        bulk=bulk,
        is_heavy=verdict == law.verdict and verdict not in NO_LAW,
        verdict=verdict,
        reason=reason,
        caveats=law.caveats,
    )


def compare_with_marchenko_pastur(
    tail: NDArray[np.float64], *, alpha: float, x_min: float, aspect: float
) -> Comparison:
    """Compare a fitted power law with the upper end of a Marchenko–Pastur bulk on the same tail, with Vuong's test.

    The bulk's variance is fitted by maximum likelihood to the tail given that it lies above x_min; its edge lies beyond
    the largest eigenvalue. An unlimited number of "heavy tails" are such ends: on pure noise the ratio is negative.

    Args:
        tail: Eigenvalues from x_min on, shape `(n_tail,)`.
        alpha: Exponent of the power law.
        x_min: Where the law begins.
        aspect: n_variables / n_samples; 1/aspect gives the same answer.

    Returns:
        The comparison; an infinite ratio where no bulk of this aspect is wide enough.

    Example:
        >>> noise = marchenko_pastur.quantile(np.linspace(0.9, 0.999, 200), 0.5)
        >>> alpha = 1 + 1 / np.log(noise / noise[0]).mean()
        >>> found = compare_with_marchenko_pastur(noise, alpha=alpha, x_min=noise[0], aspect=0.5)
        >>> found.log_ratio < 0 and found.p_value < 0.01
        True
    """
    from scipy.optimize import minimize_scalar

    aspect = min(aspect, 1 / aspect)
    low, high = marchenko_pastur.edges(aspect)
    narrowest = float(tail.max()) / high * (1 + 1e-9)
    widest = min(x_min / low if low > 0 else math.inf, _WIDEST * narrowest)
    if widest <= narrowest:
        return Comparison(
            law="marchenko_pastur",
            parameters={},
            log_ratio=math.inf,
            normalized_ratio=math.inf,
            p_value=0.0,
            nested=False,
        )

    def log_likelihoods(log_variance: float) -> NDArray[np.float64]:
        variance = math.exp(log_variance)
        height = marchenko_pastur.density(tail, aspect, variance=variance)
        above = 1 - float(marchenko_pastur.cumulative(x_min, aspect, variance=variance))
        return np.asarray(np.log(np.maximum(height, 1e-300)) - math.log(max(above, 1e-300)))

    start, end = math.log(narrowest), math.log(widest)
    grid = start + (end - start) * np.linspace(0, 1, 33)[1:] ** 3  # most are narrow
    best = int(np.argmax([log_likelihoods(one).sum() for one in grid]))
    bracket = (start if best == 0 else grid[best - 1], grid[min(best + 1, len(grid) - 1)])
    found = minimize_scalar(lambda one: -log_likelihoods(one).sum(), bounds=bracket, method="bounded")
    ratios = _log_density(tail, alpha, x_min) - log_likelihoods(float(found.x))
    log_ratio, scale = float(ratios.sum()), math.sqrt(tail.size) * float(ratios.std())
    normalized = log_ratio / max(scale, 1e-300)
    return Comparison(
        law="marchenko_pastur",
        parameters={"variance": math.exp(float(found.x)), "aspect": aspect},
        log_ratio=log_ratio,
        normalized_ratio=normalized,
        p_value=math.erfc(abs(normalized) / math.sqrt(2)),
        nested=False,
    )


def _log_density(tail: NDArray[np.float64], alpha: float, x_min: float) -> NDArray[np.float64]:
    return np.asarray(math.log(alpha - 1) - math.log(x_min) - alpha * np.log(tail / x_min))
