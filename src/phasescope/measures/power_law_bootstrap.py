"""Bootstrap of a power-law fit: resampled data for the interval, synthetic data for the goodness of fit (compiled).

Both refit everything, x_min included unless it was given. Synthetic data sets [1, section 4.1] have each point from the
fitted law with probability n_tail/n, else from the data below x_min.

References:
    [1] Clauset, Shalizi & Newman (2009), SIAM Review 51, 661.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.power_law_draws import owners_of, resampled, share_not_yet_cut, survival_table, synthetic
from phasescope.measures.power_law_scan import Sample, Tails, scan, tail_exponent, tail_information, tails_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST_EVENTS = 10  # of a tail with censored data that is a candidate of the scan
FEWEST_CELLS = 10  # whole numbers from a candidate to the end of a discrete law, both included
MAX_CANDIDATES = 2_000  # of the scan of a replica; more distinct values are thinned evenly in rank


class Replicas(NamedTuple):
    """Fits of replicas; those that could not be fitted have NaN."""

    alpha: FloatArray  # (n_replicas,)
    standard_error: FloatArray  # (n_replicas,)
    x_min: FloatArray  # (n_replicas,)
    n_tail: FloatArray  # (n_replicas,)
    distance: FloatArray  # (n_replicas,)


@njit(cache=True)
def thinned(n: int, most: int) -> IntArray:
    """At most `most` of the candidates 0 … n − 1, evenly spaced, first and last included."""
    if n <= most:
        return np.arange(n)
    chosen = np.empty(most, np.int64)
    for k in range(most):
        chosen[k] = k * (n - 1) // (most - 1)
    return chosen


@njit(cache=True)
def n_candidates(sample: Sample, tails: Tails, discrete: bool, x_max: float) -> int:
    """How many of the tails, from the longest on, can be candidates: those with two distinct values.

    Where data are censored, those with ten events. The empirical curve of a censored tail need not come down, so one of
    two events and a censored point may lie on its law by accident, and one tail in fourteen used to end there.

    Of a discrete law with an end, those with ten whole numbers up to it: one parameter fits two shares exactly,
    whatever the law, and one scan in fifteen used to end there.
    """
    n = tails.values.size - 1
    if sample.censored.sum() > 0.0:
        while n > 1 and tails.n_events[n - 1] < FEWEST_EVENTS:
            n -= 1
    if discrete and x_max < np.inf:
        while n > 1 and x_max - tails.values[n - 1] < FEWEST_CELLS - 1:
            n -= 1
    return int(n)


@njit(cache=True)
def _fitted(
    replica: Sample,
    row: int,
    out: Replicas,
    fixed: bool,
    two_sided: bool,
    discrete: bool,
    x_max: float,
    most: int,
    with_distance: bool,
) -> None:
    """Fit one replica into row `row`; the distance may be left out where x_min does not depend on it."""
    tails = tails_of(replica, two_sided, discrete, fixed)
    m = tails.values.size
    if m < 2 or tails.sum_logs[0] <= 0.0 or tails.n_events[0] == 0.0:
        return
    if fixed and not with_distance:
        i, alpha, distance = 0, tail_exponent(replica, tails, 0, discrete, x_max, 0.0), np.nan
    else:
        candidates = np.zeros(1, np.int64) if fixed else thinned(n_candidates(replica, tails, discrete, x_max), most)
        i, alpha, distance = scan(replica, tails, candidates, discrete, x_max)
    out.alpha[row], out.distance[row] = alpha, distance
    out.x_min[row], out.n_tail[row] = tails.values[i], tails.n_all[i]
    out.standard_error[row] = 1.0 / math.sqrt(tail_information(replica, tails, i, alpha, discrete, x_max))


@njit(cache=True)
def _empty_replicas(n: int) -> Replicas:
    return Replicas(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan))


@njit(cache=True)
def resampled_fits(
    rng: np.random.Generator,
    sample: Sample,
    n_replicas: int,
    fixed: bool,
    two_sided: bool,
    discrete: bool,
    x_max: float,
    most: int,
) -> Replicas:
    """Fits of data resampled with replacement; with `fixed`, x_min is the first value of the sample."""
    out = _empty_replicas(n_replicas)
    owners = owners_of(sample, sample.values.size)
    n = int(sample.events.sum() + sample.censored.sum())
    for row in range(n_replicas):
        replica = resampled(rng, sample, owners, n, fixed)
        _fitted(replica, row, out, fixed, two_sided, discrete, x_max, most, False)
    return out


@njit(cache=True)
def synthetic_fits(
    rng: np.random.Generator,
    sample: Sample,
    first: int,
    alpha: float,
    n_replicas: int,
    fixed: bool,
    two_sided: bool,
    discrete: bool,
    x_max: float,
    most: int,
) -> Replicas:
    """Fits of data drawn from the fitted law beyond value `first` and from the data below it."""
    out = _empty_replicas(n_replicas)
    n_below = int(sample.events[:first].sum() + sample.censored[:first].sum())
    n = int(sample.events.sum() + sample.censored.sum())
    owners = owners_of(sample, first)
    table = survival_table(alpha, sample.values[first], x_max) if discrete else np.empty(0)
    uncut = share_not_yet_cut(sample, first) if sample.censored.sum() > 0 else np.empty(0)
    for row in range(n_replicas):
        n_body = n_below
        if n_below > 0 and not fixed:
            n_body = rng.binomial(n, n_below / n)
        replica = synthetic(rng, sample, owners, first, n_body, n - n_body, alpha, x_max, discrete, table, uncut)
        _fitted(replica, row, out, fixed, two_sided, discrete, x_max, most, True)
    return out


@njit(cache=True)
def fitted(
    sample: Sample, fixed: bool, two_sided: bool, discrete: bool, x_max: float, most: int
) -> tuple[int, float, float, float, float, float]:
    """Fit of the data: place of x_min in the sample, α, standard error, distance, events and points of the tail."""
    tails = tails_of(sample, two_sided, discrete, fixed)
    candidates = np.zeros(1, np.int64) if fixed else thinned(n_candidates(sample, tails, discrete, x_max), most)
    i, alpha, distance = scan(sample, tails, candidates, discrete, x_max)
    error = 1.0 / math.sqrt(tail_information(sample, tails, i, alpha, discrete, x_max))
    return int(tails.places[i]), alpha, error, distance, tails.n_events[i], tails.n_all[i]
