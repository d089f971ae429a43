"""Single evaluations far from their neighbors: a loss spike, an evaluation gone wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter

FloatArray = NDArray[np.float64]
WINDOW = 5  # evaluations; one or two in a row can be outvoted
FAR = 8.0  # robust standard deviations
FAR_AT_END = 8.0  # times the largest of the next three increments, where a neighbor stands on one side only
SMALL = 0.005  # of the smoothed curve's range: the shape of a curve without noise, not an accident


def without_isolated(values: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Replace isolated values by the median of their neighborhood, and those at an end by their neighbor.

    A value is isolated when it differs from the median of the five evaluations around it by more than eight robust
    standard deviations of such differences. Steps and all monotone stretches equal their running median and stay. On a
    curve almost without noise those deviations are next to nothing, and its own peaks and wiggles would exceed them, so
    the difference must also exceed half a percent of the range and every increment of the running median nearby.

    The first and the last value have neighbors on one side, so no median can outvote them. They are isolated when they
    differ from their neighbor by more than those eight standard deviations *and* by more than eight times any of the
    next three increments: a fall from a high start, or a rise that reaches the end, continues what is beside it. A
    change that one last value alone speaks for is taken for an accident; two of them stay.

    Args:
        values: The curve, shape `(n_points,)`.

    Returns:
        The curve without them, and their indices.
    """
    if values.size < WINDOW:
        return values, np.empty(0, dtype=np.intp)
    smooth = median_filter(values, size=WINDOW, mode="nearest")
    distance = np.abs(values - smooth)
    typical = 1.4826 * float(np.median(distance))
    if typical == 0.0 and np.count_nonzero(distance) > values.size // 20:
        return values, np.empty(0, dtype=np.intp)
    nearby = maximum_filter1d(np.abs(np.diff(smooth, append=smooth[-1])), size=WINDOW, mode="nearest")
    least = max(FAR * typical, SMALL * float(np.ptp(smooth)))
    far = (distance > least) & (distance > nearby)
    cleaned = np.where(far, smooth, values)
    for end, inward in ((0, 1), (values.size - 1, -1)):
        stretch = cleaned[end + inward * np.arange(1, WINDOW)]
        jump = abs(float(values[end] - stretch[0]))
        steepest = float(np.abs(np.diff(stretch)).max())
        if jump > max(least, FAR_AT_END * steepest):
            far[end] = True
            cleaned[end] = stretch[0]
    return cleaned, np.flatnonzero(far)
