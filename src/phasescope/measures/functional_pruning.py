"""Exact optimal partitioning with squared error, pruned by level (compiled).

Kept for every sample t is the smallest cost of all earlier samples as a function of the level μ of the running segment,
a piecewise quadratic. A start of the running segment whose quadratic is nowhere lowest can never become optimal and is
dropped [1, 2]. With constant data the pieces are few, so the time is nearly linear in the number of samples.

References:
    [1] Rigaill (2015), Journal de la SFdS 156(4), 180–205 (pDPA: a fixed number of changes).
    [2] Maidstone, Hocking, Rigaill & Fearnhead (2017), Statistics and Computing 27, 519–533 (FPOP: a penalty).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True)
def partition_layer(
    values: FloatArray, entry_cost: FloatArray, penalty: float, min_length: int, recursive: bool
) -> tuple[FloatArray, IntArray]:
    """Best cost of the samples before t, for every t, and where the last segment of that optimum starts.

    A segment may start at s at the price `entry_cost[s]` of the samples before it. With `recursive`, that price is the
    result itself plus the penalty (any number of changes); otherwise it is given (one change more than the layer that
    made `entry_cost`), infinite where no start is allowed.

    Args:
        values: Samples, shape `(n_samples,)`, of order one.
        entry_cost: Price of starting at s, shape `(n_samples + 1,)`; only `entry_cost[0]` is read when `recursive`.
        penalty: Price of a change.
        min_length: Fewest samples of a segment.
        recursive: Whether prices come from the result itself.

    Returns:
        Costs and starts, each of shape `(n_samples + 1,)`, for t = 0 … n_samples; infinite and −1 where impossible.
    """
    n_samples = values.size
    costs = np.full(n_samples + 1, np.inf)
    starts = np.full(n_samples + 1, -1, dtype=np.int64)
    lowest, highest = values.min(), values.max()
    # A piece: between levels `left` and `right` the cost is a·μ² − 2·b·μ + c, of a segment that began at `origin`.
    # Two lists of pieces take turns as the old and the new one.
    capacity = 64
    pieces = np.empty((2, capacity, 5))
    origins = np.empty((2, capacity), dtype=np.int64)
    now, n_pieces = 0, 0
    for t in range(1, n_samples + 1):
        value = values[t - 1]
        for i in range(n_pieces):
            pieces[now, i, 2] += 1.0
            pieces[now, i, 3] += value
            pieces[now, i, 4] += value * value
        start = t - min_length
        price = np.inf
        if start == 0 or (start > 0 and not recursive):
            price = entry_cost[start]
        elif start > 0:
            price = costs[start] + penalty
        if price < np.inf:
            a, b, c = 0.0, 0.0, price
            for i in range(start, t):
                a += 1.0
                b += values[i]
                c += values[i] * values[i]
            if 3 * n_pieces + 3 > capacity:
                pieces, origins = _doubled(pieces), _doubled(origins)
                capacity *= 2
            if n_pieces == 0:
                _put(pieces[now, 0], lowest, highest, a, b, c)
                origins[now, 0] = start
                n_pieces = 1
            else:
                n_pieces = _lower_envelope(pieces, origins, now, n_pieces, a, b, c, start)
                now = 1 - now
        for i in range(n_pieces):
            left, right, a, b, c = pieces[now, i]
            level = min(max(b / a, left), right)
            cost = (a * level - 2.0 * b) * level + c
            if cost < costs[t]:
                costs[t] = cost
                starts[t] = origins[now, i]
    return costs, starts


@njit(cache=True)
def _lower_envelope(
    pieces: FloatArray, origins: IntArray, now: int, n_pieces: int, a: float, b: float, c: float, start: int
) -> int:
    """Write the minimum of list `now` and a new quadratic into the other list; returns its number of pieces."""
    new, n_new = 1 - now, 0
    for i in range(n_pieces):
        left, right, old_a, old_b, old_c = pieces[now, i]
        # Their difference is a quadratic itself; between its roots, and outside them, one of the two is lower.
        da, db, dc = a - old_a, b - old_b, c - old_c
        low, high = _roots(da, db, dc)
        edge = left
        for k in range(3):
            stop = right
            if k == 0:
                stop = min(right, low)
            elif k == 1:
                stop = min(right, high)
            if stop < edge or (stop == edge and right > left):
                continue
            middle = 0.5 * (edge + stop)
            newer = (da * middle - 2.0 * db) * middle + dc < 0.0
            origin = start if newer else origins[now, i]
            if n_new > 0 and origins[new, n_new - 1] == origin:
                pieces[new, n_new - 1, 1] = stop
            else:
                if newer:
                    _put(pieces[new, n_new], edge, stop, a, b, c)
                else:
                    _put(pieces[new, n_new], edge, stop, old_a, old_b, old_c)
                origins[new, n_new] = origin
                n_new += 1
            edge = stop
            if stop >= right:
                break
    return n_new


@njit(cache=True)
def _put(piece: FloatArray, left: float, right: float, a: float, b: float, c: float) -> None:
    piece[0], piece[1], piece[2], piece[3], piece[4] = left, right, a, b, c


@njit(cache=True)
def _doubled(lists: NDArray[Any]) -> NDArray[Any]:
    """Both lists with room for twice as many pieces."""
    return np.concatenate((lists, np.empty_like(lists)), axis=1)


@njit(cache=True)
def _roots(a: float, b: float, c: float) -> tuple[float, float]:
    """Real roots of a·μ² − 2·b·μ + c in rising order; infinite where there is none."""
    if a == 0.0:
        if b == 0.0:
            return np.inf, np.inf
        return c / (2.0 * b), np.inf
    discriminant = b * b - a * c
    if discriminant <= 0.0:
        return np.inf, np.inf
    q = b + math.copysign(math.sqrt(discriminant), b)
    first, second = q / a, c / q
    return min(first, second), max(first, second)
