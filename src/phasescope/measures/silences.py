"""Silences between avalanches: how their lengths vary tells a slow, independent drive from noise above a threshold."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy

MEMORYLESS = 1.25  # variation up to which silences count as no broader than those of a memoryless drive


def silences(activity: ArrayLike, *, level: float = 0.0) -> NDArray[np.int64]:
    """Lengths of the stretches at or below a level that lie between two stretches above it.

    Args:
        activity: Shape `(n_bins,)`.
        level: In the unit of the activity.

    Returns:
        In bins, in their order; what precedes the first avalanche or follows the last is left out.

    Example:
        >>> silences([0, 1, 2, 0, 0, 3, 0]).tolist()
        [2]
    """
    active = np.flatnonzero(as_numpy(activity) > level)
    steps = np.diff(active)
    return np.asarray(steps[steps > 1] - 1, dtype=np.int64)


def silence_variation(activity: ArrayLike, *, level: float = 0.0) -> float:
    """Standard deviation of the silences over their mean.

    A drive that waits without memory has 1 (in whole bins somewhat less), whatever the avalanches are. Noise above a
    threshold has no such drive: it also keeps falling below, so short silences abound and the variation grows with the
    square root of its correlation time.

    Args:
        activity: Shape `(n_bins,)`.
        level: In the unit of the activity.

    Returns:
        A pure number; infinite where there are fewer than two silences.

    Example:
        >>> events = np.random.default_rng(0).random(100_000) < 0.1
        >>> round(silence_variation(events), 1)
        0.9
    """
    lengths = silences(activity, level=level)
    return float(lengths.std() / lengths.mean()) if lengths.size > 1 else math.inf
