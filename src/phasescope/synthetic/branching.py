"""A driven branching process, and what is left of its activity when a part of the units is observed."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy


def branching_process(*, ratio: float, drive: float, n_bins: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Activity A with A[t + 1] ~ Poisson(ratio · A[t] + drive), begun at its stationary mean drive / (1 − ratio).

    Args:
        ratio: Branching ratio m, in [0, 1): at 1 and above there is no stationary activity.
        drive: Mean number of events that come from outside per bin, above 0.
        n_bins: Length of the record. A stretch of thirty correlation times before it is not returned.
        rng: Source of randomness.

    Returns:
        Events per bin, shape `(n_bins,)`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> activity = branching_process(ratio=0.9, drive=10.0, n_bins=100_000, rng=np.random.default_rng(0))
        >>> round(float(activity.mean()), -1)
        100.0
    """
    if not 0 <= ratio < 1:
        raise ValueError(f"ratio must lie in [0, 1), or activity grows without end; got {ratio} (see galton_watson)")
    if not (math.isfinite(drive) and drive > 0) or n_bins < 1:
        raise ValueError(f"need drive > 0 and n_bins ≥ 1; got {drive} and {n_bins}")
    warmup = math.ceil(30 / -math.log(ratio)) if ratio > 0 else 1
    return _run(ratio, drive, warmup, n_bins, rng)


def subsampled(activity: ArrayLike, *, probability: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Activity of which every event is seen with the given probability, independently (binomial subsampling)."""
    events = as_numpy(activity)
    if not 0 < probability <= 1:
        raise ValueError(f"the probability of seeing an event must lie in (0, 1]; got {probability}")
    if events.dtype.kind not in "ui" or events.size == 0 or events.min() < 0:
        raise ValueError(f"activity needs whole numbers ≥ 0; it has dtype {events.dtype} and shape {events.shape}")
    return np.asarray(rng.binomial(events, probability), dtype=np.int64)


def subsampled_amplitude(ratio: float, probability: float) -> float:
    """B of the regression slopes b·m^k when every event of this process is seen with the given probability.

    b = p / (p + (1 − p)(1 − m²)): the activity's variance is its mean / (1 − m²), and thinning adds Poisson noise [1].

    References:
        [1] Wilting & Priesemann (2018), Nature Communications 9, 2325.

    Example:
        >>> round(0.98 * subsampled_amplitude(0.98, 0.01), 4)  # what the first lag alone says of m = 0.98
        0.1992
    """
    return probability / (probability + (1 - probability) * (1 - ratio**2))


@njit(cache=True)
def _run(ratio: float, drive: float, warmup: int, n_bins: int, rng: np.random.Generator) -> NDArray[np.int64]:
    activity = np.empty(n_bins, dtype=np.int64)
    now = int(drive / (1.0 - ratio))
    for t in range(warmup + n_bins):
        now = int(rng.poisson(ratio * now + drive))
        if t >= warmup:
            activity[t - warmup] = now
    return activity
