"""What a run hands out: labelled curves and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from phasescope.results import brief, html_block, pandas, plain, text_block

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("run", "seed", "step")  # columns that say where in a table of curves a row belongs


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

    def to_dict(self) -> dict[str, Any]:
        """Plain Python containers, ready for JSON; a value that is not finite becomes `None`."""
        return {
            "name": self.name,
            "unit": self.unit,
            "steps": plain(self.steps),
            "values": plain(self.values),
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per point: `step`, and the values under the name of the series. Needs the extra `frame`."""
        made: pd.DataFrame = pandas().DataFrame({"step": self.steps, column(self.name): self.values})
        return made

    def __str__(self) -> str:
        return text_block(self.name, self._rows())

    def _repr_html_(self) -> str:
        return html_block(self.name, self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        if not len(self):
            return [("points", "0")]
        finite = self.values[np.isfinite(self.values)]
        return [
            *([("unit", self.unit)] if self.unit else []),
            ("points", str(len(self))),
            ("steps", f"{self.steps[0]} … {self.steps[-1]}"),
            ("values", f"{brief(finite.min())} … {brief(finite.max())}" if finite.size else "none is finite"),
            ("first", brief(self.values[0])),
            ("last", brief(self.values[-1])),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on the way."""

    step: int
    kind: str
    message: str


def column(name: str) -> str:
    """Name of a series in a table; one that is called like a key gives way to it."""
    return f"{name} (series)" if name in KEYS else name


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
