"""The Abelian sandpile on a lattice of any dimension, driven grain by grain (compiled)."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.avalanches import Avalanches
from phasescope.results import Result
from phasescope.synthetic.lattice import SINK, Boundary, neighbor_table
from phasescope.synthetic.watching import Watch, stretches

Drive = Literal["uniform", "center"]
DRIVES = ("uniform", "center")
WARMUP_GRAINS_PER_SITE = 2  # added to the full lattice before anything is counted
N_BATCHES = 50  # for the standard error of the mean, which consecutive avalanches correlate
MAX_SITES = 2**27


@dataclass(frozen=True, slots=True, kw_only=True)
class SandpileRun(Result):
    """Avalanches of a driven sandpile, and the lattice they left."""

    estimate: float  # mean number of topplings per grain
    interval: tuple[float, float]  # 95 %, from batches of consecutive grains
    standard_error: float  # of the estimate
    avalanches: Avalanches  # of at least one toppling
    areas: NDArray[np.int64]  # (n_avalanches,) sites that toppled at least once
    grain_of: NDArray[np.int64]  # (n_avalanches,) number of the grain that set it off
    heights: NDArray[np.int32]  # lattice shape; grains at the end
    n_grains: int
    total_topplings: int  # the warm-up included


def sandpile(
    size: int,
    *,
    n_grains: int,
    dimension: int = 2,
    boundary: Boundary = "open",
    dissipation: int = 0,
    drive: Drive = "uniform",
    heights: ArrayLike | None = None,
    warmup_grains: int | None = None,
    profiles: bool = False,
    watch: Watch | None = None,
    rng: np.random.Generator,
) -> SandpileRun:
    """Drop grains one at a time on the Abelian sandpile of Bak, Tang and Wiesenfeld and record every avalanche.

    A site with at least 2·`dimension` + `dissipation` grains topples: it loses that many and each neighbor gets one
    [1, 2]. Sites topple in parallel waves, whose number is the duration; sizes, areas and the final lattice do not
    depend on the order of topplings.

    Args:
        size: Linear size L; the lattice has L^`dimension` sites.
        n_grains: Grains dropped and recorded.
        dimension: 1, 2, 3, …
        boundary: `"open"`: grains leave at the faces. `"periodic"` needs dissipation, or no avalanche would end.
        dissipation: Grains lost at every toppling besides.
        drive: `"uniform"`: each grain falls on a site drawn at random. `"center"`: all on the middle site.
        heights: Grains to begin with, of lattice shape; by default the full stable lattice, and then `warmup_grains`.
        warmup_grains: Grains dropped at random and not recorded, by default two per site from the full lattice, or none
            if `heights` are given.
        profiles: Keep the topplings per wave.
        watch: Called now and then with the number of recorded grains so far and their sizes.
        rng: Source of randomness; only the sites of the grains are random.

    Returns:
        The avalanches and the lattice. `n_grains − len(avalanches)` grains moved nothing.

    Raises:
        ValueError: If an argument is out of its range, or grains could never leave.

    References:
        [1] Bak, Tang & Wiesenfeld (1987), Physical Review Letters 59, 381.
        [2] Dhar (1990), Physical Review Letters 64, 1613.

    Example:
        >>> run = sandpile(1, n_grains=8, rng=np.random.default_rng(0))
        >>> run.estimate, len(run.avalanches)  # one site topples at every fourth grain
        (0.25, 2)
    """
    shape = (size,) * dimension
    if size < 1 or dimension < 1 or n_grains < 1 or size**dimension > MAX_SITES:
        raise ValueError(
            f"need size, dimension and n_grains of at least 1 and at most {MAX_SITES} sites; got {size}, {dimension}, "
            f"{n_grains}"
        )
    if warmup_grains is not None and warmup_grains < 0:
        raise ValueError(f"warmup_grains is {warmup_grains}; it cannot be negative")
    if drive not in DRIVES:
        raise ValueError(f"drive is one of {DRIVES}, not {drive!r}")
    if dissipation < 0 or (boundary == "periodic" and dissipation == 0):
        raise ValueError(
            f"dissipation is {dissipation} with boundary {boundary!r}: grains must be able to leave, so it must be at "
            "least 1 on a periodic lattice, and never negative"
        )
    neighbors = neighbor_table(shape, boundary).view(np.uint32)
    n_sites, threshold = math.prod(shape), 2 * dimension + dissipation
    pile = np.full(n_sites + 1, threshold - 1, dtype=np.int32)
    if heights is not None:
        given = np.asarray(heights)
        if given.shape != shape or given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= threshold:
            raise ValueError(f"heights need whole numbers from 0 to {threshold - 1} of shape {shape}")
        pile[:-1] = given.ravel()
    pile[SINK] = -(2**30)
    if warmup_grains is None:
        warmup_grains = WARMUP_GRAINS_PER_SITE * n_sites if heights is None else 0
    work = _Work(n_sites)
    warm = rng.integers(n_sites, size=warmup_grains)
    total = int(_drive(pile, neighbors, threshold, warm, *work.arrays, *_records(warmup_grains)))
    middle = int(np.ravel_multi_index(tuple(length // 2 for length in shape), shape))
    grains = rng.integers(n_sites, size=n_grains) if drive == "uniform" else np.full(n_grains, middle)
    before = pile.copy()
    sizes, durations, areas = _records(n_grains)
    recorded = 0
    for part in stretches(n_grains, sizes, watch):
        kept_here = (sizes[part], durations[part], areas[part])
        recorded += int(_drive(pile, neighbors, threshold, grains[part], *work.arrays, *kept_here))
    moved = np.flatnonzero(sizes)
    kept, offsets = np.empty(0), np.empty(0, dtype=np.int64)
    if profiles:  # the same grains on the same lattice, now that the lengths are known
        offsets = np.concatenate(([0], np.cumsum(durations[moved])))
        kept = np.empty(offsets[-1])
        _waves(before, neighbors, threshold, grains, *work.arrays, kept)
    mean, error = batch_mean(sizes)
    return SandpileRun(
        estimate=mean,
        interval=(mean - 1.96 * error, mean + 1.96 * error),
        standard_error=error,
        avalanches=Avalanches(
            sizes=sizes[moved].astype(np.float64),
            durations=durations[moved],
            censored=np.zeros(moved.size, dtype=bool),
            profiles=kept,
            offsets=offsets,
            n_bins=0,
        ),
        areas=areas[moved],
        grain_of=moved,
        heights=pile[:-1].reshape(shape).copy(),
        n_grains=n_grains,
        total_topplings=total + recorded,
    )


def batch_mean(values: NDArray[np.int64] | NDArray[np.float64]) -> tuple[float, float]:
    """Mean of a stationary series, and its standard error from the spread of batch means."""
    mean = float(values.mean())
    if values.size < 2 * N_BATCHES:
        return mean, float(values.std(ddof=1) / math.sqrt(values.size)) if values.size > 1 else math.inf
    length = values.size // N_BATCHES
    means = values[: length * N_BATCHES].reshape(N_BATCHES, length).mean(axis=1)
    return mean, float(means.std(ddof=1) / math.sqrt(N_BATCHES))


@dataclasses.dataclass(slots=True)
class _Work:
    """Two lists of unstable sites that take turns, and the number of the last avalanche each site was in."""

    n_sites: int

    @property
    def arrays(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64]]:
        return (
            np.empty(self.n_sites + 2, dtype=np.uint32),
            np.empty(self.n_sites + 2, dtype=np.uint32),
            np.full(self.n_sites + 1, -1, dtype=np.int64),
        )


def _records(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    return np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)


@njit(cache=True)
def _topple_wave(
    pile: NDArray[np.int32],
    neighbors: NDArray[np.uint32],
    threshold: int,
    unstable: NDArray[np.uint32],
    n_unstable: int,
    next_unstable: NDArray[np.uint32],
    seen: NDArray[np.int64],
    grain: int,
) -> tuple[int, int]:
    """Every site of one list topples once; the sites that are unstable then fill the other.

    A site is listed when it crosses the threshold from below, or at its own toppling if it is unstable still: once,
    whatever the order. Sites are unsigned, because a signed index costs a test for negative ones at every access.

    Returns:
        Number of sites listed for the next wave, and of those that toppled for the first time.
    """
    n_next, n_fresh = 0, 0
    n_neighbors = np.uint64(neighbors.shape[1])
    for i in range(np.uint64(n_unstable)):
        site = unstable[i]
        n_fresh += seen[site] != grain
        seen[site] = grain
        height = pile[site] - threshold
        pile[site] = height
        # Written anyway and overwritten if stable: a branch here costs twice as much.
        next_unstable[np.uint64(n_next)] = site
        n_next += height >= threshold
        for j in range(n_neighbors):
            other = neighbors[site, j]
            height = pile[other] + 1
            pile[other] = height
            next_unstable[np.uint64(n_next)] = other
            n_next += height == threshold
    return n_next, n_fresh


@njit(cache=True)
def _drive(
    pile: NDArray[np.int32],
    neighbors: NDArray[np.uint32],
    threshold: int,
    grains: NDArray[np.int64],
    unstable: NDArray[np.uint32],
    next_unstable: NDArray[np.uint32],
    seen: NDArray[np.int64],
    sizes: NDArray[np.int64],
    durations: NDArray[np.int64],
    areas: NDArray[np.int64],
) -> int:
    """Drop the grains one by one; returns all topplings."""
    total = 0
    for grain in range(grains.size):
        site = np.uint32(grains[grain])
        pile[site] += 1
        if pile[site] < threshold:
            continue
        unstable[0] = site
        n_unstable, size, duration, area = 1, 0, 0, 0
        while n_unstable > 0:
            size += n_unstable
            duration += 1
            n_unstable, n_fresh = _topple_wave(
                pile, neighbors, threshold, unstable, n_unstable, next_unstable, seen, grain
            )
            area += n_fresh
            unstable, next_unstable = next_unstable, unstable
        sizes[grain], durations[grain], areas[grain] = size, duration, area
        total += size
    return total


@njit(cache=True)
def _waves(
    pile: NDArray[np.int32],
    neighbors: NDArray[np.uint32],
    threshold: int,
    grains: NDArray[np.int64],
    unstable: NDArray[np.uint32],
    next_unstable: NDArray[np.uint32],
    seen: NDArray[np.int64],
    kept: NDArray[np.float64],
) -> None:
    """Topplings per wave of the avalanches of the grains, one after the other."""
    at = 0
    for grain in range(grains.size):
        site = np.uint32(grains[grain])
        pile[site] += 1
        if pile[site] < threshold:
            continue
        unstable[0] = site
        n_unstable = 1
        while n_unstable > 0:
            kept[at] = n_unstable
            at += 1
            n_unstable, _ = _topple_wave(pile, neighbors, threshold, unstable, n_unstable, next_unstable, seen, grain)
            unstable, next_unstable = next_unstable, unstable
