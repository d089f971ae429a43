"""How long runs take when some of them never get there: the Kaplan–Meier curve and its median."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from phasescope.results import Result

_ROUNDING = 1e-9  # a product of fractions such as 7/8 · 6/7 · … equals one half up to this


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve(Result):
    """Share of runs that have not yet got there, and the median step."""

    estimate: float | None  # median step; None when the curve does not come down to one half
    interval: tuple[float, float]  # for the median, beta product; upper end infinite when the data do not bound it
    confidence: float  # of `interval` and `band`
    n_runs: int
    n_observed: int  # runs that got there; the others are censored
    steps: NDArray[np.float64]  # (n_times,) 0 and every distinct time, rising
    survival: NDArray[np.float64]  # (n_times,) share not yet there just after each step
    band: NDArray[np.float64]  # (n_times, 2) pointwise interval of `survival`
    at_risk: NDArray[np.int64]  # (n_times,) runs still looked at just before each step
    events: NDArray[np.int64]  # (n_times,) runs that got there at each step


def kaplan_meier(times: ArrayLike, observed: ArrayLike, *, confidence: float = 0.95) -> SurvivalCurve:
    """Estimate the distribution of a step over runs of which some are censored.

    Product-limit estimate S(t) = Π_{t_i ≤ t} (1 − d_i / n_i) [1], runs censored at a step counted as at risk there.
    The median is the first step with S ≤ ½, and the middle of the flat stretch when S equals ½ there, as for a
    sample median. Band and interval are beta product limits [2]: S(t) is bounded by products of independent
    Beta(n_i, 1) variables, replaced by the beta variable of the same mean and variance; without censoring that is
    the exact binomial interval. The median's interval holds the steps whose band holds ½. Censoring must not depend
    on how close a run was.

    Args:
        times: First crossing of each run, or the last step looked at when there was none, shape `(n_runs,)`.
        observed: True where the run got there, False where it is censored, shape `(n_runs,)`.
        confidence: Of the interval and of the band, in (0, 1).

    Returns:
        Median, its interval, and the curve with its band.

    Raises:
        ValueError: If there is no run, the shapes differ, or a time is negative or not finite.

    References:
        [1] Kaplan & Meier (1958), Journal of the American Statistical Association 53, 457.
        [2] Fay, Brittain & Proschan (2013), Biostatistics 14, 723.

    Example:
        >>> kaplan_meier([400, 450, 500, 600, 1500], [True, True, True, True, False]).estimate
        500.0
    """
    time_array, event_array = _checked_runs(times, observed)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    steps = np.unique(np.concatenate(([0.0], time_array)))
    at_risk = (time_array[None, :] >= steps[:, None]).sum(axis=1)
    events = ((time_array[None, :] == steps[:, None]) & event_array[None, :]).sum(axis=1)
    survival = np.cumprod(1 - events / at_risk)
    band = _beta_product_band(time_array, event_array, steps, confidence)
    median, interval = _median(steps, survival, events), _median_interval(steps, band)
    return SurvivalCurve(
        estimate=median,
        interval=interval,
        confidence=float(confidence),
        n_runs=time_array.size,
        n_observed=int(event_array.sum()),
        steps=steps,
        survival=survival,
        band=band,
        at_risk=at_risk.astype(np.int64),
        events=events.astype(np.int64),
        caveats=_caveats(time_array, event_array, median, interval, confidence),
    )


def _checked_runs(times: ArrayLike, observed: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    time_array, flags = np.array(times, dtype=np.float64), np.asarray(observed)
    if time_array.ndim != 1 or time_array.shape != flags.shape:
        raise ValueError(
            "times and observed must be one-dimensional and of the same length; "
            f"got shapes {time_array.shape} and {flags.shape}"
        )
    if time_array.size == 0:
        raise ValueError("times is empty; at least one run is needed")
    if not np.isin(flags, (0, 1)).all():
        raise ValueError("observed must hold True or False, one per run")
    if not np.isfinite(time_array).all() or (time_array < 0).any():
        raise ValueError(
            "times must be finite and not negative; a run that never got there enters with the last step looked at "
            "and observed False"
        )
    return time_array, flags.astype(bool)


def _beta_product_band(
    times: NDArray[np.float64], observed: NDArray[np.bool_], steps: NDArray[np.float64], confidence: float
) -> NDArray[np.float64]:
    """Limits of S just after each step, by matching two moments of products of Beta(n, 1) variables."""
    order = np.lexsort((~observed, times))  # at a tie, those that got there come before the censored
    risk = np.arange(times.size, 0, -1)[observed[order]].astype(np.float64)
    n_events = np.searchsorted(times[order][observed[order]], steps, side="right")
    # E[B] = n/(n + 1) and E[B²] = n/(n + 2) for B ~ Beta(n, 1)
    mean = np.concatenate(([1.0], np.cumprod(risk / (risk + 1))))[n_events]
    square = np.concatenate(([1.0], np.cumprod(risk / (risk + 2))))[n_events]
    left = (times[None, :] > steps[:, None]).sum(axis=1).astype(np.float64)
    tail = (1 - confidence) / 2
    upper = _beta_quantile(1 - tail, mean, square)
    lower = _beta_quantile(tail, mean * left / (left + 1), square * left / (left + 2))
    return np.stack([lower, upper], axis=1)


def _beta_quantile(level: float, mean: NDArray[np.float64], square: NDArray[np.float64]) -> NDArray[np.float64]:
    quantile = mean.copy()  # where the variance is zero: exactly 0 or 1
    variance = square - mean**2
    spread = variance > 1e-15
    size = mean[spread] * (1 - mean[spread]) / variance[spread] - 1
    quantile[spread] = betaincinv(mean[spread] * size, (1 - mean[spread]) * size, level)
    return quantile


def _median(steps: NDArray[np.float64], survival: NDArray[np.float64], events: NDArray[np.int64]) -> float | None:
    reached = np.flatnonzero(survival <= 0.5 + _ROUNDING)
    if reached.size == 0:
        return None
    first = int(reached[0])
    later_events = np.flatnonzero(events[first + 1 :])
    if survival[first] > 0.5 - _ROUNDING and later_events.size:
        return float((steps[first] + steps[first + 1 + later_events[0]]) / 2)
    return float(steps[first])


def _median_interval(steps: NDArray[np.float64], band: NDArray[np.float64]) -> tuple[float, float]:
    low = steps[int(np.argmax(band[:, 0] <= 0.5))]  # the lower limit is 0 once nobody is at risk
    below = np.flatnonzero(band[:, 1] < 0.5)
    return float(low), float(steps[below[0]]) if below.size else math.inf


def _caveats(
    times: NDArray[np.float64],
    observed: NDArray[np.bool_],
    median: float | None,
    interval: tuple[float, float],
    confidence: float,
) -> tuple[str, ...]:
    caveats: list[str] = []
    if median is None:
        caveats.append(
            f"{int(observed.sum())} of {times.size} runs got there by step {times.max():g}, too few for a median; "
            f"with {confidence:.0%} confidence it is at least {interval[0]:g}"
        )
    elif math.isinf(interval[1]):
        caveats.append(f"{times.size} runs, {int(observed.sum())} of them there, do not bound the median from above")
    n_needed = math.ceil(1 + math.log2(1 / (1 - confidence)))  # all runs on one side of the median: 2 · 2⁻ⁿ
    if times.size < n_needed:
        caveats.append(f"{times.size} runs cannot bound a median with {confidence:.0%} confidence; {n_needed} can")
    return tuple(caveats)
