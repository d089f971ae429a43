"""Avalanches of a network: its activations over a stream of inputs, and whether they look critical."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from phasescope.measures.activation_avalanches import (
    THRESHOLD,
    activation_counts,
    activation_raster,
    depth_avalanches,
    separating_level,
    token_avalanches,
)
from phasescope.measures.avalanche_scan import AvalancheScan, scan_of
from phasescope.measures.criticality import CALLED_CRITICAL, TOO_LITTLE, Criticality, criticality, criticality_among
from phasescope.measures.surrogate_comparison import Reading, Surrogates
from phasescope.measures.surrogates import time_shuffled
from phasescope.recorders.activations import MAX_TOKENS, MAX_UNITS, record_activations
from phasescope.results import Result

BIN_SIZES = (1, 2, 4)
STEPS = (-0.5, 0.0, 0.5, 1.0)  # of the scanned thresholds from the chosen one, in standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAvalanches(Result):
    """Avalanches of activations, along the sequence and through the layers."""

    called_critical: bool  # over tokens or over depth
    over_tokens: Criticality
    over_depth: Criticality | None  # None of a single layer
    scan: (
        AvalancheScan | None
    )  # over tokens, by threshold and bin size; None where no setting has avalanches, or not asked
    modules: tuple[str, ...]  # empty where arrays were given
    threshold: float  # standard deviations of a unit
    level: float  # firing units that a bin has to exceed over tokens
    active_share: float  # of units × tokens that fire
    n_tokens: int
    n_units: int  # read, of all layers


def network_avalanches(
    model: nn.Module,
    batches: Iterable[Any],
    modules: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    scan: bool = True,
    max_units: int = MAX_UNITS,
    max_tokens: int = MAX_TOKENS,
    forward: Callable[[Any], Any] | None = None,
    rng: np.random.Generator,
) -> NetworkAvalanches:
    """Record activations and judge whether their avalanches look critical.

    What is read over tokens belongs to network *and* inputs: a stream with bursts makes any network burst. Hold it
    against the same network before training on the same inputs, and against `shuffled` inputs.

    Args:
        model: Any module.
        batches: Inputs in their order, as `record_activations` takes them.
        modules: Names of modules, from input to output.
        threshold: Standard deviations by which a unit exceeds its own mean when it fires.
        scan: Whether exponents are read at other thresholds and bin sizes too.
        max_units: Units read of a layer.
        max_tokens: Tokens read.
        forward: How a batch enters the model, if not as `model(batch)`.
        rng: Source of randomness for the units that are read and for surrogates.

    Returns:
        The verdicts and what they rest on.

    Raises:
        ValueError: If activations cannot be recorded, or fewer than 10 tokens came.
    """
    found = record_activations(
        model, batches, modules, max_units=max_units, max_tokens=max_tokens, forward=forward, rng=rng
    )
    return judged_activations(
        found.layers, threshold=threshold, scan=scan, modules=found.modules, caveats=found.caveats, rng=rng
    )


def judged_activations(
    layers: Sequence[ArrayLike],
    *,
    threshold: float = THRESHOLD,
    scan: bool = True,
    modules: Sequence[str] = (),
    caveats: tuple[str, ...] = (),
    rng: np.random.Generator,
) -> NetworkAvalanches:
    """Judge activations that were recorded already.

    Surrogates over tokens are those of `criticality`. Over depth they are the same units of each layer at tokens drawn
    anew for every layer: what one layer hands to the next is gone, and how many units of it fire is kept.

    Args:
        layers: Activations of shape `(n_tokens, n_units)`, one array per layer from input to output.
        threshold: In standard deviations of a unit.
        scan: Whether exponents are read at other thresholds and bin sizes too.
        modules: Names of the layers.
        caveats: Sentences on how they were recorded.
        rng: Source of randomness for the surrogates.

    Returns:
        The verdicts and what they rest on.
    """
    counts = activation_counts(layers, threshold=threshold)
    total = counts.sum(axis=0)
    level = separating_level(total)
    raster = activation_raster(layers, threshold=threshold)
    over_tokens = _or_too_little(lambda: criticality(raster, threshold=level or None, rng=rng))
    over_depth = _or_too_little(lambda: _over_depth(counts, rng)) if len(counts) > 1 else None
    judged = [one for one in (over_tokens, over_depth) if one is not None]
    if level:
        caveats += (f"some unit fires at nearly every token; avalanches are excursions above {level:g} firing units",)
    return NetworkAvalanches(
        called_critical=any(one.verdict in CALLED_CRITICAL for one in judged),
        over_tokens=over_tokens,
        over_depth=over_depth,
        scan=_scan(layers, threshold) if scan else None,
        modules=tuple(modules),
        threshold=threshold,
        level=level,
        active_share=float(raster.mean()),
        n_tokens=raster.shape[1],
        n_units=raster.shape[0],
        caveats=caveats,
    )


def shuffled(layers: Sequence[ArrayLike], *, jointly: bool = False, rng: np.random.Generator) -> list[NDArray[Any]]:
    """The same activations at tokens in random order.

    Args:
        layers: Activations of shape `(n_tokens, n_units)`.
        jointly: Whether all units of all layers take the same order, which keeps what happens at one token together;
            otherwise each unit takes its own.
        rng: Source of randomness.

    Returns:
        Arrays of the same shapes.
    """
    arrays = [np.asarray(layer) for layer in layers]
    order = rng.permutation(len(arrays[0]))
    return [array[order] if jointly else time_shuffled(array.T, rng=rng).T for array in arrays]


def _over_depth(counts: NDArray[np.int64], rng: np.random.Generator) -> Criticality:
    level = separating_level(counts)
    found = depth_avalanches(counts, level=level)

    def mixed() -> Reading:
        return Reading(depth_avalanches(time_shuffled(counts, rng=rng), level=level))

    return criticality_among(found, [Surrogates("token-shuffled", Reading(found), mixed)])


def _or_too_little(judge: Callable[[], Criticality]) -> Criticality:
    """A network whose units fire never or always has no avalanches; that is an answer."""
    try:
        return judge()
    except ValueError as error:
        return Criticality(verdict=TOO_LITTLE, reason=str(error), exponents=None, surrogates=(), n=0)


def _scan(layers: Sequence[ArrayLike], threshold: float) -> AvalancheScan | None:
    counts = {threshold + step: activation_counts(layers, threshold=threshold + step) for step in STEPS}
    try:
        return scan_of(lambda at, bin_size: token_avalanches(counts[at], bin_size=bin_size), list(counts), BIN_SIZES)
    except ValueError:
        return None
