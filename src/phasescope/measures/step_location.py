"""Where between two levels is the step? A likelihood-ratio set for the location of a step in AR(1) noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LIMIT = -2.0 * math.log(1.0 - math.sqrt(0.95))  # 7.35: 95 % point of the excess, P(excess ≤ x) = (1 − e^(−x/2))²


def step_location_interval(
    values: FloatArray, location: int, autocorrelation: float, innovation_sd: float, *, min_length: int = 1
) -> tuple[int, int]:
    """All locations of one step whose generalized residual sum of squares is close enough to the smallest.

    The excess at the true location is distributed as the sum of two sides, P(excess ≤ x) = (1 − e^(−x/2))² for small
    steps in many samples [1], and smaller for large ones; locations with an excess up to 7.35 form the 95 % set. Its
    first and last member are returned.

    Args:
        values: The two segments on either side of the step, shape `(n_samples,)`.
        location: The estimated step, index of the first sample on the new level.
        autocorrelation: φ of the noise between neighboring samples.
        innovation_sd: Standard deviation of the noise's innovations.
        min_length: Fewest samples on either side.

    Returns:
        First and last index in the set; the location itself is always inside.

    References:
        [1] Eo & Morley (2015), Quantitative Economics 6, 463–497; Siegmund (1988), International Statistical Review 56.
    """
    n_samples = values.size
    squares = np.full(n_samples, np.inf)
    candidates = np.arange(min_length, n_samples - min_length + 1)
    squares[candidates] = _residual_squares(values, candidates, autocorrelation)
    allowed = squares <= squares.min() + LIMIT * innovation_sd**2
    allowed[location] = True
    inside = np.flatnonzero(allowed)
    return int(inside[0]), int(inside[-1])


def _residual_squares(values: FloatArray, candidates: NDArray[np.int64], phi: float) -> FloatArray:
    """Generalized residual sum of squares of two levels that meet at each candidate.

    Whitened by first differences with φ, the two indicator columns have closed inner products: they share one sample.
    """
    start = math.sqrt(1.0 - phi**2)
    white = np.concatenate([[start * values[0]], values[1:] - phi * values[:-1]])
    step = 1.0 - phi
    # The level before: √(1−φ²), then 1 − φ up to the step, −φ at it, 0 after. The level after: 0, 1 at the step, 1 − φ.
    before = start * white[0] + step * (np.cumsum(white) - white[0])[candidates - 1] - phi * white[candidates]
    after = white[candidates] + step * (white.sum() - np.cumsum(white)[candidates])
    n_before, n_after = candidates - 1, values.size - candidates - 1
    g11 = start**2 + step**2 * n_before + phi**2
    g22 = 1.0 + step**2 * n_after
    g12 = -phi
    determinant = g11 * g22 - g12**2
    explained = (g22 * before**2 - 2.0 * g12 * before * after + g11 * after**2) / determinant
    squares: FloatArray = float(white @ white) - explained
    return squares
