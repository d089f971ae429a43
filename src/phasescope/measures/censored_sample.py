"""Sizes or durations of avalanches, some of them known to be at least so large, as the fits of a law take them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Values and lower bounds with the blocks within which they may be correlated."""

    values: FloatArray  # (n_values,) distinct, rising
    bounds: FloatArray  # (n_bounds,) distinct lower bounds of censored ones, rising
    events: IntArray  # (n,) place of an observation in `values`, −1 where censored
    cuts: IntArray  # (n,) place in `bounds`, −1 where not censored
    blocks: IntArray  # (n,) block number, rising; empty where observations are independent
    discrete: bool

    @property
    def counts(self) -> FloatArray:
        """How often each value occurred."""
        return np.bincount(self.events[self.events >= 0], minlength=self.values.size).astype(np.float64)

    @property
    def bound_counts(self) -> FloatArray:
        """How often each bound occurred."""
        return np.bincount(self.cuts[self.cuts >= 0], minlength=self.bounds.size).astype(np.float64)

    @property
    def top(self) -> float:
        """Largest value or bound."""
        return float(max([self.values[-1], *self.bounds[-1:]]))


def sample_of(x: FloatArray, censored: NDArray[np.bool_], blocks: IntArray, *, dependent: bool) -> Sample:
    """Prepare observations; where censoring depends on the value, only what lies below it is read.

    With a limit on durations, a size at which an avalanche was cut says little about what it would have become: thin
    avalanches are cut at small sizes, and would have ended soon. Such bounds are used up to the point where there are
    0.05 √n of them, too few to shift an estimate by more than about a twentieth of its standard error; beyond it, all
    avalanches, cut or not, count as "at least as large as this".
    """
    top = few_bounds(x, censored) if dependent else None
    if top is not None:
        censored = censored | (x >= top)
        x = np.minimum(x, top)
    values, event_places = np.unique(x[~censored], return_inverse=True)
    bounds, cut_places = np.unique(x[censored], return_inverse=True)
    events, cuts = np.full(x.size, -1), np.full(x.size, -1)
    events[~censored], cuts[censored] = event_places, cut_places
    return Sample(values, bounds, events, cuts, blocks, bool((x == np.round(x)).all()))


def few_bounds(x: NDArray[Any], censored: NDArray[np.bool_]) -> float | None:
    """The bound below which there are 0.05 √n others; `None` where there are no more."""
    cut = np.sort(x[censored])
    allowed = int(0.05 * math.sqrt(x.size))
    return float(cut[allowed]) if cut.size > allowed else None
