"""The directed Abelian sandpile of Dhar and Ramaswamy, whose exponents are known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.avalanches import Avalanches

SIZE_EXPONENT, DURATION_EXPONENT, SIZE_DURATION_EXPONENT = 4 / 3, 3 / 2, 3 / 2


def directed_sandpile(n_rows: int, *, n_grains: int, profiles: bool = False, rng: np.random.Generator) -> Avalanches:
    """Avalanches of the two-dimensional directed sandpile in its stationary state, of a width without bounds.

    A site topples at two grains and gives one to each of two sites of the row below. In the stationary state all
    configurations of 0 and 1 are equally likely [1], and an avalanche touches one unbroken stretch of each row: the
    sites inside receive two grains and topple, the two at its ends receive one and topple with probability one half.
    So the width makes a random walk, w → w − 1 + (number of ends that topple), until it is 0, and the state of the rest
    of the lattice never enters. Exactly, P(s) ~ s^−4/3, P(T) ~ T^−3/2 and ⟨s⟩ ~ T^3/2.

    Args:
        n_rows: Depth L of the lattice; an avalanche that topples its last row ends there, marked as censored.
        n_grains: Grains dropped on the first row; about half of them start an avalanche.
        profiles: Keep the topplings per row.
        rng: Source of randomness.

    Returns:
        The avalanches of at least one toppling; size is topplings, duration is rows.

    Raises:
        ValueError: If an argument is below 1.

    References:
        [1] Dhar & Ramaswamy (1989), Physical Review Letters 63, 1659.

    Example:
        >>> found = directed_sandpile(64, n_grains=20_000, rng=np.random.default_rng(0))
        >>> int(found.durations.max())
        64
    """
    if n_rows < 1 or n_grains < 1:
        raise ValueError(f"rows and grains must be at least 1; got {n_rows} and {n_grains}")
    n = int(rng.binomial(n_grains, 0.5))
    before: Any = rng.bit_generator.state
    sizes, durations, censored = _fall(n, n_rows, rng)
    kept, offsets = np.empty(0), np.empty(0, dtype=np.int64)
    if profiles:  # the same walks again, now that their lengths are known
        offsets = np.concatenate(([0], np.cumsum(durations)))
        kept = np.empty(offsets[-1])
        rng.bit_generator.state = before
        _fall_again(offsets, n_rows, kept, rng)
    return Avalanches(sizes=sizes, durations=durations, censored=censored, profiles=kept, offsets=offsets, n_bins=0)


@njit(cache=True)
def _next_width(width: int, rng: np.random.Generator) -> int:
    return width - 1 + int(rng.random() < 0.5) + int(rng.random() < 0.5)


@njit(cache=True)
def _fall(
    n: int, n_rows: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Sizes, durations, and whether the last row toppled."""
    sizes = np.empty(n)
    durations = np.empty(n, dtype=np.int64)
    censored = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        width, size, row = 1, 1, 1
        while row < n_rows:
            width = _next_width(width, rng)
            if width == 0:
                break
            size += width
            row += 1
        sizes[i], durations[i], censored[i] = size, row, width > 0
    return sizes, durations, censored


@njit(cache=True)
def _fall_again(offsets: NDArray[np.int64], n_rows: int, kept: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Topplings per row of the walks that have the given lengths."""
    for i in range(offsets.size - 1):
        width = 1
        kept[offsets[i]] = 1.0
        for at in range(offsets[i] + 1, offsets[i + 1]):
            width = _next_width(width, rng)
            kept[at] = width
        if offsets[i + 1] - offsets[i] < n_rows:
            _next_width(width, rng)  # the step to width 0 that ended it
