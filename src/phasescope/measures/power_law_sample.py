"""What a power-law fit is handed, checked and brought to distinct values with counts."""

from __future__ import annotations

import math
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite, as_numpy
from phasescope.measures.power_law_scan import Sample

CONVENTIONS = ("one_sided", "two_sided")
MOST_COUNTS = 2**53


def power_law_sample(
    data: ArrayLike,
    *,
    discrete: bool,
    x_max: float | None,
    censored: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[Sample, int]:
    """The sample on (0, x_max], and how many observations lie above x_max.

    Raises:
        ValueError: If a value is not finite and positive, not whole though `discrete`, if flags or counts do not fit
            the data, or fewer than two distinct values remain.
    """
    values = as_finite(data, name="data", ndim=1)
    if values.min() <= 0:
        n_bad = int(np.count_nonzero(values <= 0))
        raise ValueError(
            f"data must be positive for a power law; {n_bad} of {values.size} values are zero or negative, the "
            f"smallest is {values.min():g}: leave them out, or measure from another origin"
        )
    if discrete and np.any(values != np.floor(values)):
        bad = values[values != np.floor(values)][0]
        raise ValueError(f"discrete data must be whole numbers; {bad:g} arrived: fit it with discrete=False")
    flags = _checked_flags(censored, values.size)
    counts = _checked_counts(weights, values.size)
    if x_max is not None and flags.any():
        raise ValueError(
            "censored data and x_max cannot be combined: x_max says that nothing lies above, a censored value that "
            "something may; give one of the two"
        )
    n_above = 0
    if x_max is not None:
        if not x_max > 0 or not math.isfinite(x_max):
            raise ValueError(f"x_max must be a positive number; got {x_max}")
        inside = values <= x_max
        n_above = int(counts[~inside].sum())
        values, flags, counts = values[inside], flags[inside], counts[inside]
    distinct, place = np.unique(values[counts > 0], return_inverse=True)
    flags, counts = flags[counts > 0], counts[counts > 0]
    events = np.bincount(place[~flags], weights=counts[~flags], minlength=distinct.size)
    cut = np.bincount(place[flags], weights=counts[flags], minlength=distinct.size)
    if np.count_nonzero(events) < 2:
        seen = f"{int(counts.sum())} observations, {int(cut.sum())} of them censored"
        where = f" up to x_max = {x_max:g}" if x_max is not None else ""
        raise ValueError(
            f"a power law needs at least two distinct uncensored values; data has {np.count_nonzero(events)}{where} "
            f"({seen}): look at how it was recorded"
        )
    return Sample(distinct, np.log(distinct), events.astype(np.float64), cut.astype(np.float64)), n_above


def tail_sample(sample: Sample, x_min: float, *, discrete: bool) -> Sample:
    """The part of the sample from a given x_min on, with x_min as its first value whether observed or not.

    Raises:
        ValueError: If x_min is not positive, not whole though `discrete`, or fewer than two distinct values remain.
    """
    if not (math.isfinite(x_min) and x_min > 0):
        raise ValueError(f"x_min must be a positive number; got {x_min}")
    if discrete and x_min != math.floor(x_min):
        raise ValueError(f"x_min must be a whole number for discrete data; got {x_min:g}")
    first = int(np.searchsorted(sample.values, x_min))
    n_distinct = int(np.count_nonzero(sample.events[first:]))
    if n_distinct < 2:
        raise ValueError(
            f"the tail needs at least two distinct uncensored values; data has {n_distinct} from x_min = {x_min:g} on, "
            f"its largest is {sample.values[-1]:g}: choose a smaller x_min, or leave it to the scan"
        )
    if sample.values[first] == x_min:
        return Sample(*(part[first:] for part in sample))
    start = (x_min, math.log(x_min), 0.0, 0.0)
    return Sample(*(np.concatenate(([one], part[first:])) for one, part in zip(start, sample, strict=True)))


def is_two_sided(convention: str) -> bool:
    """Whether the named convention compares both sides of every step.

    Raises:
        ValueError: If there is no such convention, with the closest name.
    """
    if convention not in CONVENTIONS:
        close = get_close_matches(str(convention), CONVENTIONS, n=1) or CONVENTIONS
        raise ValueError(f"there is no convention {convention!r}; closest names: {list(close)}")
    return convention == "two_sided"


def _checked_flags(censored: ArrayLike | None, n: int) -> NDArray[np.bool_]:
    if censored is None:
        return np.zeros(n, dtype=bool)
    flags = as_numpy(censored)
    if flags.shape != (n,) or not np.isin(flags, (0, 1)).all():
        raise ValueError(f"censored must hold True or False for each of the {n} values; its shape is {flags.shape}")
    return flags.astype(bool)


def _checked_counts(weights: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(n)
    counts = as_finite(weights, name="weights", ndim=1)
    if counts.shape != (n,):
        raise ValueError(f"weights must hold one count for each of the {n} values; its shape is {counts.shape}")
    if counts.min() < 0 or np.any(counts != np.floor(counts)) or counts.sum() > MOST_COUNTS:
        raise ValueError(
            "weights must be whole numbers of observations, not negative and below 2^53 in all; "
            f"they are {counts.min():g} … {counts.max():g}: rescaled weights do not say how many points there were"
        )
    return counts
