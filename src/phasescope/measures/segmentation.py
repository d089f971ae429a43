"""Exact least-squares segmentation: the piecewise-constant curve with the smallest cost of all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.autoregression import noise_beside_shifts
from phasescope.measures.functional_pruning import partition_layer
from phasescope.measures.step_location import step_location_interval
from phasescope.results import Result

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NO_NOISE = 1e-5  # of the range: standard deviation assumed for a series without noise, above rounding errors
RANDOM_WALK = 0.9  # autocorrelation from which levels are no longer what the residuals scatter about


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation(Result):
    """A curve cut into segments of constant mean."""

    breaks: IntArray  # (n_changes,) index of the first sample of each new segment
    breaks_interval: IntArray  # (n_changes, 2) first and last index of the 95 % set, likelihood ratio
    means: FloatArray  # (n_changes + 1,)
    cost: float  # residual sum of squares, without the penalty
    penalty: float | None  # per change; None when their number was given
    noise_sd: float  # of the residuals
    autocorrelation: float  # of the noise, between neighboring samples
    values: FloatArray  # (n_samples,)
    fit: FloatArray  # (n_samples,)


def segment(
    values: ArrayLike, *, penalty: float | None = None, n_changes: int | None = None, min_length: int = 1
) -> Segmentation:
    """Cut a series into segments of constant mean, exactly.

    Minimizes Σ (y_t − mean of its segment)² + penalty · (number of changes) over all segmentations, or the sum alone
    for a given number of changes, by functional pruning [1, 2]: the optimum of O(n²) dynamic programming in near-linear
    time.

    The default penalty is 3·γ·(1 + φ)/(1 − φ)·ln n: that of the modified Schwarz criterion [4], with the long-run
    variance of AR(1) noise in place of the variance, both estimated from differences, which shifts hardly touch.

    Args:
        values: The series, shape `(n_samples,)`, finite, in any unit.
        penalty: Price of a change, in squared units of the values.
        n_changes: Number of changes; excludes `penalty`.
        min_length: Fewest samples of a segment.

    Returns:
        The breaks, each with a 95 % interval for its location from the likelihood ratio with AR(1) noise [3], the
        means, the cost, and the fitted series.

    Raises:
        ValueError: If values are not finite, both `penalty` and `n_changes` are given, or the series is too short.

    References:
        [1] Maidstone, Hocking, Rigaill & Fearnhead (2017), Statistics and Computing 27, 519–533.
        [2] Rigaill (2015), Journal de la Société Française de Statistique 156(4), 180–205.
        [3] Eo & Morley (2015), Quantitative Economics 6, 463–497.
        [4] Zhang & Siegmund (2007), Biometrics 63, 22–32.

    Example:
        >>> series = np.repeat([0.0, 1.0, 0.2], 50) + 0.1 * np.random.default_rng(0).standard_normal(150)
        >>> segment(series).breaks.tolist()
        [50, 100]
    """
    series = as_finite(values, name="values", ndim=1)
    n_samples = series.size
    if penalty is not None and n_changes is not None:
        raise ValueError("give penalty or n_changes, not both: the one determines the other")
    if min_length < 1:
        raise ValueError(f"min_length must be at least 1; got {min_length}")
    if penalty is not None and not penalty >= 0.0:
        raise ValueError(f"penalty must not be negative; got {penalty}")
    if n_changes is not None and n_changes < 0:
        raise ValueError(f"n_changes must not be negative; got {n_changes}")
    if n_samples < min_length * ((n_changes or 0) + 1):
        raise ValueError(
            f"values has {n_samples} samples; {(n_changes or 0) + 1} segments of at least {min_length} need "
            f"{min_length * ((n_changes or 0) + 1)}"
        )
    center = float(series.mean())
    scale = float(np.abs(series - center).max()) or 1.0
    scaled = (series - center) / scale

    if n_changes is None:
        price = default_penalty(series) if penalty is None else penalty
        entry = np.zeros(n_samples + 1)
        _, starts = partition_layer(scaled, entry, price / scale**2, min_length, True)
        breaks = _walk_back([starts] * n_samples, n_samples)
    else:
        price = None
        breaks = _with_n_changes(scaled, n_changes, min_length)
    edges = np.concatenate([[0], breaks, [n_samples]])
    means = np.array([series[low:high].mean() for low, high in pairwise(edges.tolist())])
    fit = np.repeat(means, np.diff(edges))
    noise_sd, autocorrelation = _residual_noise(series - fit, means.size)
    caveats: tuple[str, ...] = ()
    if autocorrelation >= RANDOM_WALK:
        caveats = (f"the residuals are nearly a random walk (autocorrelation {autocorrelation:.2f}): no steady levels",)
    return Segmentation(
        breaks=breaks,
        breaks_interval=_locations(series, edges, noise_sd, autocorrelation, min_length),
        means=means,
        cost=float(np.sum((series - fit) ** 2)),
        penalty=price,
        noise_sd=noise_sd,
        autocorrelation=autocorrelation,
        values=series,
        fit=fit,
        caveats=caveats,
    )


def default_penalty(series: FloatArray) -> float:
    """Modified Schwarz penalty with the long-run variance of the noise, in squared units of the series."""
    n_samples = series.size
    if n_samples < 4:
        return 3.0 * float(series.var()) * math.log(max(n_samples, 2))
    noise_sd, autocorrelation = noise_beside_shifts(series)
    noise_sd = max(noise_sd, NO_NOISE * float(np.ptp(series)))
    return 3.0 * noise_sd**2 * (1.0 + autocorrelation) / (1.0 - autocorrelation) * math.log(n_samples)


def _with_n_changes(scaled: FloatArray, n_changes: int, min_length: int) -> IntArray:
    """Breaks of the best segmentation with exactly that many changes, layer by layer."""
    entry = np.full(scaled.size + 1, np.inf)
    entry[0] = 0.0
    layers = []
    for _ in range(n_changes + 1):
        entry, starts = partition_layer(scaled, entry, 0.0, min_length, False)
        layers.append(starts)
    return _walk_back(layers, scaled.size)


def _walk_back(layers: list[IntArray], n_samples: int) -> IntArray:
    """Breaks read from the starts of last segments, layer by layer from the end."""
    breaks = []
    position = n_samples
    for starts in reversed(layers):
        position = int(starts[position])
        if position <= 0:
            break
        breaks.append(position)
    return np.array(breaks[::-1], dtype=np.int64)


def _residual_noise(residuals: FloatArray, n_means: int) -> tuple[float, float]:
    """Standard deviation and lag-one autocorrelation of the residuals, corrected for the means taken out."""
    total = float(residuals @ residuals)
    if total == 0.0 or residuals.size < 4:
        return math.sqrt(total / residuals.size), 0.0
    autocorrelation = float(residuals[1:] @ residuals[:-1]) / total
    # Kendall's correction: each mean taken out lowers the estimate by about (1 + 3φ)/n.
    autocorrelation += n_means * (1.0 + 3.0 * autocorrelation) / residuals.size
    return math.sqrt(total / max(residuals.size - n_means, 1)), min(max(autocorrelation, 0.0), 0.95)


def _locations(
    series: FloatArray, edges: IntArray, noise_sd: float, autocorrelation: float, min_length: int
) -> IntArray:
    """Interval of every break from the two segments it separates, shape `(n_changes, 2)`."""
    innovation_sd = noise_sd * math.sqrt(1.0 - autocorrelation**2)
    intervals = [
        low
        + np.array(
            step_location_interval(
                series[low:high], middle - low, autocorrelation, innovation_sd, min_length=min_length
            )
        )
        for low, middle, high in zip(edges[:-2].tolist(), edges[1:-1].tolist(), edges[2:].tolist(), strict=True)
    ]
    return np.array(intervals, dtype=np.int64).reshape(-1, 2)
