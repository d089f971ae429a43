"""Logistic rises from 0 to 1, and the family of them that a record can show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

FloatArray = NDArray[np.float64]
NARROWEST = 1e-12  # stands for a width of zero, which is a jump
MIN_POINTS_BESIDE = 3  # evaluations that must lie on either side of a midpoint


def sigmoid(position: FloatArray, midpoint: FloatArray | float, width: FloatArray | float) -> FloatArray:
    """Logistic rise 1/(1 + exp(−2 ln 9 · (x − midpoint)/width)), which goes from 10 % to 90 % within `width`.

    Arguments broadcast.
    """
    steepness = 2.0 * math.log(9.0) / np.maximum(width, NARROWEST)
    rise: FloatArray = expit((position - np.asarray(midpoint)) * steepness)
    return rise


def sigmoid_grid(
    position: FloatArray, *, n_even: int, n_jumps: int, widths: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Midpoints and widths of candidates, each of shape `(n_candidates,)`, at the record's own resolution.

    Sigmoids of the given widths have midpoints spread evenly over the record; jumps, of width zero, lie in the gaps
    between evaluations, so that no crowd of points is missed when steps are unevenly spaced.
    """
    gaps = 0.5 * (position[1:] + position[:-1])[MIN_POINTS_BESIDE - 1 : position.size - MIN_POINTS_BESIDE]
    crowded = gaps[np.linspace(0, gaps.size - 1, min(n_jumps, gaps.size)).round().astype(np.intp)]
    even, even_widths = np.meshgrid(np.linspace(gaps[0], gaps[-1], n_even), widths)
    return (
        np.concatenate([even.ravel(), crowded]),
        np.concatenate([even_widths.ravel(), np.zeros(crowded.size)]),
    )


def are_separated(position: FloatArray, midpoints: Sequence[float]) -> bool:
    """Whether enough evaluations lie before, between and after the midpoints."""
    n_before = np.sort(np.searchsorted(position, midpoints))
    return int(np.diff([0, *n_before.tolist(), position.size]).min()) >= MIN_POINTS_BESIDE


def apart_from(
    known: Sequence[tuple[float, float]], position: FloatArray, midpoints: FloatArray, widths: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The candidates whose 10–90 % span overlaps no known transition's, with three evaluations between the midpoints.

    An outlier is a step up and a step down with one evaluation between them, and no pair of transitions.
    """
    apart = np.ones(midpoints.size, dtype=np.bool_)
    n_before = np.searchsorted(position, midpoints)
    for midpoint, width in known:
        apart &= np.abs(midpoints - midpoint) > 0.5 * (widths + width)
        apart &= np.abs(n_before - np.searchsorted(position, midpoint)) >= MIN_POINTS_BESIDE
    return midpoints[apart], widths[apart]


def gap_at(position: FloatArray, midpoint: float) -> float:
    """Distance between the evaluations on either side of a position."""
    right = int(np.clip(np.searchsorted(position, midpoint), 1, position.size - 1))
    return float(position[right] - position[right - 1])


def tangents(position: FloatArray, midpoint: float, width: float) -> FloatArray:
    """A sigmoid and how it changes when moved, stretched or skewed, shape `(n_samples, 4)`.

    As free columns, they let a transition already found be imperfectly sigmoid without leaving a second one behind.
    The three changes of a jump are those of a rise over two gaps between evaluations, since its own would vanish.
    """
    resolved = max(width, 2.0 * gap_at(position, midpoint))
    shape = sigmoid(position, midpoint, resolved)
    slope = shape * (1.0 - shape)
    scaled = (position - midpoint) / resolved
    rise = sigmoid(position, midpoint, width)
    return np.column_stack([rise, slope, slope * scaled, slope * (1.0 - 2.0 * shape)])
