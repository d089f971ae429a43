"""Noise part of a spectrum: its variance, its edge, what lies beyond, and whether the rest is Marchenko–Pastur's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures import marchenko_pastur, tracy_widom

MOST_BEYOND = 1 / 3  # share of the eigenvalues beyond the edge from which on there is no bulk to speak of
WINDOW = (0.1, 0.9)  # ranks the variance is fitted to: neither spikes nor lost directions reach into it
MOST_SHIFT = 0.1  # relative shift of the edge by the entries' kurtosis up to which the first order is used


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseBulk:
    """Marchenko–Pastur bulk fitted to eigenvalues, and the eigenvalues beyond its edge."""

    variance: float  # σ² of the entries of the noise; 0 where more than a tenth of the eigenvalues are 0
    low: float  # edges of the bulk
    high: float
    threshold: float  # an eigenvalue of noise exceeds it with the probability `level`
    statistic: float  # largest eigenvalue, centered and scaled: Tracy–Widom if there is nothing but noise
    p_value: float  # probability that noise reaches as far
    n_beyond: int  # tested one after another from the largest, each at the level
    is_consistent: bool  # whether a bulk remains when those are taken away; if not, all is that of the first fit
    ks_distance: float  # largest difference between the shares below x of the rest and of the law
    edge_shift: float  # relative shift of the edge by the kurtosis of the entries, which threshold and p contain


def fit_bulk(
    eigenvalues: NDArray[np.float64], n_samples: int, *, level: float, excess_kurtosis: float = 0.0
) -> NoiseBulk:
    """Fit a Marchenko–Pastur bulk to rising eigenvalues of X Xᵀ / n_samples and test the largest ones against its edge.

    σ² is the ratio of the sums of the eigenvalues and of the law's quantiles over the ranks 10 % … 90 %, the quantiles
    shifted by the first-order difference between real noise of finite size and its limit. If the largest eigenvalue is
    beyond the Tracy–Widom quantile of the level, it counts as beyond, and bulk and edge are fitted to the rest [1]; and
    so on. Each taken away leaves noise with one row and one column less: those along which the spike lies. Where this
    would take away more than a third of them, as with Lévy matrices, bulk and edge stay those of the first fit.

    Entries of excess kurtosis κ move the edge by the share κ / √(n_variables n_samples) [2], and the eigenvalue at
    σ² (1 + c − 2√c cos θ) by −cos θ times that. Against the width of Tracy and Widom's law this vanishes slowly: among
    40 × 80 coin flips (κ = −2) hardly any would reach the edge, and of noise of which half is dropped (κ = 3) far too
    many.

    Args:
        eigenvalues: Rising, shape `(n_variables,)`, n_variables ≤ n_samples.
        n_samples: Length of the longer side.
        level: Probability of a false alarm for each eigenvalue tested.
        excess_kurtosis: κ of the entries, 0 for Gaussian ones.

    References:
        [1] Kritchman & Nadler (2009), IEEE Transactions on Signal Processing 57, 3930.
        [2] Hwang, Lee & Schnelli (2019), Annals of Applied Probability 29, 3006. For the eigenvalues within the bulk
            the same first order, from the fluctuation κ Σ G²ᵢᵢ / n² of the quadratic forms in Schur's complement.
    """
    critical = tracy_widom.upper_quantile(level)
    size = eigenvalues.size
    shift = float(np.clip(excess_kurtosis / np.sqrt(size * n_samples), -MOST_SHIFT, MOST_SHIFT))

    def fitted(n_taken: int) -> tuple[float, float]:
        """Variance of the noise, and its threshold, when the largest `n_taken` eigenvalues are none of it."""
        n_noise = n_samples - n_taken
        variance = _noise_variance(eigenvalues[: size - n_taken] * (n_samples / n_noise), n_noise, shift)
        center, scale, moved = _edge(size - n_taken, n_noise, shift)
        return variance, variance * (1 + moved) * (center + critical * scale) / n_samples

    def n_above(threshold: float) -> int:
        return int(size - np.searchsorted(eigenvalues, threshold, side="right"))

    first = variance, threshold = fitted(0)
    center, scale, moved = _edge(size, n_samples, shift)
    statistic = np.inf
    if variance > 0:
        statistic = float((eigenvalues[-1] * n_samples / (variance * (1 + moved)) - center) / scale)
    n_beyond, found, is_consistent = 0, n_above(threshold), True
    while found > n_beyond and is_consistent:
        # All that exceed this threshold would exceed the next ones too, which are lower: no need to go one by one.
        n_beyond = found
        variance, threshold = fitted(n_beyond)
        found = n_above(threshold)
        is_consistent = found <= MOST_BEYOND * size
    if not is_consistent:
        variance, threshold = first
        n_beyond = n_above(threshold)
    low = high = 0.0
    distance = 1.0
    if variance > 0:
        share = (n_samples - n_beyond) / n_samples
        rest = eigenvalues[: size - n_beyond] / share
        aspect = rest.size / (n_samples - n_beyond)
        low, high = (share * edge for edge in marchenko_pastur.edges(aspect, variance=variance))
        distance = _distance(rest, aspect, variance)
    return NoiseBulk(
        variance=variance,
        low=low,
        high=high,
        threshold=threshold,
        statistic=statistic,
        p_value=float(tracy_widom.survival(statistic)),
        n_beyond=n_beyond,
        is_consistent=is_consistent,
        ks_distance=distance,
        edge_shift=moved,
    )


def _noise_variance(eigenvalues: NDArray[np.float64], n_samples: int, shift: float) -> float:
    size, aspect = eigenvalues.size, eigenvalues.size / n_samples
    first, last = int(WINDOW[0] * size), max(int(WINDOW[1] * size), 1)
    if eigenvalues[first] <= 0:
        return 0.0
    share = (np.arange(first, last) + 0.5) / size
    plain = _cosine(marchenko_pastur.quantile(share, aspect), aspect)
    # Of n real eigenvalues, n F(x) + ¼ − θ/2π lie below x = 1 + c − 2√c cos θ, to first order.
    moved = np.clip(share - (0.25 - np.arccos(plain) / (2 * np.pi)) / size, 0.0, 1.0)
    quantiles = marchenko_pastur.quantile(moved, aspect)
    quantiles = quantiles * (1 - shift * _cosine(quantiles, aspect))
    return float(eigenvalues[first:last].sum() / quantiles.sum())


def _cosine(x: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
    """The cos θ of x = 1 + c − 2√c cos θ; 1 at the lower edge, −1 at the upper one."""
    return np.asarray(np.clip((1 + aspect - x) / (2 * np.sqrt(aspect)), -1.0, 1.0))


def _edge(n_variables: int, n_samples: int, shift: float) -> tuple[float, float, float]:
    """Center and scale of the largest eigenvalue of Gaussian noise, and how far kurtosis moves it, as a share.

    On average it lies below the edge, where the shift is smaller: that counts for κ < 0. For κ > 0 it also scatters
    more, which the full shift makes up for: so measured at the levels .05 and .01 (benchmarks/accuracy/spectra.py).
    """
    center, scale = tracy_widom.largest_eigenvalue_scaling(n_variables, n_samples)
    if shift >= 0:
        return center, scale, shift
    root = np.sqrt(n_variables / n_samples)
    depth = -tracy_widom.MEAN * scale / center
    return center, scale, shift * float(max(1 - depth * (1 + root) ** 2 / (2 * root), 0.0))


def _distance(rest: NDArray[np.float64], aspect: float, variance: float) -> float:
    share = marchenko_pastur.cumulative(rest, aspect, variance=variance)
    steps = np.arange(rest.size + 1) / rest.size
    return float(max((steps[1:] - share).max(), (share - steps[:-1]).max()))
