"""Power law fitted to counts in bins, by the likelihood of the bins rather than of points put at their centers."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite, as_numpy
from phasescope.measures.power_law import N_BOOTSTRAP, PowerLaw
from phasescope.measures.power_law_curves import legacy_exponent
from phasescope.measures.power_law_verdict import power_law_verdict

FloatArray = NDArray[np.float64]

_QUANTILES = (0.025, 0.975)


def fit_binned_power_law(
    edges: ArrayLike,
    counts: ArrayLike,
    *,
    x_min: float | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    rng: np.random.Generator,
) -> PowerLaw:
    """Fit a continuous power law to a histogram.

    With bins [b_i, b_{i+1}) the likelihood is Π_i (b_i^{1−α} − b_{i+1}^{1−α})^{h_i} b_min^{(α−1) n} [1]. Candidates for
    x_min are the lower edges; the distance is taken at the edges; interval and p are multinomial bootstraps with refit.

    Args:
        edges: Bin edges, positive and rising, shape `(n_bins + 1,)`; the last may be infinite.
        counts: Observations per bin, whole numbers, shape `(n_bins,)`.
        x_min: The edge where the law begins, if known beforehand; scanned otherwise.
        n_bootstrap: Refits for the interval, and as many for p; at least 100.
        rng: Source of randomness.

    Returns:
        The fit; `values` and `survival` are the edges and the share of observations at or above them. Other laws are
        not compared.

    Raises:
        ValueError: If edges do not rise, counts do not fit them, or fewer than two bins are occupied from x_min on.

    References:
        [1] Virkar & Clauset (2014), Annals of Applied Statistics 8, 89.

    Example:
        >>> sizes = np.random.default_rng(0).pareto(1.5, size=5_000) + 1
        >>> edges = 2.0 ** np.arange(20)
        >>> counts, _ = np.histogram(sizes, edges)
        >>> fit = fit_binned_power_law(edges, counts, n_bootstrap=200, rng=np.random.default_rng(1))
        >>> fit.interval[0] < 2.5 < fit.interval[1]
        True
    """
    logs, heights = _checked(edges, counts)
    if n_bootstrap < 100:
        raise ValueError(f"n_bootstrap must be at least 100; got {n_bootstrap}")
    lower = np.exp(logs[:-1])
    fixed = x_min is not None
    first = 0
    if x_min is not None:
        first = int(np.argmin(np.abs(logs[:-1] - math.log(x_min)))) if x_min > 0 else -1
        if first < 0 or not math.isclose(lower[first], x_min, rel_tol=1e-9):
            raise ValueError(f"x_min must be one of the edges; got {x_min:g}, the closest is {lower[max(first, 0)]:g}")
    if np.count_nonzero(heights[first:]) < 2:
        raise ValueError(
            f"a binned fit needs two occupied bins from x_min on; there are {np.count_nonzero(heights[first:])} of "
            f"{heights.size - first}: use finer bins"
        )
    place, alpha, distance = _binned_scan(logs, heights, first, fixed)
    n, n_tail = int(heights.sum()), int(heights[place:].sum())
    shares = heights / n
    shares[place:] = n_tail / n * -np.diff(np.exp((1 - alpha) * (logs[place:] - logs[place])))
    if fixed:
        shares = np.concatenate((np.zeros(place), shares[place:])) * n / n_tail
    imitated = rng.multinomial(n_tail if fixed else n, shares / shares.sum(), size=n_bootstrap).astype(np.float64)
    imitations = _binned_fits(logs, imitated, first, fixed)
    pool = heights.copy()
    pool[:first] = 0
    redrawn = rng.multinomial(int(pool.sum()), pool / pool.sum(), size=n_bootstrap).astype(np.float64)
    resampled = _binned_fits(logs, redrawn, first, fixed)
    resampled = resampled[np.isfinite(resampled[:, 1])]
    distances = imitations[np.isfinite(imitations[:, 2]), 2]
    p_value = float(np.mean(distances >= distance - 1e-12))
    low, high = np.quantile(resampled[:, 1], _QUANTILES)
    starts = np.quantile(lower[resampled[:, 0].astype(np.int64)], _QUANTILES, method="inverted_cdf")
    occupied = np.flatnonzero(heights)
    top = occupied[-1] + 1 if np.isfinite(logs[occupied[-1] + 1]) else occupied[-1]
    decades = float(logs[top] - logs[place]) / math.log(10)
    verdict, reason = power_law_verdict(n_tail=n_tail, decades=decades, p_value=p_value, comparisons=())
    candidates = [i for i in range(heights.size) if np.count_nonzero(heights[i:]) > 1 and heights[i] > 0]
    curve = np.array([_binned_scan(logs, heights, i, True) for i in candidates])
    error = 1 / math.sqrt(_binned_information(logs[place:] - logs[place], heights[place:], alpha - 1))
    caveats: tuple[str, ...] = ("data in bins are not compared with other laws",)
    if not fixed:
        caveats += ("x_min was chosen from the same data, which makes p conservative",)
    return PowerLaw(
        estimate=float(alpha),
        interval=(float(low), float(high)),
        x_min=float(lower[place]),
        x_min_interval=(float(starts[0]), float(starts[1])),
        x_max=None,
        ks_distance=float(distance),
        p_value=p_value,
        n=n,
        n_tail=n_tail,
        decades=decades,
        standard_error=error,
        bias_corrected=float(alpha - (alpha - 1) / n_tail),
        discrete=False,
        convention="two_sided",
        verdict=verdict,
        reason=reason,
        comparisons=(),
        values=lower,
        survival=np.cumsum(heights[::-1])[::-1] / n,
        scan_x_min=lower[candidates],
        scan_alpha=curve[:, 1],
        scan_distance=curve[:, 2],
        legacy=legacy_exponent(lower[place:], np.cumsum(heights[place:][::-1])[::-1]),
        caveats=caveats,
    )


def _checked(edges: ArrayLike, counts: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Logarithms of the edges, and the counts."""
    limits, heights = as_numpy(edges).astype(np.float64), as_finite(counts, name="counts", ndim=1)
    if limits.ndim != 1 or limits.size != heights.size + 1:
        raise ValueError(f"n counts need n + 1 edges; got {heights.size} counts and edges of shape {limits.shape}")
    if not (limits[0] > 0 and np.all(limits[1:] > limits[:-1]) and np.isfinite(limits[:-1]).all()):
        raise ValueError("edges must be positive and rising, and only the last may be infinite")
    if heights.min() < 0 or np.any(heights != np.floor(heights)):
        raise ValueError(f"counts must be whole and not negative; they are {heights.min():g} … {heights.max():g}")
    return np.log(limits), heights


@njit(cache=True)
def _binned_information(logs: FloatArray, heights: FloatArray, rate: float) -> float:
    """Observed Fisher information of α = 1 + rate."""
    total = 0.0
    for k in range(heights.size):
        width = logs[k + 1] - logs[k]
        if heights[k] > 0 and rate * width < 700.0:
            total += heights[k] * width**2 / (4.0 * math.sinh(0.5 * rate * width) ** 2)
    return total


@njit(cache=True)
def _binned_rate(logs: FloatArray, heights: FloatArray) -> float:
    """α − 1 of the bins whose first edge has logarithm 0: the zero of the score, which falls and is convex."""
    weighted, spread = 0.0, 0.0
    for k in range(heights.size):
        weighted += heights[k] * logs[k]
        if heights[k] > 0 and logs[k + 1] < np.inf:
            spread += heights[k] * (logs[k + 1] - logs[k])
    rate = 0.1 * heights.sum() / (weighted + spread)
    for _ in range(200):
        score, slope = -weighted, 0.0
        for k in range(heights.size):
            width = logs[k + 1] - logs[k]
            if heights[k] > 0 and rate * width < 700.0:
                score += heights[k] * width / math.expm1(rate * width)
                slope -= heights[k] * width**2 / (4.0 * math.sinh(0.5 * rate * width) ** 2)
        if slope == 0.0:
            return float(rate)
        new = max(rate - score / slope, 0.1 * rate)
        if abs(new - rate) <= 1e-13 * rate:
            return float(new)
        rate = new
    return float(rate)


@njit(cache=True)
def _binned_scan(logs: FloatArray, heights: FloatArray, first: int, fixed: bool) -> tuple[int, float, float]:
    """Edge with the smallest distance, its exponent and its distance; (−1, NaN, NaN) where no tail can be fitted."""
    best, best_alpha, best_distance = -1, np.nan, np.nan
    last = heights.size - 1
    while last > 0 and heights[last] == 0:
        last -= 1
    for i in range(first, first + 1 if fixed else last):
        if (heights[i] == 0 and not fixed) or i >= last:
            continue
        shifted = logs[i:] - logs[i]
        rate = _binned_rate(shifted, heights[i:])
        n = heights[i:].sum()
        left, distance = n, 0.0
        for k in range(i, heights.size):
            distance = max(distance, abs(left / n - math.exp(-rate * shifted[k - i])))
            left -= heights[k]
        if not distance >= best_distance:
            best, best_alpha, best_distance = i, 1.0 + rate, distance
    return best, best_alpha, best_distance


@njit(cache=True)
def _binned_fits(logs: FloatArray, tables: FloatArray, first: int, fixed: bool) -> FloatArray:
    """Fit of every row of counts: edge, exponent, distance, shape `(n_rows, 3)`."""
    fits = np.empty((tables.shape[0], 3))
    for row in range(tables.shape[0]):
        place, alpha, distance = _binned_scan(logs, tables[row], first, fixed)
        fits[row, 0], fits[row, 1], fits[row, 2] = place, alpha, distance
    return fits
