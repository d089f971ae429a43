"""The Manna sandpile, whose topplings are random: the simplest one that scales simply in two dimensions (compiled)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.avalanches import Avalanches
from phasescope.synthetic.lattice import SINK, neighbor_table
from phasescope.synthetic.sandpile import MAX_SITES, SandpileRun, batch_mean
from phasescope.synthetic.watching import Watch, stretches

THRESHOLD = 2
START_DENSITY = {1: 0.95, 2: 0.68}  # near the stationary one, so that little is left to the warm-up
WARMUP_GRAINS_PER_SITE = 2


def manna_sandpile(
    size: int,
    *,
    n_grains: int,
    dimension: int = 2,
    warmup_grains: int | None = None,
    watch: Watch | None = None,
    rng: np.random.Generator,
) -> SandpileRun:
    """Drop grains one at a time on the Manna sandpile (Abelian version) and record every avalanche.

    A site with two grains or more topples: two of them go to neighbors, each drawn at random [1, 2]. Boundaries are
    open. In two dimensions τ = 1.273(2), D = 2.750(6), and durations scale with L^1.532(8); in one, D = 2.253(14) [3].

    Args:
        size: Linear size L; the lattice has L^`dimension` sites.
        n_grains: Grains dropped on sites drawn at random, and recorded.
        dimension: 1, 2, 3, …
        warmup_grains: Grains before that, not recorded; by default two per site, on a lattice near its final density.
        watch: Called now and then with the number of recorded grains so far and their sizes.
        rng: Source of randomness.

    Returns:
        The avalanches and the lattice; the duration counts parallel waves.

    Raises:
        ValueError: If an argument is out of its range.

    References:
        [1] Manna (1991), Journal of Physics A 24, L363.
        [2] Dhar (1999), Physica A 263, 4.
        [3] Huynh, Pruessner & Chew (2011), J. Stat. Mech. P09024, arXiv 1106.0406.
    """
    if size < 1 or dimension < 1 or n_grains < 1 or size**dimension > MAX_SITES:
        raise ValueError(
            f"need size, dimension and n_grains of at least 1 and at most {MAX_SITES} sites; got {size}, {dimension}, "
            f"{n_grains}"
        )
    if warmup_grains is not None and warmup_grains < 0:
        raise ValueError(f"warmup_grains is {warmup_grains}; it cannot be negative")
    shape = (size,) * dimension
    neighbors = neighbor_table(shape)
    n_sites = len(neighbors)
    pile = np.zeros(n_sites + 1, dtype=np.int32)
    pile[:-1] = rng.random(n_sites) < START_DENSITY.get(dimension, 0.6)
    pile[SINK] = -(2**30)
    warm = rng.integers(n_sites, size=WARMUP_GRAINS_PER_SITE * n_sites if warmup_grains is None else warmup_grains)
    grains = rng.integers(n_sites, size=n_grains)
    unstable = np.empty(n_sites + 2, dtype=np.int32)
    next_unstable = np.empty(n_sites + 2, dtype=np.int32)
    total = 0
    for drops, observer in ((warm, None), (grains, watch)):
        sizes, durations, areas = (np.zeros(drops.size, dtype=np.int64) for _ in range(3))
        for part in stretches(drops.size, sizes, observer):
            seen = np.full(n_sites + 1, -1, dtype=np.int64)
            kept = (sizes[part], durations[part], areas[part])
            total += _drive(pile, neighbors, drops[part], unstable, next_unstable, seen, *kept, rng)
    moved = np.flatnonzero(sizes)
    mean, error = batch_mean(sizes)
    return SandpileRun(
        estimate=mean,
        interval=(mean - 1.96 * error, mean + 1.96 * error),
        standard_error=error,
        avalanches=Avalanches(
            sizes=sizes[moved].astype(np.float64),
            durations=durations[moved],
            censored=np.zeros(moved.size, dtype=bool),
            profiles=np.empty(0),
            offsets=np.empty(0, dtype=np.int64),
            n_bins=0,
        ),
        areas=areas[moved],
        grain_of=moved,
        heights=pile[:-1].reshape(shape).copy(),
        n_grains=n_grains,
        total_topplings=total,
    )


@njit(cache=True)
def _drive(
    pile: NDArray[np.int32],
    neighbors: NDArray[np.int32],
    grains: NDArray[np.int64],
    unstable: NDArray[np.int32],
    next_unstable: NDArray[np.int32],
    seen: NDArray[np.int64],
    sizes: NDArray[np.int64],
    durations: NDArray[np.int64],
    areas: NDArray[np.int64],
    rng: np.random.Generator,
) -> int:
    """Drop the grains one by one; returns all topplings."""
    total = 0
    n_neighbors = neighbors.shape[1]
    for grain in range(grains.size):
        site = grains[grain]
        pile[site] += 1
        if pile[site] < THRESHOLD:
            continue
        unstable[0] = site
        n_unstable, size, duration, area = 1, 0, 0, 0
        while n_unstable > 0:
            size += n_unstable
            duration += 1
            n_next = 0
            for i in range(n_unstable):
                site = unstable[i]
                height = pile[site] - THRESHOLD
                pile[site] = height
                next_unstable[n_next] = site  # stays on the list if unstable still
                n_next += height >= THRESHOLD
                if seen[site] != grain:
                    seen[site] = grain
                    area += 1
            for i in range(n_unstable):
                for _ in range(THRESHOLD):
                    other = neighbors[unstable[i], int(rng.random() * n_neighbors)]
                    height = pile[other] + 1
                    pile[other] = height
                    next_unstable[n_next] = other
                    n_next += height == THRESHOLD
            unstable, next_unstable = next_unstable, unstable
            n_unstable = n_next
        sizes[grain], durations[grain], areas[grain] = size, duration, area
        total += size
    return total
