"""Single evaluations far from their neighbors: a loss spike, an evaluation gone wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

FloatArray = NDArray[np.float64]
WINDOW = 5  # evaluations; one or two in a row can be outvoted
FAR = 8.0  # robust standard deviations


def without_isolated(values: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Replace isolated values by the median of their neighborhood.

    A value is isolated when it differs from the median of the five evaluations around it by more than eight robust
    standard deviations of such differences. Steps and all monotone stretches equal their running median and stay.

    Args:
        values: The curve, shape `(n_points,)`.

    Returns:
        The curve without them, and their indices.
    """
    smooth = median_filter(values, size=WINDOW, mode="nearest")
    distance = np.abs(values - smooth)
    typical = 1.4826 * float(np.median(distance))
    if typical == 0.0 and np.count_nonzero(distance) > values.size // 20:
        return values, np.empty(0, dtype=np.intp)
    isolated = np.flatnonzero(distance > FAR * typical)
    cleaned = values.copy()
    cleaned[isolated] = smooth[isolated]
    return cleaned, isolated
