"""Training steps on the axis a transition is measured on: decades of log-time, or steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Time = Literal["log", "linear"]


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Coordinates of the evaluations and the way back to steps."""

    steps: FloatArray  # (n_points,) training steps
    coordinate: FloatArray  # (n_points,) log10(step) or step
    time: Time

    @property
    def length(self) -> float:
        """Length of the record in the unit of the coordinate."""
        return float(self.coordinate[-1] - self.coordinate[0])

    @property
    def position(self) -> FloatArray:
        """Coordinates scaled to [0, 1] over the record, shape `(n_points,)`."""
        scaled: FloatArray = (self.coordinate - self.coordinate[0]) / self.length
        return scaled

    @property
    def unit(self) -> str:
        """Unit of the coordinate."""
        return "decades" if self.time == "log" else "steps"

    def step_at(self, position: float) -> float:
        """Training step at a position of the record; never outside the record."""
        if position <= 0.0:
            return float(self.steps[0])
        if position >= 1.0:
            return float(self.steps[-1])
        coordinate = float(self.coordinate[0]) + position * self.length
        return 10.0**coordinate if self.time == "log" else coordinate

    def steps_between(self, interval: tuple[float, float]) -> tuple[float, float]:
        """Training steps at both ends of an interval of positions."""
        return self.step_at(interval[0]), self.step_at(interval[1])


def time_axis(steps: FloatArray, time: Time) -> TimeAxis:
    """Place rising, non-negative steps on the axis.

    Step 0 has no logarithm. It is put at half the first positive step, so that evaluations every 100 steps begin at 50,
    100, 200, …: no other point moves, and counting the steps in another unit shifts the whole axis and nothing else.

    Raises:
        ValueError: If `time` is neither `"log"` nor `"linear"`, or the steps are too close together for log-time.
    """
    if time not in ("log", "linear"):
        raise ValueError(f"time must be 'log' or 'linear'; got {time!r}")
    if time == "linear":
        return TimeAxis(steps, steps, time)
    positive = np.where(steps > 0.0, steps, 0.5 * steps[min(1, steps.size - 1)])
    axis = TimeAxis(steps, np.log10(positive), time)
    if axis.length < 1e-9:
        raise ValueError(f"steps {steps[0]:g} to {steps[-1]:g} are one point in log-time; use time='linear'")
    return axis


def evenly_spread(position: FloatArray, n_points: int) -> NDArray[np.intp]:
    """Indices of at most `n_points` evaluations: half spread evenly over time, half evenly over the evaluations.

    The first keep the early steps of a log with evenly spaced steps, the second a crowd of evaluations late in the
    record. Both ends are kept.
    """
    n_half = n_points // 2
    grid = np.linspace(0.0, 1.0, n_half)
    right = np.clip(np.searchsorted(position, grid), 1, position.size - 1)
    nearer = np.where(grid - position[right - 1] < position[right] - grid, right - 1, right)
    every = np.linspace(0, position.size - 1, n_half).round().astype(np.intp)
    indices: NDArray[np.intp] = np.unique(np.concatenate([nearer, every]))
    return indices
