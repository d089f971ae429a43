"""How noisy are the values of a curve, when its true shape is unknown but smooth between neighbors?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_POINTS = 8  # the scatter about four neighbors needs four inner points that have them
N_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Noise:
    """One estimate of the noise of single values, and how well it is known."""

    sigma: float | NDArray[np.float64]  # standard deviation, one for all or one each
    degrees_of_freedom: float  # of the estimate; infinite for a known one


def noise_of_neighbors(x: NDArray[np.float64], y: NDArray[np.float64]) -> Noise:
    """Noise that is independent between evaluations, from the scatter about the cubic through four neighbors.

    The largest tenth of the squares is left out, so that a step, which puts its four neighbors off the cubic, is not
    taken for noise; 0.623 is the mean of z² over the remaining nine tenths of a Gaussian.
    """
    squares = np.sort(_off_the_cubic(x, y) ** 2)
    n_left_out = len(squares) // 10
    variance = squares[:-n_left_out].mean() / 0.623 if n_left_out else squares.mean()
    return Noise(float(np.sqrt(variance)), len(squares) / 2)  # neighbors share values: half count apart


def noise_of_blocks(x: NDArray[np.float64], y: NDArray[np.float64]) -> Noise | None:
    """Noise that persists over some evaluations, from the scatter of means of twenty consecutive blocks.

    Returned as the independent noise of single values that would make block means scatter as much. The median keeps
    a rise that takes a few blocks out of it. `None` below 40 points, where a block is one point.
    """
    per_block = len(x) // N_BLOCKS
    if per_block < 2:
        return None
    blocks = np.array_split(np.arange(len(x)), N_BLOCKS)
    residuals = _off_the_cubic(np.array([x[b].mean() for b in blocks]), np.array([y[b].mean() for b in blocks]))
    spread = np.median(np.abs(residuals)) / 0.6745
    return Noise(float(spread * np.sqrt(per_block)), len(residuals) / 2)


def _off_the_cubic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of every inner value from the cubic through its four neighbors, in units of one value's noise."""
    middle = np.arange(2, len(x) - 2)
    neighbors = middle[:, None] + np.array([-2, -1, 1, 2])
    distance = x[middle, None] - x[neighbors]
    weights = np.ones_like(distance)
    for j in range(4):
        for m in range(4):
            if m != j:
                weights[:, j] *= distance[:, m] / (x[neighbors[:, j]] - x[neighbors[:, m]])
    noise_share = np.sqrt(1 + (weights**2).sum(axis=1))
    off: NDArray[np.float64] = (y[middle] - (weights * y[neighbors]).sum(axis=1)) / noise_share
    return off
