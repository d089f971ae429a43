"""Avalanches of a graph in time: causal webs, which may overlap in time without being one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from phasescope.measures.arrays import as_numpy
from phasescope.measures.avalanches import Avalanches

IntArray = NDArray[np.int64]


def causal_avalanches(raster: ArrayLike, links: ArrayLike, *, delay: int = 1) -> Avalanches:
    """Connected sets of events in which every link is one along which an event may have caused another [1].

    An event of unit i in bin t is linked to one of unit j in bin t + delay if the graph has a link i → j. Two cascades
    far apart in the network stay two avalanches though they run at the same time, where runs of non-empty bins join
    them; with a steady drive that is the difference between many avalanches and one that never ends.

    Args:
        raster: Events, shape `(n_units, n_bins)`; a unit that is active in a bin counts by its number of events there.
        links: Pairs (from, to) of units, shape `(n_links, 2)`; a unit that sustains itself needs the pair (i, i).
        delay: Bins from cause to effect.

    Returns:
        Size (events), duration (bins from first to last event) and profile of each web, in order of their first event.
        Those with an event in the first or last `delay` bins are marked as censored.

    Raises:
        ValueError: If raster or links are not of that form, or there is no event.

    References:
        [1] Williams-García, Beggs & Ortiz (2017), Europhysics Letters 119, 18003.

    Example:
        >>> raster = np.zeros((4, 6), dtype=int)
        >>> raster[0, 1] = raster[1, 2] = raster[3, 2] = 1  # 0 causes 1; 3 is on its own
        >>> causal_avalanches(raster, [[0, 1], [1, 2], [2, 3]]).sizes.tolist()
        [2.0, 1.0]
    """
    events = as_numpy(raster)
    if events.ndim != 2 or events.dtype.kind not in "bui" or events.size == 0:
        raise ValueError(
            f"raster needs booleans or whole numbers of shape (n_units, n_bins); it has dtype {events.dtype} and shape "
            f"{events.shape}"
        )
    n_units, n_bins = events.shape
    pairs = as_numpy(links)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "ui":
        raise ValueError(f"links need pairs of units, shape (n_links, 2); they have shape {pairs.shape}")
    if pairs.size and (pairs.min() < 0 or pairs.max() >= n_units):
        raise ValueError(f"links name units {pairs.min()} … {pairs.max()}, the raster has units 0 … {n_units - 1}")
    if not 1 <= delay < n_bins:
        raise ValueError(f"delay must lie in 1 … {n_bins - 1} bins; got {delay}")
    times, units = np.nonzero(events.T)  # in order of time
    if times.size == 0:
        raise ValueError(
            f"the raster is silent in all {n_bins} bins, so it has no avalanche; lower the event threshold"
        )
    node = np.full((n_bins, n_units), -1, dtype=np.int64)
    node[times, units] = np.arange(times.size)
    causes, effects = _edges(node, np.asarray(pairs, dtype=np.int64), times, units, delay)
    graph = csr_array((np.ones(causes.size, dtype=np.int8), (causes, effects)), shape=(times.size, times.size))
    _, labels = connected_components(graph, directed=False)
    _, firsts, labels = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(firsts.size, dtype=np.int64)
    rank[np.argsort(firsts, kind="stable")] = np.arange(firsts.size)
    labels = rank[labels]
    weights = events[units, times].astype(np.float64)
    starts = np.full(firsts.size, n_bins)
    stops = np.zeros(firsts.size, dtype=np.int64)
    np.minimum.at(starts, labels, times)
    np.maximum.at(stops, labels, times)
    durations = stops - starts + 1
    offsets = np.concatenate(([0], np.cumsum(durations)))
    places = offsets[labels] + times - starts[labels]
    profiles = np.bincount(places, weights=weights, minlength=int(offsets[-1])).astype(np.float64)
    return Avalanches(
        sizes=np.bincount(labels, weights=weights).astype(np.float64),
        durations=durations,
        censored=(starts < delay) | (stops >= n_bins - delay),
        profiles=profiles,
        offsets=offsets,
        n_bins=n_bins,
    )


def _edges(node: IntArray, pairs: IntArray, times: IntArray, units: IntArray, delay: int) -> tuple[IntArray, IntArray]:
    """Pairs of events that a link may connect, as places among the events."""
    order = np.argsort(pairs[:, 0], kind="stable")
    targets = pairs[order, 1]
    first = np.searchsorted(pairs[order, 0], np.arange(node.shape[1] + 1))
    degree = np.diff(first)[units]
    causes = np.repeat(np.arange(times.size), degree)
    within = np.arange(causes.size) - np.repeat(np.cumsum(degree) - degree, degree)
    later = times[causes] + delay
    inside = later < node.shape[0]
    causes, within, later = causes[inside], within[inside], later[inside]
    effects = node[later, targets[first[units[causes]] + within]]
    return causes[effects >= 0], effects[effects >= 0]
