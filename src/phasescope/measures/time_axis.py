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
        ValueError: If `time` is neither `"log"` nor `"linear"`.
    """
    if time not in ("log", "linear"):
        raise ValueError(f"time must be 'log' or 'linear'; got {time!r}")
    if time == "linear":
        return TimeAxis(steps, steps, time)
    positive = np.where(steps > 0.0, steps, 0.5 * steps[min(1, steps.size - 1)])
    return TimeAxis(steps, np.log10(positive), time)


def evenly_spread(position: FloatArray, n_points: int) -> NDArray[np.intp]:
    """Indices of at most `n_points` evaluations, the nearest to an even grid over the record; both ends are kept."""
    grid = np.linspace(0.0, 1.0, n_points)
    right = np.clip(np.searchsorted(position, grid), 1, position.size - 1)
    nearer = np.where(grid - position[right - 1] < position[right] - grid, right - 1, right)
    indices: NDArray[np.intp] = np.unique(nearer)
    return indices
