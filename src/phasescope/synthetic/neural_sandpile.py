"""The neural sandpile: parameters in a line that topple onto their neighbors and, weakly, across layers (compiled).

The rule is that of the literature on self-organized criticality in training: stress accumulates on parameters, one at
threshold 4 resets by 4 and hands a share to each neighbor and a weaker one to the parameters ten places away. The
published shares add up to 2.6 of the 4, so every toppling destroys 1.4: the rule is dissipative in the bulk, and the
mean number of topplings per drive cannot exceed drive / 1.4 however large the system. The conservative variant scales
the shares to add up to 4; then stress leaves at the ends only.

Where the published description is silent, this is assumed: shares of 1 to each of the two neighbors and 0.3 to each of
the two places ten away; drives of 0.5 (nine in ten) or 2 (one in ten) on a parameter drawn at random; topplings in
parallel waves; links that would end outside the line lose what they carry.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from phasescope.measures.arrays import as_numpy
from phasescope.measures.avalanches import Avalanches
from phasescope.synthetic.lattice import SINK
from phasescope.synthetic.sandpile import SandpileRun, batch_mean
from phasescope.synthetic.watching import Watch, stretches

THRESHOLD = 4.0
NEAR_SHARE, FAR_SHARE, FAR_DISTANCE = 1.0, 0.3, 10
SMALL_DRIVE, LARGE_DRIVE, LARGE_DRIVE_PROBABILITY = 0.5, 2.0, 0.1
WARMUP_DRIVES_PER_SITE = 20
MAX_TOPPLINGS_PER_SITE = 100_000  # of one avalanche, before the rule is called one that never ends


def line_with_far_links(
    n_sites: int, *, near: float = NEAR_SHARE, far: float = FAR_SHARE, distance: int = FAR_DISTANCE
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Neighbors `(n_sites, 4)` and their shares, of the same shape: the two next ones and the two at a distance.

    What lies outside the line is the sink, `n_sites`.
    """
    site = np.arange(n_sites)
    columns = [site - 1, site + 1, site - distance, site + distance]
    neighbors = np.stack([np.where((column >= 0) & (column < n_sites), column, n_sites) for column in columns], axis=1)
    shares = np.broadcast_to(np.array([near, near, far, far]), neighbors.shape).copy()
    return neighbors.astype(np.int32), shares


def neural_sandpile(
    n_sites: int,
    *,
    n_drives: int,
    conservative: bool = False,
    graph: tuple[ArrayLike, ArrayLike] | None = None,
    warmup_drives: int | None = None,
    watch: Watch | None = None,
    rng: np.random.Generator,
) -> SandpileRun:
    """Drive the neural sandpile and record every avalanche.

    Args:
        n_sites: Number of parameters.
        n_drives: Drives that are recorded.
        conservative: Scale the shares of a site to add up to the 4 it loses; as published they add up to 2.6.
        graph: Neighbors (indices, `n_sites` for what leaves) and shares, both `(n_sites, n_links)`, instead of
            the line with links at distance ten.
        warmup_drives: Drives before that, not recorded; by default twenty per site.
        watch: Called now and then with the number of recorded drives so far and the sizes they caused.
        rng: Source of randomness.

    Returns:
        The avalanches (size in topplings, duration in waves) and the final stress, in `heights`, rounded down.

    Raises:
        ValueError: If an argument is out of its range, shares exceed 4, or an avalanche cannot end.
    """
    warm = WARMUP_DRIVES_PER_SITE * n_sites if warmup_drives is None else warmup_drives
    if n_sites < 1 or n_drives < 1 or warm < 0:
        raise ValueError(
            f"sites and drives must be at least 1, and drives of the warm-up not negative; got {n_sites}, {n_drives} "
            f"and {warm}"
        )
    neighbors, shares = line_with_far_links(n_sites) if graph is None else _checked(graph, n_sites)
    if conservative:
        totals = shares.sum(axis=1, keepdims=True)
        if totals.min() <= 0:
            raise ValueError(f"site {int(totals.argmin())} hands on nothing, which no scaling makes conservative")
        shares = shares * (THRESHOLD / totals)
    if shares.sum(axis=1).max() > THRESHOLD * (1 + 1e-12):
        raise ValueError(
            f"a site hands on {shares.sum(axis=1).max():g} and loses {THRESHOLD:g}: stress would grow without end; "
            "lower the shares"
        )
    if graph is not None:
        _check_exits(neighbors, shares)
    stress = np.zeros(n_sites + 1)
    stress[:-1] = THRESHOLD * rng.random(n_sites)
    stress[SINK] = -np.inf
    unsigned = np.ascontiguousarray(neighbors).view(np.uint32)  # a signed index costs a test for negative ones
    waves = np.empty((2, n_sites + 2), dtype=np.uint32)
    total, limit = 0, MAX_TOPPLINGS_PER_SITE * n_sites
    for n, observer in ((warm, None), (n_drives, watch)):
        sites = rng.integers(n_sites, size=n)
        drives = np.where(rng.random(n) < LARGE_DRIVE_PROBABILITY, LARGE_DRIVE, SMALL_DRIVE)
        sizes, durations, areas = (np.zeros(n, dtype=np.int64) for _ in range(3))
        for part in stretches(n, sizes, observer):
            seen = np.full(n_sites + 1, -1, dtype=np.int64)
            kept = (sizes[part], durations[part], areas[part])
            topplings = _drive(stress, unsigned, shares, sites[part], drives[part], waves, seen, *kept, limit)
            if topplings < 0:
                raise ValueError(
                    f"an avalanche passed {MAX_TOPPLINGS_PER_SITE} topplings per site and was given up; too little "
                    f"leaves this graph: give more links the sink, {n_sites}, for their end"
                )
            total += topplings
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
        heights=stress[:-1].astype(np.int32),
        n_grains=n_drives,
        total_topplings=total,
    )


def _checked(graph: tuple[ArrayLike, ArrayLike], n_sites: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Neighbors and shares of a graph from outside."""
    neighbors, shares = as_numpy(graph[0]), np.asarray(as_numpy(graph[1]), dtype=np.float64)
    if neighbors.ndim != 2 or neighbors.shape != shares.shape or len(neighbors) != n_sites:
        raise ValueError(
            f"graph needs neighbors and shares of one shape ({n_sites}, n_links); they have {neighbors.shape} and "
            f"{shares.shape}"
        )
    if neighbors.dtype.kind not in "iu" or neighbors.min() < 0 or neighbors.max() > n_sites:
        raise ValueError(f"neighbors are whole numbers in 0 … {n_sites} (the sink)")
    if not np.isfinite(shares).all() or shares.min() < 0:
        raise ValueError("shares are finite numbers, and not negative")
    return neighbors.astype(np.int32), shares


def _check_exits(neighbors: NDArray[np.int32], shares: NDArray[np.float64]) -> None:
    """Every site must have a way to the sink, or to a site that destroys stress, or some avalanche never ends."""
    n_sites, n_links = neighbors.shape
    used = shares.ravel() > 0
    ends, starts = neighbors.ravel()[used], np.repeat(np.arange(n_sites), n_links)[used]
    leaks = np.flatnonzero(shares.sum(axis=1) < THRESHOLD * (1 - 1e-12))
    ends = np.concatenate([ends, np.full(leaks.size, n_sites)])
    starts = np.concatenate([starts, leaks])
    backwards = coo_array((np.ones(ends.size), (ends, starts)), shape=(n_sites + 1, n_sites + 1)).tocsr()
    reached = breadth_first_order(backwards, n_sites, return_predecessors=False)
    if reached.size <= n_sites:
        closed = np.setdiff1d(np.arange(n_sites), reached)
        raise ValueError(
            f"nothing leaves this graph from {closed.size} of its {n_sites} sites, site {closed[0]} among them, so an "
            f"avalanche there would never end: give some links the sink, {n_sites}, for their end, or lower the shares"
        )


@njit(cache=True)
def _drive(
    stress: NDArray[np.float64],
    neighbors: NDArray[np.uint32],
    shares: NDArray[np.float64],
    sites: NDArray[np.int64],
    drives: NDArray[np.float64],
    waves: NDArray[np.uint32],
    seen: NDArray[np.int64],
    sizes: NDArray[np.int64],
    durations: NDArray[np.int64],
    areas: NDArray[np.int64],
    limit: int,
) -> int:
    """Drive the sites one by one; returns all topplings, or −1 if an avalanche passes the limit."""
    total = 0
    n_links = np.uint64(neighbors.shape[1])
    unstable, next_unstable = waves[0], waves[1]
    for at in range(sites.size):
        site = np.uint32(sites[at])
        stress[site] += drives[at]
        if stress[site] < THRESHOLD:
            continue
        unstable[0] = site
        n_unstable, size, duration, area = 1, 0, 0, 0
        while n_unstable > 0:
            size += n_unstable
            duration += 1
            n_next = 0
            for i in range(np.uint64(n_unstable)):
                site = unstable[i]
                area += seen[site] != at
                seen[site] = at
                stress[site] -= THRESHOLD
                next_unstable[np.uint64(n_next)] = site  # stays on the list if unstable still
                n_next += stress[site] >= THRESHOLD
                for j in range(n_links):
                    other = neighbors[site, j]
                    before = stress[other]
                    after = before + shares[site, j]
                    stress[other] = after
                    next_unstable[np.uint64(n_next)] = other
                    n_next += before < THRESHOLD and after >= THRESHOLD
            unstable, next_unstable = next_unstable, unstable
            n_unstable = n_next
            if size > limit:
                return -1
        sizes[at], durations[at], areas[at] = size, duration, area
        total += size
    return total
