"""Where a power law begins: the exact Kolmogorov–Smirnov scan over all values (compiled).

Every distinct value is a candidate x_min; chosen is the one whose tail is nearest to its own maximum-likelihood power
law, in Kolmogorov–Smirnov distance [1]. Done literally that is O(n²). Here the exponents come from suffix sums, and two
bounds remove nearly all other work without changing the answer:

- one point of the tail that is farther from the law than the best distance so far rules a candidate out, and the point
  that ruled out one candidate nearly always rules out its neighbor;
- between two points a < b, model and data are monotone, so no point in between is farther apart than
  max(S_data(a) − S_model(b), S_model(a) − S_data(b)); only stretches that can raise the maximum are opened.

Censored data enter through the Kaplan–Meier estimate, of which the tail beyond x_min is a ratio, and through the
likelihood; ties and counts through the size of its steps.

References:
    [1] Clauset, Shalizi & Newman (2009), SIAM Review 51, 661, section 3.3.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.hurwitz_zeta import zeta_moments
from phasescope.measures.power_law_exponent import (
    LARGEST_EXPONENT,
    continuous_exponent,
    discrete_exponent,
    law_constants,
    log_cumulants,
    model_survival,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_N_COARSE = 33  # candidates evaluated before the sweep, for a good first bound
_N_PROBES = 33  # points of a tail looked at before its stretches are opened
_N_KILLERS = 12  # points remembered for having ruled out a candidate


class Sample(NamedTuple):
    """Data as the kernels want them: distinct rising values, and how many end or are cut there."""

    values: FloatArray  # (n_values,)
    logs: FloatArray  # (n_values,) ln of the values
    events: FloatArray  # (n_values,) observations that end there
    censored: FloatArray  # (n_values,) observations known to be at least this large


class Tails(NamedTuple):
    """Every tail's empirical survival and sums, at the distinct values that were observed, not cut."""

    values: FloatArray  # (m,)
    logs: FloatArray  # (m,)
    upper: FloatArray  # (m + 1,) share P(X ≥ value); the last entry is what is left beyond all
    lower: FloatArray  # (m,) what the convention compares just past the value
    n_events: FloatArray  # (m,) events at or above the value
    n_all: FloatArray  # (m,) observations at or above the value, cut ones included
    sum_logs: FloatArray  # (m,) Σ ln(x/value) over them
    places: IntArray  # (m,) index of the value in the sample


@njit(cache=True)
def tails_of(sample: Sample, two_sided: bool, discrete: bool, keep_first: bool) -> Tails:
    """Suffix sums and Kaplan–Meier survival.

    An observation cut at c is known to be at least c, so it is at risk below c only. One-sided is the convention of the
    published code: P(X < x) against the share (rank − 1)/n, each rank among ties; two-sided is the largest distance
    between the two distribution functions. With `keep_first` the first value is a candidate even if nothing ends there:
    an x_min that was given.
    """
    n_values = sample.values.size
    m = 0
    for k in range(n_values):
        if sample.events[k] > 0 or (keep_first and k == 0):
            m += 1
    values, logs, lower = np.empty(m), np.empty(m), np.empty(m)
    n_events, n_all, sum_logs = np.empty(m), np.empty(m), np.empty(m)
    upper, places = np.empty(m + 1), np.empty(m, np.int64)
    # From the top: all terms are positive, so nothing cancels.
    event_count, count, total, j, last_log = 0.0, 0.0, 0.0, m, 0.0
    for k in range(n_values - 1, -1, -1):
        if count > 0.0:
            total += count * (last_log - sample.logs[k])
        last_log = sample.logs[k]
        event_count += sample.events[k]
        count += sample.events[k] + sample.censored[k]
        if sample.events[k] > 0 or (keep_first and k == 0):
            j -= 1
            values[j], logs[j], places[j] = sample.values[k], sample.logs[k], k
            n_events[j], n_all[j], sum_logs[j] = event_count, count, total
    survival = 1.0
    any_cut = event_count < count
    for j in range(m):
        upper[j] = survival
        k = places[j]
        if any_cut:
            step = survival * sample.events[k] / (n_all[j] - sample.censored[k])
            survival = max(survival - step, 0.0)
        else:
            step = sample.events[k] / count
            survival = n_all[j + 1] / count if j + 1 < m else 0.0
        lower[j] = survival if two_sided else survival + step / max(sample.events[k], 1.0)
        if sample.events[k] == 0 or (discrete and not two_sided):
            lower[j] = upper[j]
    upper[m] = survival
    return Tails(values, logs, upper, lower, n_events, n_all, sum_logs, places)


@njit(cache=True)
def tail_exponent(sample: Sample, tails: Tails, i: int, discrete: bool, x_max: float, start: float) -> float:
    """Maximum-likelihood exponent of the tail that begins at candidate i."""
    n_all, n_events = tails.n_all[i], tails.n_events[i]
    if not discrete:
        if n_events < n_all:  # cut observations lengthen the sum but are not counted
            return float(1.0 + n_events / tails.sum_logs[i])
        return float(continuous_exponent(tails.sum_logs[i] / n_all, math.log(x_max) - tails.logs[i]))
    x_min = tails.values[i]
    if n_events == n_all:
        return float(discrete_exponent(tails.sum_logs[i] / n_all, x_min, x_max, start))
    guess = 1.0 + n_events / (tails.sum_logs[i] + n_all * math.log(x_min / (x_min - 0.5)))
    alpha = min(start if 1.0 < start < 2.0 * guess else guess, LARGEST_EXPONENT)
    for _ in range(100):
        m0, m1, m2, _ = zeta_moments(alpha, x_min)
        slope = n_all * m1 / m0 - tails.sum_logs[i]
        curvature = n_all * (m2 / m0 - (m1 / m0) ** 2)
        for k in range(tails.places[i], sample.values.size):
            if sample.censored[k] > 0:
                m0, m1, m2, _ = zeta_moments(alpha, sample.values[k])
                slope -= sample.censored[k] * m1 / m0
                curvature -= sample.censored[k] * (m2 / m0 - (m1 / m0) ** 2)
        new = alpha + slope / max(curvature, 1e-300)
        new = min(max(new, 0.5 * (1.0 + alpha)), LARGEST_EXPONENT, 2.0 * alpha)
        if abs(new - alpha) <= 1e-13 * new:
            return float(new)
        alpha = new
    return float(alpha)


@njit(cache=True)
def tail_information(sample: Sample, tails: Tails, i: int, alpha: float, discrete: bool, x_max: float) -> float:
    """Observed Fisher information of the exponent: its standard error is 1/√ of it."""
    if not discrete and tails.n_events[i] < tails.n_all[i]:
        return float(tails.n_events[i] / (alpha - 1.0) ** 2)
    _, variance, _ = log_cumulants(alpha, tails.values[i], x_max, discrete)
    information = tails.n_all[i] * variance
    if tails.n_events[i] < tails.n_all[i]:
        for k in range(tails.places[i], sample.values.size):
            if sample.censored[k] > 0:
                _, variance, _ = log_cumulants(alpha, sample.values[k], x_max, discrete)
                information -= sample.censored[k] * variance
    return float(information)


@njit(cache=True)
def _law_at(
    tails: Tails, i: int, j: int, alpha: float, scale: float, rest: float, discrete: bool
) -> tuple[float, float, float]:
    """Distance between data and law at point j of tail i, and the law's P(X ≥ x_j) and P(X > x_j)."""
    at_least, above = model_survival(tails.logs[j] - tails.logs[i], tails.values[j], alpha, scale, rest, discrete)
    base = tails.upper[i]
    distance = abs(tails.upper[j] / base - at_least)
    if tails.lower[j] != tails.upper[j]:
        distance = max(distance, abs(tails.lower[j] / base - above))
    return distance, at_least, above


@njit(cache=True)
def tail_distance(tails: Tails, i: int, alpha: float, x_max: float, discrete: bool, bound: float) -> tuple[float, int]:
    """Kolmogorov–Smirnov distance of tail i and the point where it is reached.

    Stops at the first point farther than `bound`; the distance is exact if it does not exceed it.
    """
    m = tails.values.size
    scale, rest = law_constants(alpha, tails.values[i], x_max, discrete)
    base = tails.upper[i]
    n_probes = min(_N_PROBES, m - i)
    probes = np.empty(n_probes, np.int64)
    at_least, above = np.empty(n_probes), np.empty(n_probes)
    largest, place = -1.0, i
    for k in range(n_probes):
        probes[k] = i + k * (m - 1 - i) // max(n_probes - 1, 1)
        distance, at_least[k], above[k] = _law_at(tails, i, probes[k], alpha, scale, rest, discrete)
        if distance > largest:
            largest, place = distance, probes[k]
    if largest > bound:
        return largest, place
    ends = np.empty((64, 2), np.int64)
    laws = np.empty((64, 2))
    for k in range(n_probes - 1):
        ends[0, 0], ends[0, 1], laws[0, 0], laws[0, 1] = probes[k], probes[k + 1], above[k], at_least[k + 1]
        depth = 1
        while depth > 0:
            depth -= 1
            a, b = ends[depth, 0], ends[depth, 1]
            if b - a < 2:
                continue
            law_a, law_b = laws[depth, 0], laws[depth, 1]
            reach = max(tails.upper[a + 1] / base - law_b, law_a - tails.upper[b] / base)
            if reach <= largest - 1e-14:
                continue
            middle = (a + b) // 2
            distance, law_low, law_high = _law_at(tails, i, middle, alpha, scale, rest, discrete)
            if distance > largest:
                largest, place = distance, middle
                if largest > bound:
                    return largest, place
            ends[depth, 0], ends[depth, 1], laws[depth, 0], laws[depth, 1] = a, middle, law_a, law_low
            ends[depth + 1, 0], ends[depth + 1, 1] = middle, b
            laws[depth + 1, 0], laws[depth + 1, 1] = law_high, law_b
            depth += 2
    return largest, place


@njit(cache=True)
def scan(sample: Sample, tails: Tails, candidates: IntArray, discrete: bool, x_max: float) -> tuple[int, float, float]:
    """The candidate with the smallest distance, its exponent and its distance; of equals, the smallest value."""
    best, best_alpha, best_distance = -1, 0.0, np.inf
    killers = np.full(_N_KILLERS, -1, np.int64)
    n = candidates.size
    coarse = min(_N_COARSE, n)
    alpha = 0.0
    for step in range(coarse + n):
        first_pass = step < coarse
        i = candidates[step * (n - 1) // max(coarse - 1, 1)] if first_pass else candidates[step - coarse]
        if not first_pass and i == best:
            continue
        alpha = tail_exponent(sample, tails, i, discrete, x_max, alpha)
        dropped = False
        if not first_pass:
            scale, rest = law_constants(alpha, tails.values[i], x_max, discrete)
            for k in range(_N_KILLERS):
                j = killers[k]
                if j < i:
                    continue
                distance, _, _ = _law_at(tails, i, j, alpha, scale, rest, discrete)
                if distance > best_distance:
                    for other in range(k, 0, -1):
                        killers[other] = killers[other - 1]
                    killers[0] = j
                    dropped = True
                    break
        if dropped:
            continue
        distance, place = tail_distance(tails, i, alpha, x_max, discrete, best_distance)
        if distance < best_distance or (distance == best_distance and i < best):
            best, best_alpha, best_distance = i, alpha, distance
        for other in range(_N_KILLERS - 1, 0, -1):
            killers[other] = killers[other - 1]
        killers[0] = place
    return best, best_alpha, best_distance
