"""Replicas of data with a power-law tail: resampled, or drawn from the law (compiled).

Resampling draws observations with replacement, cut ones with their flag. Synthetic data have a tail drawn from the law,
beyond data resampled from below x_min. Tails come in rising order, from exponential spacings [1], so that nothing has
to be sorted.

References:
    [1] Devroye (1986), Non-Uniform Random Variate Generation, Springer, section V.3.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.hurwitz_zeta import log_survival
from phasescope.measures.power_law_exponent import law_constants
from phasescope.measures.power_law_scan import Sample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_TABLE = 4_096  # values of a discrete law whose survival is tabulated
_MANY_PER_VALUE = 8  # observations per distinct value from which binomial draws of the counts are cheaper


@njit(cache=True)
def owners_of(sample: Sample, n_values: int) -> IntArray:
    """Cell (2·value, plus one if cut) of each observation at the first `n_values` values; empty if counts are large."""
    total = 0.0
    for k in range(n_values):
        total += sample.events[k] + sample.censored[k]
    if total > _MANY_PER_VALUE * n_values:
        return np.empty(0, np.int64)
    owners = np.empty(int(total), np.int64)
    place = 0
    for k in range(n_values):
        for _ in range(int(sample.events[k])):
            owners[place] = 2 * k
            place += 1
        for _ in range(int(sample.censored[k])):
            owners[place] = 2 * k + 1
            place += 1
    return owners


@njit(cache=True)
def _drawn_cells(rng: np.random.Generator, sample: Sample, owners: IntArray, n_values: int, n: int) -> FloatArray:
    """Counts of `n` observations drawn with replacement from those at the first `n_values` values."""
    counts = np.zeros(2 * n_values)
    if owners.size > 0:
        for _ in range(n):
            counts[owners[int(rng.random() * owners.size)]] += 1.0
        return counts
    left = 0.0
    for k in range(n_values):
        left += sample.events[k] + sample.censored[k]
    for k in range(n_values):
        for flag in range(2):
            weight = sample.censored[k] if flag else sample.events[k]
            if n <= 0 or weight <= 0:
                continue
            drawn = n if weight >= left else rng.binomial(n, weight / left)
            counts[2 * k + flag] = drawn
            n -= drawn
            left -= weight
    return counts


@njit(cache=True)
def resampled(rng: np.random.Generator, sample: Sample, owners: IntArray, n: int, keep_first: bool) -> Sample:
    """Draw `n` observations with replacement; with `keep_first` the first value stays, drawn or not."""
    counts = _drawn_cells(rng, sample, owners, sample.values.size, n)
    kept = 0
    for k in range(sample.values.size):
        if counts[2 * k] + counts[2 * k + 1] > 0 or (keep_first and k == 0):
            kept += 1
    values, logs, events, censored = np.empty(kept), np.empty(kept), np.empty(kept), np.empty(kept)
    place = 0
    for k in range(sample.values.size):
        if counts[2 * k] + counts[2 * k + 1] > 0 or (keep_first and k == 0):
            values[place], logs[place] = sample.values[k], sample.logs[k]
            events[place], censored[place] = counts[2 * k], counts[2 * k + 1]
            place += 1
    return Sample(values, logs, events, censored)


@njit(cache=True)
def _largest_below(g: float, alpha: float, x_min: float, start: float) -> float:
    """Largest integer x ≥ `start` with −ln P(X ≥ x) ≤ g."""
    low, width = start, start
    while -log_survival(alpha, x_min, low + width) <= g and width < 1e15:
        low += width
        width *= 2.0
    high = low + width
    while high - low > 1.0:
        middle = math.floor(0.5 * (low + high))
        if middle <= low or middle >= high:  # beyond 2^53 neighbors are the same number
            break
        if -log_survival(alpha, x_min, middle) <= g:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
def law_draws(
    rng: np.random.Generator, n: int, alpha: float, x_min: float, x_max: float, discrete: bool, table: FloatArray
) -> FloatArray:
    """Draw `n` values of the law, rising."""
    _, rest = law_constants(alpha, x_min, x_max, discrete)
    draws = np.empty(n)
    g, place = 0.0, 0
    for k in range(n):
        g += rng.standard_exponential() / (n - k)  # rising order statistics of Exp(1): −ln of the survival
        level = g if rest == 0.0 else -math.log(rest + (1.0 - rest) * math.exp(-g))
        if not discrete:
            draws[k] = x_min * math.exp(level / (alpha - 1.0))
        else:
            while place + 1 < table.size and table[place + 1] <= level:
                place += 1
            if place + 1 < table.size:
                draws[k] = x_min + place
            else:
                draws[k] = _largest_below(level, alpha, x_min, x_min + place)
        draws[k] = min(draws[k], x_max)
    return draws


@njit(cache=True)
def _cut(
    rng: np.random.Generator, draws: FloatArray, sample: Sample, first: int, uncut: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Cut draws at limits drawn from the data's own, estimated by Kaplan–Meier; rising, with a flag for cut ones."""
    seen, flags = draws.copy(), np.zeros(draws.size, np.bool_)
    for k in range(draws.size):
        u = rng.random()
        low, high = 0, uncut.size  # first place where the share not yet cut has fallen to u
        while low < high:
            middle = (low + high) // 2
            if uncut[middle] <= u:
                high = middle
            else:
                low = middle + 1
        if low < uncut.size and sample.values[first + low] <= draws[k]:
            seen[k], flags[k] = sample.values[first + low], True
    order = np.argsort(seen, kind="mergesort")
    return seen[order], flags[order]


@njit(cache=True)
def synthetic(
    rng: np.random.Generator,
    sample: Sample,
    body_owners: IntArray,
    first: int,
    n_body: int,
    n_tail: int,
    alpha: float,
    x_max: float,
    discrete: bool,
    table: FloatArray,
    uncut: FloatArray,
) -> Sample:
    """Body resampled from the data below value `first`, tail drawn from the law."""
    counts = _drawn_cells(rng, sample, body_owners, first, n_body) if n_body > 0 else np.zeros(0)
    seen = law_draws(rng, n_tail, alpha, sample.values[first], x_max, discrete, table)
    flags = np.zeros(0, np.bool_)
    if uncut.size > 0:
        seen, flags = _cut(rng, seen, sample, first, uncut)
    size = n_tail + 1
    for k in range(counts.size // 2):
        if counts[2 * k] + counts[2 * k + 1] > 0:
            size += 1
    values, logs, events, censored = np.empty(size), np.empty(size), np.zeros(size), np.zeros(size)
    place = 0
    for k in range(counts.size // 2):
        if counts[2 * k] + counts[2 * k + 1] > 0:
            values[place], logs[place] = sample.values[k], sample.logs[k]
            events[place], censored[place] = counts[2 * k], counts[2 * k + 1]
            place += 1
    if n_body == 0:  # x_min was given: it stays the first value whether drawn or not
        values[0], logs[0] = sample.values[first], sample.logs[first]
        place = 1
    for k in range(n_tail):
        if place == 0 or seen[k] != values[place - 1]:
            values[place], logs[place] = seen[k], math.log(seen[k])
            place += 1
        if flags.size > 0 and flags[k]:
            censored[place - 1] += 1.0
        else:
            events[place - 1] += 1.0
    return Sample(values[:place], logs[:place], events[:place], censored[:place])


@njit(cache=True)
def survival_table(alpha: float, x_min: float, x_max: float) -> FloatArray:
    """−ln P(X ≥ x) of the unbounded discrete law at the first values from x_min on."""
    table = np.empty(int(min(_TABLE, x_max - x_min + 1.0)))
    for k in range(table.size):
        table[k] = -log_survival(alpha, x_min, x_min + k)
    return table


@njit(cache=True)
def share_not_yet_cut(sample: Sample, first: int) -> FloatArray:
    """Kaplan–Meier share of observations not cut up to and including each value from place `first` on."""
    uncut = np.empty(sample.values.size - first)
    at_risk, share = sample.events[first:].sum() + sample.censored[first:].sum(), 1.0
    for k in range(uncut.size):
        share *= 1.0 - sample.censored[first + k] / at_risk
        uncut[k] = share
        at_risk -= sample.events[first + k] + sample.censored[first + k]
    return uncut
