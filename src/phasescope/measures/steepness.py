"""Steepest part of a curve on one axis: least-squares slopes in sliding windows, with the noise they carry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from phasescope.measures.curve_noise import Noise


@dataclass(frozen=True, slots=True)
class Steepness:
    """Slopes of one curve on one axis in units of a straight line, and the rise they belong to."""

    estimate: float  # largest window slope · record / improvement
    low: float  # simultaneous 95 % bounds of it
    high: float
    steepest: float  # middle of the steepest window, in [0, 1]
    rise: tuple[float, float]  # where 10 % and 90 % of the improvement are passed, in [0, 1]
    setback: float  # fall from the start to the trough, per improvement
    relapse: float  # fall from the peak to the end, per improvement


def steepness(
    x: NDArray[np.float64], y: NDArray[np.float64], noises: Sequence[Noise], *, window: float
) -> Steepness | None:
    """Scan a curve for its steepest window.

    Args:
        x: Positions, shape `(n_points,)`, rising from 0 to 1, two at least.
        y: Values with upward as improvement, shape `(n_points,)`.
        noises: Estimates of the noise of single values; the widest margin counts.
        window: Width of a window, as a share of the record.

    Returns:
        The steepness with its bounds, or `None` when the curve does not improve beyond its noise.
    """
    starts, stops = _windows(x, window)
    slopes, weights = _slopes(x, y, starts, stops)
    smooth = _smoothed(x, y, slopes, starts, stops, window)
    trough, peak = _largest_improvement(smooth)
    improvement = float(smooth[peak] - smooth[trough])
    per_level = max(1.0, len(x) * window / 4)  # values averaged in `smooth`
    level_error = max(float(np.sqrt(np.mean(np.square(noise.sigma)) / per_level)) for noise in noises)
    if improvement <= max(6 * level_error, 1e-12 * float(np.abs(y).max())):
        return None
    # 2 / window windows differ enough to count apart: at w = 0.1, twenty of them at 95 % together
    level = 1 - 0.025 * window / 2
    margin = np.max(
        [
            stdtrit(noise.degrees_of_freedom, level)
            * _slope_errors(weights, starts, stops, np.broadcast_to(np.square(noise.sigma), x.shape))
            for noise in noises
        ],
        axis=0,
    )
    too_small = 2 * math.sqrt(2) * level_error / improvement  # trough and peak are chosen as extremes, so the
    too_large = min(6 * level_error / improvement, 0.9)  # improvement errs by more on the side of too large
    best = int(np.argmax(slopes))
    return Steepness(
        estimate=float(slopes[best]) / improvement,
        low=max(float((slopes - margin).max()), 0.0) / improvement / (1 + too_small),
        high=float((slopes + margin).max()) / improvement / (1 - too_large),
        steepest=float(x[starts[best]] + x[stops[best]]) / 2,
        rise=_rise(x, smooth, trough, peak),
        setback=float(smooth[0] - smooth[trough]) / improvement,
        relapse=float(smooth[peak] - smooth[-1]) / improvement,
    )


def _windows(x: NDArray[np.float64], window: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last index of every window: as wide as `window`, wider where only one point would be inside."""
    n = len(x)
    last_start = min(int(np.searchsorted(x, 1 - window - 1e-9)), n - 2)
    starts = np.arange(last_start + 1)
    stops = np.searchsorted(x, x[starts] + window + 1e-9, side="right") - 1
    stops = np.maximum(stops, starts + 1)
    stops[-1] = n - 1
    return starts, stops


def _slopes(
    x: NDArray[np.float64], y: NDArray[np.float64], starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Least-squares slope of each window, and the weights of its values in it."""
    weights = []
    for start, stop in zip(starts, stops, strict=True):
        offset = x[start : stop + 1] - x[start : stop + 1].mean()
        weights.append(offset / (offset**2).sum())
    slopes = [weight @ y[start : stop + 1] for weight, start, stop in zip(weights, starts, stops, strict=True)]
    return np.array(slopes), weights


def _slope_errors(
    weights: list[NDArray[np.float64]],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    variance: NDArray[np.float64],
) -> NDArray[np.float64]:
    squares = [weight**2 @ variance[i : j + 1] for weight, i, j in zip(weights, starts, stops, strict=True)]
    return np.sqrt(np.array(squares))


def _smoothed(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    slopes: NDArray[np.float64],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    window: float,
) -> NDArray[np.float64]:
    """Mean over a quarter of a window; near the two ends, the line of the first and of the last window."""
    half = window / 8
    left = np.searchsorted(x, x - half - 1e-12)
    right = np.searchsorted(x, x + half + 1e-12, side="right")
    total = np.concatenate(([0.0], np.cumsum(y)))
    smooth: NDArray[np.float64] = (total[right] - total[left]) / (right - left)
    for k, near in ((0, x < half), (-1, x > 1 - half)):
        inside = slice(starts[k], stops[k] + 1)
        smooth[near] = y[inside].mean() + slopes[k] * (x[near] - x[inside].mean())
    return smooth


def _largest_improvement(smooth: NDArray[np.float64]) -> tuple[int, int]:
    """Indices (i, j), i ≤ j, of the largest smooth[j] − smooth[i]."""
    lowest = np.minimum.accumulate(smooth)
    peak = int(np.argmax(smooth - lowest))
    return int(np.argmin(smooth[: peak + 1])), peak


def _rise(x: NDArray[np.float64], smooth: NDArray[np.float64], trough: int, peak: int) -> tuple[float, float]:
    """Positions where 10 % is passed for the last time before 90 % is passed for the first time."""
    share = (smooth - smooth[trough]) / (smooth[peak] - smooth[trough])
    reached = trough + int(np.argmax(share[trough : peak + 1] >= 0.9))
    before = trough + int(np.flatnonzero(share[trough:reached] <= 0.1)[-1])

    def passing(i: int, level: float) -> float:
        return float(x[i] + (x[i + 1] - x[i]) * (level - share[i]) / (share[i + 1] - share[i]))

    return passing(before, 0.1), passing(reached - 1, 0.9)
