"""What a picture of avalanche exponents shows: data in logarithmic bins, and the fitted laws over their ranges."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.mean_size import MeanSizeRange
from phasescope.measures.scaling_range import ScalingRange

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_BINS_PER_DECADE = 8


def _edges(low: float, high: float, *, discrete: bool) -> FloatArray:
    n = max(2, math.ceil(_BINS_PER_DECADE * math.log10(high / low)) + 1)
    edges = np.geomspace(low, high * (1 + 1e-9), n + 1)
    return np.unique(np.ceil(edges) - 0.5) if discrete else edges


def density_points(x: FloatArray, top: float, n: int) -> FloatArray:
    """Density of the complete ones up to where they were read."""
    x = x[x <= top]
    discrete = bool((x == np.round(x)).all())
    edges = _edges(float(x.min()), float(x.max()) + discrete, discrete=discrete)
    counts = np.histogram(x, edges)[0]
    half = 0.5 * discrete
    centers = np.sqrt((edges[:-1] + half) * (edges[1:] - half))  # between the first and the last whole number
    kept = counts > 0
    return np.stack([centers, counts / np.diff(edges) / n], axis=1)[kept]


def law_curve(found: ScalingRange, ends: tuple[float, float], n: int) -> FloatArray:
    """Density of the fitted law over a range, n being all avalanches."""
    fit = found.fit
    x = np.geomspace(ends[0], max(ends[1], 2 * ends[0]), 60)
    log_z = fit.window.moments(fit.parameters, fit.supports[0])[0]
    log_density = fit.parameters @ fit.window.features(x) - log_z - math.log(fit.window.x_min)
    return np.stack([x, fit.n / n * np.exp(log_density)], axis=1)


def mean_size_points(durations: IntArray, sizes: FloatArray) -> FloatArray:
    """Mean duration and mean size of every bin of durations."""
    edges = _edges(float(durations.min()), float(durations.max()) + 1, discrete=True)
    counts = np.histogram(durations, edges)[0]
    kept = counts > 0
    t = np.histogram(durations, edges, weights=durations)[0][kept] / counts[kept]
    return np.stack([t, np.histogram(durations, edges, weights=sizes)[0][kept] / counts[kept]], axis=1)


def mean_size_curve(found: MeanSizeRange, ends: tuple[float, float]) -> FloatArray:
    """Fitted mean size over a range of durations."""
    x = np.geomspace(ends[0], max(ends[1], 2 * ends[0]), 60)
    return np.stack([x, found.fit.predict(x)], axis=1)
