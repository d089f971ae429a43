"""Wilson's interval of a share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri


def wilson_interval(share: ArrayLike, n: int) -> NDArray[np.float64]:
    """95 % interval of a binomial probability, given the share of n trials.

    Args:
        share: In 0 … 1, any shape.
        n: Trials behind each share.

    Returns:
        Lower and upper ends along a last axis of two.

    References:
        Wilson (1927), Journal of the American Statistical Association 22, 209.

    Example:
        >>> wilson_interval(0.95, 100).round(3).tolist()
        [0.888, 0.978]
    """
    p = np.asarray(share, dtype=np.float64)
    z = float(ndtri(0.975))
    center = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(np.clip(p * (1 - p), 0, None) / n + z**2 / (4 * n**2))
    return np.stack([np.clip(center - half, 0, 1), np.clip(center + half, 0, 1)], axis=-1)
