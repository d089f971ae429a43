"""Rules for heavy tails and criticality that are in circulation, for comparison with papers that used them.

Each does what the papers do, says so in its caveats, and has a case that breaks it in its tests and on its concept
page. None is an estimate to rely on: `fit_power_law` and `criticality` are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.avalanches import Avalanches, avalanches
from phasescope.results import Result

OF = ("histogram", "density", "survival")
SLOPES, LEAST_R_SQUARED = (1.0, 3.0), 0.8  # of the published criterion
_BINS_PER_DECADE = 5
_NORMAL = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLogRegression(Result):
    """Straight line through points on double logarithmic axes."""

    estimate: float  # the exponent as the rule reports it
    interval: tuple[float, float]  # 95 % by the regression's own standard error, which is too small
    slope: float  # of ln y on ln x
    r_squared: float
    rule: str  # which published rule this is
    x: NDArray[np.float64]  # (n_points,)
    y: NDArray[np.float64]  # (n_points,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeCriterion(Result):
    """The published criterion of self-organized criticality, and the regression it rests on."""

    self_organized_critical: bool  # what the rule says
    slope: float  # −slope of the histogram on double logarithmic axes
    r_squared: float
    largest: float  # avalanche; the rule never asks whether it grows with the system
    regression: LogLogRegression


def log_log_regression(values: ArrayLike, *, of: str = "histogram") -> LogLogRegression:
    """Legacy: the exponent of a power law as minus the slope of a straight line on log–log axes.

    Least squares weigh a bin of one observation like one of a thousand, drop empty bins, and judge by R², which is
    high for anything that falls. On a Pareto law the histogram's slope is too flat by tens of percent.

    Args:
        values: Positive values, shape `(n,)`.
        of: `histogram`, the number of observations of each distinct value, as for avalanche sizes; `density`, counts in
            five logarithmic bins per decade over their widths; `survival`, the share at least as large.

    Returns:
        Exponent α = −slope (1 − slope for `survival`), the regression's own interval, R² and the points.

    Raises:
        ValueError: If values are not positive and finite, `of` is unknown, or fewer than three points remain.

    References:
        Goldstein, Morris & Yen (2004), European Physical Journal B 41, 255, on its bias.

    Example:
        >>> sizes = np.random.default_rng(0).zipf(2.5, size=10_000)
        >>> log_log_regression(sizes).estimate < 2.2  # the law has 2.5
        True
    """
    positive = _positive(values, "values")
    if of not in OF:
        raise ValueError(f"there is no regression of {of!r}; there are {', '.join(OF)}")
    distinct, counts = np.unique(positive, return_counts=True)
    if of == "density":
        decades = math.log10(distinct[-1] / distinct[0])
        edges = distinct[0] * 10 ** np.linspace(0, decades, max(math.ceil(_BINS_PER_DECADE * decades), 1) + 1)
        edges[-1] = np.nextafter(distinct[-1], np.inf)
        counts, _ = np.histogram(positive, edges)
        x, y = np.sqrt(edges[1:] * edges[:-1])[counts > 0], (counts / np.diff(edges))[counts > 0] / positive.size
    elif of == "survival":
        x, y = distinct, np.cumsum(counts[::-1])[::-1] / positive.size
    else:
        x, y = distinct, counts.astype(np.float64)
    slope, error, r_squared = log_log_line(x, y, of)
    exponent = 1 - slope if of == "survival" else -slope
    return LogLogRegression(
        estimate=exponent,
        interval=(exponent - _NORMAL * error, exponent + _NORMAL * error),
        slope=slope,
        r_squared=r_squared,
        rule=f"legacy: least squares on the log–log {of}",
        x=x,
        y=y,
        caveats=(
            "legacy rule, for comparison with papers only: its exponent is biased, its interval does not cover, and R² "
            "is high for lognormal and exponential data too; fit_power_law is the estimate",
        ),
    )


def ascending_ccdf_regression(eigenvalues: ArrayLike) -> LogLogRegression:
    """Published rule for spectra: an ascending "CCDF" regressed on descending eigenvalues.

    With λ₁ ≥ λ₂ ≥ … the numbers 1/n, 2/n, …, 1 are called a CCDF, and ln(i/n) is regressed on ln λ_i over the whole
    spectrum. One rises as the other falls, so the exponent, reported as this slope, is negative whatever the matrix;
    two monotone sequences always correlate, so R² is high for pure noise.

    Args:
        eigenvalues: Shape `(n,)`, in any order; those that are not positive are left out, as published.

    Raises:
        ValueError: If fewer than three positive eigenvalues remain.
    """
    values = as_finite(eigenvalues, name="eigenvalues", ndim=1)
    falling = np.sort(values[values > 0])[::-1]
    ranks = np.arange(1, falling.size + 1) / max(falling.size, 1)
    slope, error, r_squared = log_log_line(falling, ranks, "eigenvalues")
    return LogLogRegression(
        estimate=slope,
        interval=(slope - _NORMAL * error, slope + _NORMAL * error),
        slope=slope,
        r_squared=r_squared,
        rule='published: ascending "CCDF" on descending eigenvalues',
        x=falling,
        y=ranks,
        caveats=(
            "the exponent is negative for every matrix, since one sequence rises and the other falls; and R² is high "
            "on Marchenko–Pastur noise: test for eigenvalues beyond the edge instead",
        ),
    )


def mean_activity_avalanches(activity: ArrayLike, *, level: float) -> Avalanches:
    """Published rule for avalanches: runs of bins whose mean activity over the units exceeds a fixed level.

    The mean of n units fluctuates as 1/√n, so a fixed level lies above all bins or below all of them: on dense
    activations the one avalanche never closes. Its caveat says so; z-scores per unit and a scan over thresholds are
    the remedy.

    Args:
        activity: Shape `(n_units, n_bins)`; absolute values are averaged.
        level: In the unit of the activity.

    Returns:
        Runs, whose size is the number of bins times the units above the level in them; cut ones are marked.

    Raises:
        ValueError: If activity is not a finite array of two dimensions, or no bin exceeds the level.
    """
    values = np.abs(as_finite(activity, name="activity", ndim=2))
    above = values.mean(axis=0) > level
    if not above.any():
        raise ValueError(
            f"mean activity exceeds {level:g} in none of {above.size} bins; it is at most {values.mean(axis=0).max():g}"
        )
    active = np.maximum((values > level).sum(axis=0), 1) * above
    if not above.all():
        found = avalanches(active)
        share = float(found.durations.max() / above.size)
        return found if share < 0.5 else _with_caveat(found, f"one avalanche holds {100 * share:.0f} % of the record")
    everything = active.astype(np.float64)
    return Avalanches(
        sizes=np.array([everything.sum()]),
        durations=np.array([above.size]),
        censored=np.array([True]),
        profiles=everything,
        offsets=np.array([0, above.size]),
        n_bins=above.size,
        caveats=(f"mean activity exceeds {level:g} in each of {above.size} bins: the one avalanche never closes",),
    )


def slope_criterion(sizes: ArrayLike) -> SlopeCriterion:
    """Published criterion: self-organized critical if the log–log histogram of sizes has slope 1–3 and R² > 0.8.

    It asks neither whether a power law fits nor whether the largest avalanche grows with the system, so that a
    geometric law passes, and so does a sandpile that loses sand everywhere and has a cut-off of its own.

    Args:
        sizes: Avalanche sizes, shape `(n,)`; those of zero are left out, as published.

    Raises:
        ValueError: If fewer than three distinct sizes are positive.
    """
    values = as_finite(sizes, name="sizes", ndim=1)
    line = log_log_regression(values[values > 0] if (values > 0).any() else values)
    return SlopeCriterion(
        self_organized_critical=SLOPES[0] <= line.estimate <= SLOPES[1] and line.r_squared > LEAST_R_SQUARED,
        slope=line.estimate,
        r_squared=line.r_squared,
        largest=float(values.max()),
        regression=line,
        caveats=(
            "published rule, for comparison with papers only: geometric sizes pass it, and so do avalanches whose "
            "cut-off does not grow with the system; criticality() is the verdict",
        ),
    )


def _positive(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = as_finite(values, name=name, ndim=1)
    if array.min() <= 0:
        n_bad = int(np.count_nonzero(array <= 0))
        raise ValueError(f"{name} must be positive on a logarithmic axis; {n_bad} of {array.size} are not")
    return array


def log_log_line(x: NDArray[np.float64], y: NDArray[np.float64], what: str) -> tuple[float, float, float]:
    """Slope of ln y on ln x, its standard error and R²."""
    u, v = np.log(x), np.log(y)
    if u.size < 3 or np.ptp(u) == 0:
        raise ValueError(
            f"a line through the {what} needs at least three distinct points; there are {np.unique(u).size}"
        )
    u, v = u - u.mean(), v - v.mean()
    slope = float(u @ v / (u @ u))
    total = float(v @ v)
    rest = max(total - slope * float(u @ v), 0.0)
    error = math.sqrt(rest / (u.size - 2) / float(u @ u))
    return slope, error, 1 - rest / total if total > 0 else 0.0


def _with_caveat(found: Avalanches, caveat: str) -> Avalanches:
    from dataclasses import replace

    return replace(found, caveats=(*found.caveats, caveat))
