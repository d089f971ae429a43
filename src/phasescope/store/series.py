"""What a run hands out: labelled curves and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """A scalar along training; `np.asarray(series)` gives the values."""

    name: str
    unit: str = ""  # empty for a pure number
    steps: NDArray[np.int64]  # (n_points,) training steps, increasing
    values: NDArray[np.float64]  # (n_points,)

    def __len__(self) -> int:
        return len(self.steps)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on the way."""

    step: int
    kind: str
    message: str


def newest(steps: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Points in order of their steps; of several at one step, the one that came last.

    Args:
        steps: Training steps in order of arrival, shape `(n_points,)`.
        values: Values, shape `(n_points,)`.

    Returns:
        Increasing steps and their values.
    """
    if len(steps) < 2 or bool(np.all(np.diff(steps) > 0)):
        return steps, values
    order = np.argsort(steps, kind="stable")
    steps, values = steps[order], values[order]
    last = np.append(steps[1:] != steps[:-1], True)
    return steps[last], values[last]
