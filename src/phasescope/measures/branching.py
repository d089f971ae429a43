"""Branching ratio by multistep regression: how many events an event causes, though only some events are seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from phasescope.measures.arrays import as_finite
from phasescope.measures.autocorrelation import LaggedSums, lagged_sums, regression_slopes
from phasescope.results import Result

FloatArray = NDArray[np.float64]
MIN_BINS = 200
LONGEST_LAG = 2000  # bins, unless asked for
LAGS_PER_TIME = 2.0  # of the correlation time enter the fit; four gave errors up to 1.4 times as large
TIMES_PER_BLOCK = 20.0  # correlation times per block: then blocks are nearly independent
MIN_BLOCKS, MAX_BLOCKS = 8, 50
FEW_TIMES = 300  # correlation times in the record, below which the interval covers somewhat less than it says
_NOISE = 4.0  # standard errors of a slope between independent bins
_DRIFT = 3.0  # standard errors between the means of both halves


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchingRatio(Result):
    """Branching ratio m, from regression slopes r_k = b·m^k."""

    estimate: float  # m, dimensionless; 1 at the critical point
    interval: tuple[float, float]  # 95 %, block jackknife of √(−ln m), whose error hardly depends on m itself
    amplitude: float  # b; below 1 when only part of the events is observed
    naive: float  # r_1, the estimate that takes what is seen for all there is
    correlation_time: float  # −1 / ln m, in bins
    lags: NDArray[np.int64]  # (n_lags,) 1 … in time bins
    slopes: FloatArray  # (n_lags,) r_k
    mean_activity: float  # events per bin
    n_bins: int
    n_blocks: int


def branching_ratio(
    activity: ArrayLike, *, max_lag: int | None = None, rng: np.random.Generator | None = None
) -> BranchingRatio:
    """Estimate the branching ratio m of a stationary activity series, seen in full or in part.

    In a driven branching process ⟨A_{t+1} | A_t⟩ = m A_t + h the slope of the regression of activity[t + k] on
    activity[t] is r_k = b·m^k. Observing a random part of the events lowers b and leaves m unchanged [1], so the decay
    of r_k tells m where r_1 alone falls to b·m: with a hundredth of the events seen and m = 0.98, to 0.2.

    Args:
        activity: Events per time bin, shape `(n_bins,)`.
        max_lag: Largest lag k of the fit, in time bins; by default two correlation times, found in three rounds.
        rng: Not needed: the interval is a jackknife. Accepted so that all estimators can be called alike.

    Returns:
        The estimate, its 95 % interval, and the fitted points in `lags` and `slopes`.

    Raises:
        ValueError: If the activity is constant, shorter than 200 bins, negative or not finite, or if its
            autocorrelation does not decay from a positive value, so that m is undefined.

    References:
        [1] Wilting & Priesemann (2018), Nature Communications 9, 2325.

    Example:
        >>> activity = np.random.default_rng(0).poisson(5, size=400) + np.repeat(np.arange(40) % 3, 10)
        >>> 0.5 < branching_ratio(activity, max_lag=8).estimate < 1
        True
    """
    counts = as_finite(activity, name="activity", ndim=1)
    if counts.size < MIN_BINS:
        raise ValueError(f"activity has {counts.size} bins; at least {MIN_BINS} are needed, better thousands")
    if counts.min() < 0:
        raise ValueError(
            f"activity holds events per bin, which are not negative; its smallest value is {counts.min():g}"
        )
    if counts.min() == counts.max():
        raise ValueError(
            f"activity is {counts[0]:g} in all {counts.size} bins, so m is undefined; check the event threshold"
        )
    longest = counts.size // 10
    if max_lag is not None and not 3 <= max_lag <= longest:
        raise ValueError(f"max_lag must lie in 3 … {longest}, a tenth of the record; got {max_lag}")
    reach = min(LONGEST_LAG, longest) if max_lag is None else max_lag
    sums = lagged_sums(counts, max_lag=reach, block=counts.size)
    slopes = regression_slopes(sums)[1:]
    # Where nothing is left but noise, lags only add noise: fit, keep a few correlation times, fit again.
    for _ in range(3 if max_lag is None else 0):
        theta, _ = fit_decay(slopes[:reach])
        reach = int(min(max(LAGS_PER_TIME * math.exp(theta), 8), slopes.size))
    theta, amplitude = fit_decay(slopes[:reach])
    time = math.exp(theta)
    if not amplitude > 0:
        raise ValueError(
            f"activity[t + k] does not rise with activity[t] (r_1 = {slopes[0]:.3g}), so no branching ratio describes "
            "it; look at the series for oscillations, or take longer bins"
        )
    n_blocks = int(min(max(counts.size / (TIMES_PER_BLOCK * max(time, 1.0)), MIN_BLOCKS), MAX_BLOCKS))
    sums = lagged_sums(counts, max_lag=reach, block=max(1, (counts.size - reach) // n_blocks))
    n_blocks = sums.n_pairs.size
    theta, amplitude = fit_decay(regression_slopes(sums)[1:])
    # The relative error of the correlation time grows with its root, so 1/√time = √(−ln m) has an error of its own.
    center = math.exp(-0.5 * theta)
    without = regression_slopes(sums, 1.0 - np.eye(n_blocks))[:, 1:]
    left_out = np.exp([-0.5 * fit_decay(row)[0] for row in without])
    error = math.sqrt((n_blocks - 1) / n_blocks * float(((left_out - left_out.mean()) ** 2).sum()))
    half = float(stdtrit(n_blocks - 1, 0.975)) * error
    interval = math.exp(-((center + half) ** 2)), math.exp(-(max(center - half, 0.0) ** 2))
    return BranchingRatio(
        estimate=math.exp(-(center**2)),
        interval=interval,
        amplitude=amplitude,
        naive=float(slopes[0]),
        correlation_time=math.exp(theta),
        lags=np.arange(1, reach + 1),
        slopes=slopes[:reach],
        mean_activity=float(counts.mean()),
        n_bins=counts.size,
        n_blocks=n_blocks,
        caveats=_caveats(counts, slopes[:reach], math.exp(theta), interval[1], sums),
    )


def _caveats(counts: FloatArray, slopes: FloatArray, time: float, high: float, sums: LaggedSums) -> tuple[str, ...]:
    caveats: tuple[str, ...] = ()
    if slopes.max() * math.sqrt(counts.size) < _NOISE:
        caveats += ("no lag is correlated beyond what independent bins show by chance, so m is not determined",)
    elif time > counts.size / 10:
        caveats += (
            f"the correlation hardly decays within the record ({time:.3g} of {counts.size} bins): a trend, a process "
            "at or above m = 1, or too short a record",
        )
    elif high == 1.0:
        caveats += ("the interval reaches m = 1: the record is too short to tell this process from a critical one",)
    elif time * FEW_TIMES > counts.size:
        caveats += (
            f"the record is {counts.size / time:.0f} correlation times long; below {FEW_TIMES} the interval covers "
            "92 to 94 % instead of 95 %",
        )
    means = sums.first / sums.n_pairs
    half = means.size // 2
    gap, error = means[:half].mean() - means[-half:].mean(), math.sqrt(2 * means.var(ddof=1) / half)
    if abs(gap) > _DRIFT * error:
        caveats += (
            f"mean activity differs by {abs(gap):.3g} between the halves of the record ({abs(gap) / error:.1f} "
            "standard errors): it is not stationary, and a trend looks like m = 1",
        )
    return caveats


@njit(cache=True)
def fit_decay(slopes: FloatArray) -> tuple[float, float]:
    """Least squares of b·m^k: logarithm of the correlation time −1/ln m, and b, by golden section after a grid."""
    n_grid = 60
    low, high = math.log(0.1), math.log(20.0 * slopes.size)
    best, best_cost = 0, np.inf
    for i in range(n_grid):
        cost = _cost(low + (high - low) * i / (n_grid - 1), slopes)[0]
        if cost < best_cost:
            best, best_cost = i, cost
    step = (high - low) / (n_grid - 1)
    a, b = low + step * (best - 1), low + step * (best + 1)
    ratio = 0.5 * (math.sqrt(5.0) - 1.0)
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    cost_c, cost_d = _cost(c, slopes)[0], _cost(d, slopes)[0]
    for _ in range(40):
        if cost_c < cost_d:
            b, d, cost_d = d, c, cost_c
            c = b - ratio * (b - a)
            cost_c = _cost(c, slopes)[0]
        else:
            a, c, cost_c = c, d, cost_d
            d = a + ratio * (b - a)
            cost_d = _cost(d, slopes)[0]
    theta = 0.5 * (a + b)
    return theta, _cost(theta, slopes)[1]


@njit(cache=True)
def _cost(theta: float, slopes: FloatArray) -> tuple[float, float]:
    """Sum of squares left by the best amplitude ≥ 0 at this correlation time, and that amplitude."""
    decay = math.exp(-math.exp(-theta))
    power, xy, xx, yy = 1.0, 0.0, 0.0, 0.0
    for value in slopes:
        power *= decay
        xy += power * value
        xx += power * power
        yy += value * value
    if xy <= 0.0 or xx == 0.0:
        return yy, 0.0
    return yy - xy * xy / xx, xy / xx
