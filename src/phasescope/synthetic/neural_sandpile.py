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

from phasescope.measures.arrays import as_numpy
from phasescope.measures.avalanches import Avalanches
from phasescope.synthetic.lattice import SINK
from phasescope.synthetic.sandpile import SandpileRun, batch_mean

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
        rng: Source of randomness.

    Returns:
        The avalanches (size in topplings, duration in waves) and the final stress, in `heights`, rounded down.

    Raises:
        ValueError: If an argument is out of its range, shares exceed 4, or an avalanche does not end.
    """
    if n_sites < 1 or n_drives < 1:
        raise ValueError(f"sites and drives must be at least 1; got {n_sites} and {n_drives}")
    if graph is None:
        neighbors, shares = line_with_far_links(n_sites)
    else:
        neighbors = np.asarray(as_numpy(graph[0]), dtype=np.int32)
        shares = np.asarray(as_numpy(graph[1]), dtype=np.float64)
        if neighbors.ndim != 2 or neighbors.shape != shares.shape or len(neighbors) != n_sites:
            raise ValueError(
                f"graph needs neighbors and shares of one shape ({n_sites}, n_links); they have {neighbors.shape} and "
                f"{shares.shape}"
            )
        if neighbors.min() < 0 or neighbors.max() > n_sites or shares.min() < 0:
            raise ValueError(f"neighbors lie in 0 … {n_sites} (the sink) and shares are not negative")
    if conservative:
        shares = shares * (THRESHOLD / shares.sum(axis=1, keepdims=True))
    if shares.sum(axis=1).max() > THRESHOLD * (1 + 1e-12):
        raise ValueError(
            f"a site hands on {shares.sum(axis=1).max():g} and loses {THRESHOLD:g}: stress would grow without end; "
            "lower the shares"
        )
    warm = WARMUP_DRIVES_PER_SITE * n_sites if warmup_drives is None else warmup_drives
    stress = np.zeros(n_sites + 1)
    stress[:-1] = THRESHOLD * rng.random(n_sites)
    stress[SINK] = -np.inf
    waves = np.empty((2, n_sites + 2), dtype=np.int32)
    totals, records = [], []
    limit = MAX_TOPPLINGS_PER_SITE * n_sites
    for n in (warm, n_drives):
        sites = rng.integers(n_sites, size=n)
        drives = np.where(rng.random(n) < LARGE_DRIVE_PROBABILITY, LARGE_DRIVE, SMALL_DRIVE)
        kept = np.zeros((3, n), dtype=np.int64)
        seen = np.full(n_sites + 1, -1, dtype=np.int64)
        total = _drive(stress, neighbors, shares, sites, drives, waves, seen, kept[0], kept[1], kept[2], limit)
        if total < 0:
            raise ValueError(
                f"an avalanche passed {MAX_TOPPLINGS_PER_SITE} topplings per site and was given up; nothing "
                "leaves this graph: give some links the sink for their end"
            )
        totals.append(total)
        records.append(kept)
    sizes, durations, areas = records[1]
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
        total_topplings=int(sum(totals)),
    )


@njit(cache=True)
def _drive(
    stress: NDArray[np.float64],
    neighbors: NDArray[np.int32],
    shares: NDArray[np.float64],
    sites: NDArray[np.int64],
    drives: NDArray[np.float64],
    waves: NDArray[np.int32],
    seen: NDArray[np.int64],
    sizes: NDArray[np.int64],
    durations: NDArray[np.int64],
    areas: NDArray[np.int64],
    limit: int,
) -> int:
    """Drive the sites one by one; returns all topplings, or −1 if an avalanche passes the limit."""
    total = 0
    n_links = neighbors.shape[1]
    unstable, next_unstable = waves[0], waves[1]
    for at in range(sites.size):
        site = sites[at]
        stress[site] += drives[at]
        if stress[site] < THRESHOLD:
            continue
        unstable[0] = site
        n_unstable, size, duration, area = 1, 0, 0, 0
        while n_unstable > 0:
            size += n_unstable
            duration += 1
            n_next = 0
            for i in range(n_unstable):
                site = unstable[i]
                stress[site] -= THRESHOLD
                next_unstable[n_next] = site  # stays on the list if unstable still
                n_next += stress[site] >= THRESHOLD
                if seen[site] != at:
                    seen[site] = at
                    area += 1
            for i in range(n_unstable):
                for j in range(n_links):
                    other = neighbors[unstable[i], j]
                    before = stress[other]
                    after = before + shares[unstable[i], j]
                    stress[other] = after
                    next_unstable[n_next] = other
                    n_next += before < THRESHOLD and after >= THRESHOLD
            unstable, next_unstable = next_unstable, unstable
            n_unstable = n_next
            if size > limit:
                return -1
        sizes[at], durations[at], areas[at] = size, duration, area
        total += size
    return total
