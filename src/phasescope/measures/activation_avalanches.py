"""Avalanches of a network's activations: threshold crossings per unit z-score, over tokens or over depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite, as_numpy
from phasescope.measures.avalanches import Avalanches, avalanches, avalanches_of_signal

THRESHOLD = 2.0  # standard deviations of a unit over the tokens
FEWEST_TOKENS = 10
SILENT_SHARE = 0.1  # of the bins, with which an empty bin can part avalanches


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
    n_tokens = _n_tokens(layers)
    return np.concatenate([_crossings(layer, i, n_tokens, threshold).T for i, layer in enumerate(layers)])


def activation_counts(layers: Sequence[ArrayLike], *, threshold: float = THRESHOLD) -> NDArray[np.int64]:
    """Number of units of each layer that fire, token by token.

    Args:
        layers: As in `activation_raster`.
        threshold: In standard deviations.

    Returns:
        Shape `(n_layers, n_tokens)`.
    """
    n_tokens = _n_tokens(layers)
    return np.stack([_crossings(layer, i, n_tokens, threshold).sum(axis=1) for i, layer in enumerate(layers)])


def separating_level(counts: ArrayLike) -> float:
    """Level that parts avalanches of counts: 0 where a tenth of the bins is silent, their median otherwise.

    Wide networks have a unit above any moderate threshold at every token, and a run of such tokens never ends.

    Args:
        counts: Firing units per bin, any shape.

    Returns:
        The number that has to be exceeded.
    """
    values = as_numpy(counts)
    silent = float((values == 0).mean()) if values.size else 1.0
    return 0.0 if silent >= SILENT_SHARE else float(np.median(values))


def avalanches_over_tokens(
    layers: Sequence[ArrayLike], *, threshold: float = THRESHOLD, level: float | None = None, bin_size: int = 1
) -> Avalanches:
    """Avalanches along the sequence: runs of tokens at which enough units fire, all layers taken together.

    Args:
        layers: As in `activation_raster`, tokens in their order.
        threshold: In standard deviations.
        level: Number of firing units per bin above which an avalanche runs, its size being the area above; by default
            that of `separating_level`.
        bin_size: Tokens per bin.

    Returns:
        Size (crossings above the level), duration (bins) and profile of each.

    Raises:
        ValueError: As for `activation_raster`; if no bin or every bin is active.
    """
    return token_avalanches(activation_counts(layers, threshold=threshold), level=level, bin_size=bin_size)


def token_avalanches(counts: ArrayLike, *, level: float | None = None, bin_size: int = 1) -> Avalanches:
    """Avalanches along the sequence, given how many units of each layer fire.

    Args:
        counts: Shape `(n_layers, n_tokens)`.
        level: As in `avalanches_over_tokens`.
        bin_size: Tokens per bin.

    Returns:
        As of `avalanches_over_tokens`.

    Raises:
        ValueError: If no bin or every bin is active.
    """
    count = as_numpy(counts).sum(axis=0)
    whole = count.size // bin_size * bin_size
    joined = count[:whole].reshape(-1, bin_size).sum(axis=1)
    chosen = separating_level(joined) if level is None else level
    return _with_level(avalanches(joined) if chosen == 0 else avalanches_of_signal(joined, threshold=chosen), chosen)


def avalanches_over_depth(
    layers: Sequence[ArrayLike], *, threshold: float = THRESHOLD, level: float | None = None
) -> Avalanches:
    """Avalanches through the network: per token, runs of layers in which enough units fire.

    Args:
        layers: As in `activation_raster`, from input to output.
        threshold: In standard deviations.
        level: Number of firing units per layer above which an avalanche runs, its size being the area above; by default
            that of `separating_level`.

    Returns:
        As of `depth_avalanches`.

    Raises:
        ValueError: As for `activation_raster`; if no unit fires, or all tokens run through all layers.
    """
    return depth_avalanches(activation_counts(layers, threshold=threshold), level=level)


def depth_avalanches(counts: ArrayLike, *, level: float | None = None) -> Avalanches:
    """Avalanches through the layers, given how many units of each fire.

    Args:
        counts: From input to output, shape `(n_layers, n_tokens)`.
        level: As in `avalanches_over_depth`.

    Returns:
        Size (crossings above the level), duration (layers) and profile of each; those that reach the last layer are
        censored, since depth ends there and not the avalanche. Those of the first layer begin there by definition and
        are not.

    Raises:
        ValueError: If no unit fires, or all avalanches reach the last layer.
    """
    per_token = np.asarray(as_numpy(counts), dtype=np.float64).T
    n_tokens, depth = per_token.shape
    chosen = separating_level(per_token) if level is None else level
    above = np.maximum(per_token - chosen, 0.0)
    parted = np.append(np.concatenate([np.zeros((n_tokens, 1)), above], axis=1).ravel(), 0.0)
    found = avalanches_of_signal(parted, threshold=0.0)
    ends = np.flatnonzero(np.diff(parted > 0, prepend=False, append=False))[1::2] - 1
    censored = ends % (depth + 1) == depth
    if bool(censored.all()):
        raise ValueError(
            f"every avalanche runs to the last of the {depth} layers, so none is seen to end; raise the threshold, or "
            "the level"
        )
    return _with_level(
        replace(found, censored=censored, n_bins=0, caveats=(f"depth is {depth} layers, so durations end there",)),
        chosen,
    )


def _with_level(found: Avalanches, level: float) -> Avalanches:
    if level == 0:
        return found
    sentence = f"an avalanche runs while more than {level:g} units fire, and its size is the area above"
    return replace(found, caveats=(*found.caveats, sentence))


def _n_tokens(layers: Sequence[ArrayLike]) -> int:
    shapes = [as_numpy(layer).shape for layer in layers]
    if not shapes:
        raise ValueError("activations of at least one layer are needed; none arrived")
    n_tokens = {shape[0] for shape in shapes if shape}
    if len(n_tokens) > 1:
        raise ValueError(f"layers need the same tokens; they have {sorted(n_tokens)} of them")
    return n_tokens.pop() if n_tokens else 0


def _crossings(layer: ArrayLike, place: int, n_tokens: int, threshold: float) -> NDArray[np.bool_]:
    """Shape `(n_tokens, n_units)`; one layer at a time is held in float64."""
    values = as_finite(layer, name=f"layer {place}", ndim=2)
    if n_tokens < FEWEST_TOKENS:
        raise ValueError(f"z-scores need at least {FEWEST_TOKENS} tokens; {n_tokens} arrived")
    deviation = values.std(axis=0)
    centered = values - values.mean(axis=0)
    moving = deviation > 1e-12 * np.abs(values).max(axis=0, initial=1e-300)
    beyond = centered > threshold * deviation if threshold >= 0 else centered < threshold * deviation
    return np.asarray(beyond & moving)
