"""The tail of a sample, as the laws compared with a power law see it, and what fitting one of them returns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.hurwitz_zeta import bounded_zeta_moments
from phasescope.measures.power_law_exponent import continuous_exponent

FloatArray = NDArray[np.float64]

# Half the 0.9 quantile of χ² with one degree of freedom: the drop of a profile likelihood at its one-sided 95 % limit.
PROFILE_DROP = 1.352771727047702
_TOLERANCE = 1e-9  # an error squared in the height
_ABYSS = 1e30


@dataclass(frozen=True, slots=True)
class Tail:
    """Distinct values from x_min on, their counts, and where laws on them begin and end."""

    values: FloatArray  # (n_values,)
    logs: FloatArray  # (n_values,) u = ln(x/x_min)
    counts: FloatArray  # (n_values,)
    x_min: float
    x_max: float  # infinite where there is no end
    discrete: bool

    @property
    def n(self) -> float:
        """Number of observations."""
        return float(self.counts.sum())

    @property
    def reach(self) -> float:
        """ln(x/x_min) of the largest value."""
        return float(self.logs.max())

    @property
    def log_range(self) -> float:
        """ln(x_max/x_min), possibly infinite."""
        return math.log(self.x_max) - math.log(self.x_min) if math.isfinite(self.x_max) else math.inf

    def mean(self, values: FloatArray) -> float:
        """Mean over the observations of something known at each distinct value."""
        return float(self.counts @ values) / self.n


@dataclass(frozen=True, slots=True)
class LawFit:
    """Maximum-likelihood fit of one law to a tail."""

    law: str
    parameters: dict[str, float]
    log_likelihoods: FloatArray  # (n_values,) of one observation at each distinct value; densities per unit of x
    bend: float | None = None  # see `Comparison`


def tail_of(
    values: ArrayLike, *, x_min: float, x_max: float | None, discrete: bool, weights: ArrayLike | None = None
) -> Tail:
    """The tail on [x_min, x_max] with equal values put together.

    Raises:
        ValueError: If a value is not finite or lies outside, is not whole though `discrete`, if counts do not fit, or
            fewer than two distinct values are there.
    """
    given = as_finite(values, name="values", ndim=1)
    counts = np.ones(given.size) if weights is None else as_finite(weights, name="weights", ndim=1)
    if counts.shape != given.shape or counts.min() < 0:
        raise ValueError(f"weights must hold one count, not negative, for each of the {given.size} values")
    end = math.inf if x_max is None else float(x_max)
    if not 0 < x_min < end:
        raise ValueError(f"x_min must be positive and below x_max; got x_min = {x_min:g} and x_max = {end:g}")
    if given.min() < x_min or given.max() > end:
        raise ValueError(
            f"values must lie between x_min = {x_min:g} and x_max = {end:g}; they are {given.min():g} … "
            f"{given.max():g}: hand over the tail alone"
        )
    if discrete and (np.any(given != np.floor(given)) or x_min != math.floor(x_min)):
        raise ValueError("discrete values and x_min must be whole numbers; fit fractions with discrete=False")
    seen = counts > 0
    distinct, place = np.unique(given[seen], return_inverse=True)
    if distinct.size < 2:
        raise ValueError(f"laws are compared on at least two distinct values; there are {distinct.size}")
    total = np.bincount(place, weights=counts[seen])
    logs = np.log(distinct) - math.log(x_min)  # the ratio itself may leave the range of floating-point numbers
    return Tail(distinct, logs, total.astype(np.float64), float(x_min), end, discrete)


def power_law_log_likelihoods(tail: Tail, alpha: float) -> FloatArray:
    """Ln p(x) of the power law at each distinct value."""
    if tail.discrete:
        log_total = math.log(bounded_zeta_moments(alpha, tail.x_min, tail.x_max)[0])
        return -alpha * tail.logs - log_total
    rate = alpha - 1
    if math.isinf(tail.x_max):
        log_total = -math.log(rate)
    else:  # ∫ e^(−rate u) du over [0, R], also where rate is negative
        y = rate * tail.log_range
        log_total = math.log(tail.log_range) + (math.log(-math.expm1(-y) / y) if y else 0.0)
    return -alpha * tail.logs - log_total - math.log(tail.x_min)


def bounded_exponential(mean: float, span: float) -> tuple[float, float]:
    """Rate of the exponential law on [0, span] with this mean, of any sign if bounded, and ln of its integral."""
    if mean < 1e-3 * span:  # e^−1000 of it lies beyond the end, if there is one
        return 1 / mean, math.log(mean)
    y = continuous_exponent(mean / span, 1.0) - 1  # ln of a bounded power law's variable is this law's
    return y / span, math.log(span) + math.log(-math.expm1(-y) / y)


def far_values(tail: Tail) -> NDArray[np.bool_]:
    """Whole numbers so large that a law is nearly straight over the cell of one unit: 300, and 200 local exponents."""
    return tail.values >= max(300.0, 200.0 / max(tail.mean(tail.logs), 1e-12))


def highest(function: Callable[[float], float], low: float, high: float, n_starts: int = 25) -> tuple[float, float]:
    """Where a function on [low, high] is highest, and its value: a grid, then Brent's method about its best point."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(low, high, n_starts)
    heights = np.array([function(float(x)) for x in grid])
    best = int(np.nanargmax(heights))
    found = minimize_scalar(
        lambda x: -function(x),
        bounds=(grid[max(best - 1, 0)], grid[min(best + 1, n_starts - 1)]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    if -found.fun > heights[best]:
        return float(found.x), float(-found.fun)
    return float(grid[best]), float(heights[best])


def climb(function: Callable[[float], float], start: float, step: float, limit: float) -> tuple[float, float]:
    """Where a function with one maximum is highest, and its value, from a first guess and its likely error.

    Steps double on either side until the function falls, or `limit` away; then Brent's method. What is not finite
    counts as very low.
    """
    from scipy.optimize import minimize_scalar

    def depth(x: float) -> float:
        value = function(x)
        return -value if math.isfinite(value) and value > -_ABYSS else _ABYSS

    left, middle, right = start - step, start, start + step
    depths = [depth(left), depth(middle), depth(right)]
    while depths[2] < depths[1] and right < start + limit:
        left, middle, right = middle, right, right + 2 * (right - middle)
        depths = [depths[1], depths[2], depth(right)]
    while depths[0] < depths[1] and left > start - limit:
        left, middle, right = left - 2 * (middle - left), left, middle
        depths = [depth(left), depths[0], depths[1]]
    found = minimize_scalar(
        depth, bounds=(left, right), method="bounded", options={"xatol": _TOLERANCE * max(1.0, abs(middle))}
    )
    places, values = [found.x, left, middle, right], [found.fun, *depths]
    best = int(np.argmin(values))
    return float(places[best]), float(-values[best])


def profile_limit(function: Callable[[float], float], best: float, highest_value: float, end: float) -> float:
    """Above `best`, where the log-likelihood has dropped to the one-sided 95 % limit; `end` if it has not by there."""
    from scipy.optimize import brentq

    level = highest_value - PROFILE_DROP
    low, high = best, best
    while high < end:
        high = min(high + 1.0, end)
        if function(high) < level:
            return float(brentq(lambda x: function(x) - level, low, high, xtol=1e-4))
        low = high
    return end
