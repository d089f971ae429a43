"""Avalanches: stretches of activity between silences, with their sizes, durations and profiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy
from phasescope.results import Result

CutBy = Literal["duration", "size"]  # what ended censored avalanches; the end of a record is a limit on the duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Avalanches(Result):
    """Avalanches in the order in which they occurred."""

    sizes: NDArray[np.float64]  # (n,) events, topplings, or area above a threshold
    durations: NDArray[np.int64]  # (n,) time bins or generations
    censored: NDArray[
        np.bool_
    ]  # (n,) cut by an end of the record or a stated limit: size and duration are lower bounds
    profiles: NDArray[np.float64]  # (total bins,) activity of one avalanche after the other; empty where not kept
    offsets: NDArray[np.int64]  # (n + 1,) avalanche i has profiles[offsets[i] : offsets[i + 1]]; (0,) where not kept
    n_bins: int  # length of the record; 0 where the avalanches are separate trials

    def __post_init__(self) -> None:
        n = self.sizes.shape
        if self.durations.shape != n or self.censored.shape != n or self.sizes.ndim != 1:
            raise ValueError(
                f"sizes, durations and censored need one shape (n,); they have {n}, {self.durations.shape} and "
                f"{self.censored.shape}"
            )
        if self.offsets.size not in (0, self.sizes.size + 1):
            raise ValueError(f"offsets need {self.sizes.size + 1} entries for {self.sizes.size} avalanches, or none")

    def __len__(self) -> int:
        return len(self.sizes)


def separate_avalanches(
    sizes: ArrayLike, durations: ArrayLike, *, censored: ArrayLike | None = None, caveats: tuple[str, ...] = ()
) -> Avalanches:
    """Avalanches that are trials of their own, known by size and duration alone.

    Args:
        sizes: Shape `(n,)`, in any unit.
        durations: Whole numbers ≥ 1, shape `(n,)`.
        censored: Which of them were cut, shape `(n,)`; none by default.
        caveats: Sentences to keep with them.
    """
    size_array = np.asarray(as_numpy(sizes), dtype=np.float64)
    return Avalanches(
        sizes=size_array,
        durations=np.asarray(as_numpy(durations), dtype=np.int64),
        censored=np.zeros(size_array.shape, dtype=bool) if censored is None else np.asarray(censored, dtype=bool),
        profiles=np.empty(0),
        offsets=np.empty(0, dtype=np.int64),
        n_bins=0,
        caveats=caveats,
    )


def correlated_blocks(found: Avalanches, block: int | None) -> NDArray[np.int64]:
    """Number of the block of neighboring avalanches that each belongs to, for errors that allow for correlation.

    Args:
        found: Avalanches in their order.
        block: Length of the blocks; by default 2 n^⅓ in a record and 1 for separate trials, but at most n/10.

    Returns:
        Block numbers from 0 on, shape `(n,)`.

    Raises:
        ValueError: If there would be fewer than ten blocks.
    """
    n = len(found)
    longest = max(1, n // 10)
    length = block if block is not None else min(longest, math.ceil(2 * n ** (1 / 3)) if found.n_bins else 1)
    if not 1 <= length <= longest:
        raise ValueError(f"block must lie in 1 … {longest}, so that there are ten of them; got {length}")
    return np.arange(n) // length


def avalanches(raster: ArrayLike, *, bin_size: int = 1) -> Avalanches:
    """Avalanches of a raster of events: runs of bins with at least one event, between empty bins [1].

    Args:
        raster: Events per unit and time bin, shape `(n_units, n_bins)`, or already summed over units, `(n_bins,)`;
            booleans or whole numbers ≥ 0.
        bin_size: Neighboring bins that are joined into one; a last incomplete one is left out.

    Returns:
        Size (events), duration (bins) and profile of each; the one cut by either end of the record is marked.

    Raises:
        ValueError: If the raster is not of that form, is silent in all bins, or in none.

    References:
        [1] Beggs & Plenz (2003), Journal of Neuroscience 23, 11167.

    Example:
        >>> found = avalanches([0, 1, 2, 0, 0, 3, 0])
        >>> found.sizes.tolist(), found.durations.tolist()
        ([3.0, 3.0], [2, 1])
    """
    activity = _activity(raster, bin_size)
    n_bins = activity.size
    silent = int(np.count_nonzero(activity == 0))
    if silent == n_bins:
        raise ValueError(
            f"the raster is silent in all {n_bins} bins, so it has no avalanche; lower the event threshold"
        )
    if silent == 0:
        raise ValueError(
            f"the raster is active in each of its {n_bins} bins, so no avalanche ever ends; raise the event threshold, "
            "take shorter bins, or read the area above a level with avalanches_of_signal"
        )
    return _runs(activity, activity > 0)


def avalanches_of_signal(signal: ArrayLike, *, threshold: float) -> Avalanches:
    """Avalanches of a continuous signal: its excursions above a threshold, the size being the area *above* it.

    The area down to zero would add threshold · duration to every size and bend the relation of size and duration; even
    so a threshold splits long excursions, and the exponents of short ones are those of the noise [1]. Scan over
    thresholds, and compare with surrogates.

    Args:
        signal: Shape `(n_bins,)`.
        threshold: In the unit of the signal.

    Returns:
        Size (area above the threshold), duration (bins) and profile (height above it) of each.

    Raises:
        ValueError: If the signal is never or always above the threshold.

    References:
        [1] Villegas, di Santo, Burioni & Muñoz (2019), Physical Review E 100, 012133.
    """
    values = np.asarray(as_numpy(signal), dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"signal needs finite numbers of shape (n_bins,); it has shape {values.shape}")
    above = values > threshold
    if above.all() or not above.any():
        state = "always above" if above.all() else "never above"
        raise ValueError(
            f"the signal is {state} the threshold {threshold:g} (it is {values.min():g} … {values.max():g}), so "
            "it has no avalanches; take one in between"
        )
    return _runs(np.where(above, values - threshold, 0.0), above)


def _activity(raster: ArrayLike, bin_size: int) -> NDArray[np.float64]:
    events = as_numpy(raster)
    if events.ndim not in (1, 2) or events.size == 0:
        raise ValueError(f"raster needs shape (n_units, n_bins) or (n_bins,); it has shape {events.shape}")
    if events.dtype.kind == "f" and np.isfinite(events).all() and (events == np.round(events)).all():
        events = events.astype(np.int64)
    if events.dtype.kind not in "bui" or (events.dtype.kind == "i" and events.min() < 0):
        raise ValueError(
            "raster needs booleans or whole numbers ≥ 0; for a continuous signal use avalanches_of_signal, or cross a "
            "threshold first"
        )
    if bin_size < 1 or events.shape[-1] < bin_size:
        raise ValueError(f"bin_size must lie in 1 … {events.shape[-1]} (the record's length); got {bin_size}")
    activity = events.sum(axis=0, dtype=np.int64) if events.ndim == 2 else events.astype(np.int64)
    whole = activity.size // bin_size * bin_size
    return np.asarray(activity[:whole].reshape(-1, bin_size).sum(axis=1), dtype=np.float64)


def _runs(activity: NDArray[np.float64], active: NDArray[np.bool_]) -> Avalanches:
    """Runs of active bins."""
    edges = np.diff(np.concatenate(([0], active.view(np.int8), [0])))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    total = np.concatenate(([0.0], np.cumsum(activity)))
    durations = stops - starts
    return Avalanches(
        sizes=total[stops] - total[starts],
        durations=durations,
        censored=(starts == 0) | (stops == activity.size),
        profiles=activity[active],
        offsets=np.concatenate(([0], np.cumsum(durations))),
        n_bins=activity.size,
    )
