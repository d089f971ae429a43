"""The band a measure moves in when there is nothing to find, from values simulated under the null."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

NullBand = tuple[float | None, tuple[float, float] | None]


def null_band(values: ArrayLike) -> NullBand:
    """Median and 95 % band of simulated null values; `(None, None)` without any.

    The ends are the values of rank 0.025 (n + 1) and 0.975 (n + 1), so a further value from the null falls between
    them in 95 % of cases whatever n ≥ 39 is; with fewer, they are the extremes.
    """
    simulated = np.asarray(values, dtype=np.float64)
    if simulated.size == 0:
        return None, None
    low, median, high = np.quantile(simulated, [0.025, 0.5, 0.975], method="weibull").tolist()
    return median, (low, high)
