"""Fit of a power law to one checked sample, with its bootstrap: what `fit_power_law` and its relatives share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from phasescope.measures.power_law_bootstrap import (
    MAX_CANDIDATES,
    Replicas,
    fitted,
    resampled_fits,
    synthetic_fits,
)
from phasescope.measures.power_law_scan import Sample

LEVEL = 0.95
EVERY_CANDIDATE = 2**62
FEWEST_REPLICAS = 20  # that could be fitted, for percentiles to mean anything
_NORMAL = 1.959963984540054
_ROUNDING = 1e-12  # distances of data and replicas that are equal but for the order of sums


@dataclass(frozen=True, slots=True, kw_only=True)
class TailFit:
    """The tail of a sample, its exponent and what the bootstrap says of them."""

    place: int  # index of x_min in the sample
    x_min: float
    alpha: float
    standard_error: float  # for this x_min
    distance: float
    n_tail: int
    interval: tuple[float, float]
    x_min_interval: tuple[float, float]
    p_value: float | None
    n_failed: int  # resampled data sets without a tail
    grid_change: float | None  # excess of the distance on the replicas' candidates; None where these are all


def fit_tail(
    sample: Sample,
    *,
    fixed: bool,
    two_sided: bool,
    discrete: bool,
    x_max: float,
    n_resampled: int,
    n_synthetic: int,
    rng: np.random.Generator,
) -> TailFit:
    """Fit a sample, resample it for the interval and imitate it for the goodness of fit.

    With x_min given the interval is studentized, which covers best; with x_min scanned it is that of percentiles
    counted from the rank of the estimate among its replicas. The standard error of a refit knows nothing of the choice
    of its x_min, so that studentized intervals cover the less the larger the sample; and plain percentiles, which are
    counted from the median of the replicas, cover 95 to 98 %, because resampled data choose x_min with the noise of the
    sample and their own.

    Args:
        sample: The data; with `fixed`, from x_min on.
        fixed: Whether x_min is given as the first value of the sample.
        two_sided: Which convention of the distance.
        discrete: Whether the law lives on whole numbers.
        x_max: Where the law ends, or infinity.
        n_resampled: Replicas for the interval; 0 for that of the Fisher information.
        n_synthetic: Replicas for the p-value; 0 for none.
        rng: Source of randomness.
    """
    setting = (fixed, two_sided, discrete, x_max)
    place, alpha, error, distance, _, n_tail = fitted(sample, *setting, EVERY_CANDIDATE)
    x_min = float(sample.values[place])
    grid_change, reference = None, (place, alpha, distance)
    if not fixed and np.count_nonzero(sample.events) - 1 > MAX_CANDIDATES and (n_synthetic or n_resampled):
        coarse = fitted(sample, *setting, MAX_CANDIDATES)  # replicas are compared with data scanned alike
        grid_change, reference = float(coarse[3] - distance), (coarse[0], coarse[1], coarse[3])
    p_value = None
    if n_synthetic:
        first, law, farthest = reference
        distances = synthetic_fits(rng, sample, first, law, n_synthetic, *setting, MAX_CANDIDATES).distance
        distances = distances[np.isfinite(distances)]
        p_value = float(np.mean(distances >= farthest - _ROUNDING)) if distances.size else None
    interval, x_min_interval, n_failed = _information_interval(alpha, error), (x_min, x_min), 0
    if n_resampled:
        replicas = resampled_fits(rng, sample, n_resampled, *setting, MAX_CANDIDATES)
        n_failed = int(np.count_nonzero(np.isnan(replicas.alpha)))
        if n_resampled - n_failed >= FEWEST_REPLICAS:
            interval, x_min_interval = _bootstrap_intervals(replicas, alpha, error, fixed)
    return TailFit(
        place=int(place),
        x_min=x_min,
        alpha=float(alpha),
        standard_error=float(error),
        distance=float(distance),
        n_tail=int(n_tail),
        interval=interval,
        x_min_interval=x_min_interval,
        p_value=p_value,
        n_failed=n_failed,
        grid_change=grid_change,
    )


def _bootstrap_intervals(
    replicas: Replicas, alpha: float, error: float, fixed: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    usable = np.isfinite(replicas.alpha)
    alphas, starts = replicas.alpha[usable], replicas.x_min[usable]
    if fixed:
        # Rank k of B replicas stands for the share k/(B + 1): otherwise 200 replicas cover a percent too little.
        pivots = (alphas - alpha) / replicas.standard_error[usable]
        low, high = np.quantile(pivots, [0.5 - 0.5 * LEVEL, 0.5 + 0.5 * LEVEL], method="weibull")
        return (float(alpha - error * high), float(alpha - error * low)), (float(starts[0]), float(starts[0]))
    ends = np.quantile(starts, [0.5 - 0.5 * LEVEL, 0.5 + 0.5 * LEVEL], method="inverted_cdf")  # values of the data
    return _centered_quantiles(alphas, alpha), (float(ends[0]), float(ends[1]))


def _centered_quantiles(values: NDArray[np.float64], estimate: float) -> tuple[float, float]:
    """Quantiles as many normal scores below and above the rank of the estimate; they always enclose it."""
    rank = np.count_nonzero(values < estimate) + 0.5 * np.count_nonzero(values == estimate)
    score = ndtri(min(max(rank, 0.5), values.size - 0.5) / values.size)
    low, high = np.quantile(values, ndtr(score + np.array([-_NORMAL, _NORMAL])))
    return min(float(low), estimate), max(float(high), estimate)


def _information_interval(alpha: float, error: float) -> tuple[float, float]:
    """On the scale of ln(α − 1) where α > 1, so that it stays above 1."""
    if alpha <= 1:
        return alpha - _NORMAL * error, alpha + _NORMAL * error
    factor = math.exp(_NORMAL * error / (alpha - 1))
    return 1 + (alpha - 1) / factor, 1 + (alpha - 1) * factor
