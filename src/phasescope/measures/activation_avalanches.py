"""Avalanches of a network's activations: threshold crossings per unit z-score, over tokens or over depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.avalanches import Avalanches, avalanches, avalanches_of_signal

THRESHOLD = 2.0  # standard deviations of a unit over the tokens


def activation_raster(layers: Sequence[ArrayLike], *, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """Where units exceed their own mean by a number of their own standard deviations.

    Per-unit z-scores keep a layer with large activations from being the only one that fires. Constant units never fire.

    Args:
        layers: Activations, one array of shape `(n_tokens, n_units)` per layer, the same tokens in each.
        threshold: In standard deviations of the unit over the tokens; negative to count falls below.

    Returns:
        Shape `(n_units of all layers, n_tokens)`.

    Raises:
        ValueError: If there is no layer, layers differ in tokens, fewer than 10 tokens came, or a value is not finite.

    Example:
        >>> activations = np.random.default_rng(0).standard_normal((1_000, 5))
        >>> round(float(activation_raster([activations]).mean()), 2)  # 2.3 % of a Gaussian
        0.02
    """
    return np.concatenate([_crossings(layer, threshold).T for layer in _layers(layers)])


def avalanches_over_tokens(
    layers: Sequence[ArrayLike], *, threshold: float = THRESHOLD, level: float | None = None, bin_size: int = 1
) -> Avalanches:
    """Avalanches along the sequence: runs of tokens at which some unit fires, all layers taken together.

    Wide networks have a unit above any moderate threshold at every token, and no such run ever ends. Then `level` names
    a count that the number of firing units has to exceed, and sizes are the area above it.

    Args:
        layers: As in `activation_raster`, tokens in their order.
        threshold: In standard deviations.
        level: Number of firing units per bin above which an avalanche runs; by default 0, an empty bin ends it.
        bin_size: Tokens per bin.

    Returns:
        Size (crossings, or area above the level), duration (bins) and profile of each.

    Raises:
        ValueError: As for `activation_raster`; if no bin or every bin is active.
    """
    count = activation_raster(layers, threshold=threshold).sum(axis=0, dtype=np.int64)
    if level is None:
        return avalanches(count, bin_size=bin_size)
    whole = count.size // bin_size * bin_size
    return avalanches_of_signal(count[:whole].reshape(-1, bin_size).sum(axis=1), threshold=level)


def avalanches_over_depth(layers: Sequence[ArrayLike], *, threshold: float = THRESHOLD) -> Avalanches:
    """Avalanches through the network: per token, runs of layers in which some unit fires.

    Args:
        layers: As in `activation_raster`, from input to output.
        threshold: In standard deviations.

    Returns:
        Size (crossings), duration (layers) and profile of each; those that reach the last layer are censored, since
        depth ends there and not the avalanche. Those of the first layer begin there by definition and are not.

    Raises:
        ValueError: As for `activation_raster`; if no unit fires, or all tokens run through all layers.
    """
    counts = np.stack([_crossings(layer, threshold).sum(axis=1) for layer in _layers(layers)], axis=1)
    n_tokens, depth = counts.shape
    padded = np.concatenate([np.zeros((n_tokens, 1), dtype=np.int64), counts], axis=1).ravel()
    found = avalanches(np.append(padded, 0))
    ends = np.flatnonzero(np.diff(np.append(padded, 0) > 0, prepend=False, append=False))[1::2] - 1
    censored = ends % (depth + 1) == depth
    if bool(censored.all()):
        raise ValueError(
            f"every avalanche runs to the last of the {depth} layers, so none is seen to end; raise the threshold "
            f"above {threshold:g} standard deviations"
        )
    return Avalanches(
        sizes=found.sizes,
        durations=found.durations,
        censored=censored,
        profiles=found.profiles,
        offsets=found.offsets,
        n_bins=0,
        caveats=(f"depth is {depth} layers, so durations end there",),
    )


def _layers(layers: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    arrays = [as_finite(layer, name=f"layer {i}", ndim=2) for i, layer in enumerate(layers)]
    if not arrays:
        raise ValueError("activations of at least one layer are needed; none arrived")
    n_tokens = {len(layer) for layer in arrays}
    if len(n_tokens) > 1:
        raise ValueError(f"layers need the same tokens; they have {sorted(n_tokens)} of them")
    if n_tokens.pop() < 10:
        raise ValueError(f"z-scores need at least 10 tokens; {len(arrays[0])} arrived")
    return arrays


def _crossings(layer: NDArray[np.float64], threshold: float) -> NDArray[np.bool_]:
    """Shape `(n_tokens, n_units)`."""
    deviation = layer.std(axis=0)
    centered = layer - layer.mean(axis=0)
    moving = deviation > 1e-12 * np.abs(layer).max(axis=0, initial=1e-300)
    beyond = centered > threshold * deviation if threshold >= 0 else centered < threshold * deviation
    return np.asarray(beyond & moving)
