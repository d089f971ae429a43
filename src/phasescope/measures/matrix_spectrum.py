"""Spectrum of a weight matrix: noise, spikes, or a heavy tail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.gram import as_matrix, gram_spectrum
from phasescope.measures.noise_bulk import MOST_SHIFT, NoiseBulk, fit_bulk
from phasescope.measures.spectral_tail import SpectralTail, spectral_tail
from phasescope.results import Result

LEVEL = 0.01
N_BOOTSTRAP = 1_000
FEWEST_VARIABLES = 20  # below, the Tracy–Widom quantiles are known to be approximate
NOTICEABLE = 0.03  # distance from Marchenko–Pastur that matters, however significant smaller ones are


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixSpectrum(Result):
    """Eigenvalues of W Wᵀ / n_samples against pure noise; n_samples is the longer side of the matrix."""

    shape: tuple[int, int]  # of the matrix; a convolution's is (n_out, n_in · height · width)
    aspect: float  # c = n_variables / n_samples ≤ 1: shorter side over longer one
    noise_variance: float  # σ² of the noise's entries, from the bulk alone
    excess_kurtosis: float  # of the entries; −1.2 for uniform ones, 0 for Gaussian ones
    lower_edge: float  # σ² (1 − √c)²; with spikes, of the noise with one row and one column less for each
    upper_edge: float  # σ² (1 + √c)², the same
    threshold: float  # what the largest eigenvalue of such noise exceeds with the probability `level`
    statistic: float  # largest eigenvalue, centered and scaled as Tracy and Widom
    p_value: float  # probability that the largest eigenvalue of noise reaches as far
    n_spikes: int  # eigenvalues beyond the edge, tested one after another
    spike_strengths: NDArray[np.float64]  # (n_spikes,) falling; θ of population spikes σ² (1 + θ)
    spike_errors: NDArray[np.float64]  # (n_spikes,) standard error of each θ, for Gaussian noise
    effective_rank: float  # exp of the entropy of the normalized singular values
    participation_ratio: float  # (Σλ)² / Σλ²
    ks_distance: float  # largest difference between the shares below x of the bulk and of Marchenko–Pastur
    ks_noise: float  # what this distance exceeds in 1 of 1,000 cases of noise; 5 where the entries have heavy tails
    tail: SpectralTail | None  # power law beyond the edge; None where too little lies there
    verdict: str
    reason: str  # of the verdict, one clause
    level: float  # of the test of each eigenvalue
    eigenvalues: NDArray[np.float64]  # (n_variables,) rising, of W Wᵀ / n_samples
    eigenvalue_error: float  # how far rounding may have moved each, absolute

    def _rows(self) -> list[tuple[str, str]]:
        rows = [row for row in Result._rows(self) if row[0] != "tail"]
        if self.tail is not None:
            place = [name for name, _ in rows].index("verdict")
            low, high = self.tail.interval
            rows.insert(place, ("tail", f"α = {self.tail.estimate:.4g}  [{low:.4g}, {high:.4g}], {self.tail.verdict}"))
        return rows


def matrix_spectrum(
    weight: ArrayLike,
    *,
    dtype: str = "float64",
    level: float = LEVEL,
    n_bootstrap: int = N_BOOTSTRAP,
    rng: np.random.Generator,
) -> MatrixSpectrum:
    """Compare the spectrum of a matrix with noise: Marchenko–Pastur bulk, Tracy–Widom edge, spikes, and a tail beyond.

    The noise's variance is fitted to the middle of the spectrum. Eigenvalues beyond the Tracy–Widom quantile of its
    edge, which the kurtosis of the entries moves, count as spikes. Only where ten or more lie there is a power law
    fitted, to these alone, and only where at least 100 of them over 1.5 decades do not reject it, and it beats a wider
    bulk and as many separate spikes, is the tail called heavy.

    Args:
        weight: Matrix, array or tensor, `(n_rows, n_columns)`; of convolutions `(n_out, n_in, height, width)`, read as
            one matrix `(n_out, n_in · height · width)`. Any unit.
        dtype: "float64", or "float32" for about twice the speed; `eigenvalue_error` says what that costs.
        level: Probability that the largest eigenvalue of noise counts as a spike.
        n_bootstrap: Refits behind interval and goodness of fit of the tail, if there is one.
        rng: Source of randomness for these.

    Returns:
        Eigenvalues, noise, spikes, tail, and one verdict.

    Raises:
        ValueError: If the weight is no matrix of at least two rows and columns, is constant, or has NaN.

    References:
        Marchenko & Pastur (1967), Mathematics of the USSR-Sbornik 1, 457.
        Johnstone (2001), Annals of Statistics 29, 295; Ma (2012), Bernoulli 18, 322: the largest eigenvalue.
        Baik, Ben Arous & Péché (2005), Annals of Probability 33, 1643; Paul (2007), Statistica Sinica 17, 1617: spikes.
        Roy & Vetterli (2007), EUSIPCO: effective rank.

    Example:
        >>> noise = 0.02 * np.random.default_rng(0).standard_normal((200, 600))
        >>> matrix_spectrum(noise, rng=np.random.default_rng(1)).verdict
        'Marchenko–Pastur, no tail'
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, such as default_rng(0); got {type(rng).__name__}")
    if not 1e-12 <= level <= 0.5:
        raise ValueError(f"level must lie in 1e-12 … 0.5; got {level:g}")
    matrix = as_matrix(weight)
    n_rows, n_columns = (int(side) for side in matrix.shape)
    if min(n_rows, n_columns) < 2:
        raise ValueError(f"a spectrum needs at least 2 rows and 2 columns; weight has shape {(n_rows, n_columns)}")
    spectrum = gram_spectrum(matrix, dtype=dtype)
    n_samples = max(n_rows, n_columns)
    eigenvalues, error = spectrum.eigenvalues / n_samples, spectrum.error / n_samples
    resolution = spectrum.resolution / n_samples
    if eigenvalues[-2] <= resolution:
        _refuse_constant(matrix)
    eigenvalues = np.where(eigenvalues <= resolution, 0.0, eigenvalues)
    bulk = fit_bulk(eigenvalues, n_samples, level=level, excess_kurtosis=spectrum.excess_kurtosis)
    strengths, errors, positions = _spikes(eigenvalues, bulk, n_samples)
    tail = None
    if bulk.variance > 0:
        tail = spectral_tail(
            eigenvalues[eigenvalues.size - bulk.n_beyond :],
            positions[::-1],
            aspect=eigenvalues.size / n_samples,
            n_samples=n_samples,
            n_bootstrap=n_bootstrap,
            rng=rng,
        )
    n_noise = eigenvalues.size - bulk.n_beyond
    ks_noise = (1.7 + 0.42 * math.log(max(n_noise, 1))) / max(n_noise, 1)
    verdict, reason = _verdict(eigenvalues, bulk, tail, ks_noise)
    amplitudes = np.sqrt(eigenvalues[eigenvalues > 0])
    shares = amplitudes / amplitudes.sum()
    return MatrixSpectrum(
        shape=(n_rows, n_columns),
        aspect=eigenvalues.size / n_samples,
        noise_variance=bulk.variance,
        excess_kurtosis=spectrum.excess_kurtosis,
        lower_edge=bulk.low,
        upper_edge=bulk.high,
        threshold=bulk.threshold,
        statistic=bulk.statistic,
        p_value=bulk.p_value,
        n_spikes=bulk.n_beyond,
        spike_strengths=strengths,
        spike_errors=errors,
        effective_rank=float(np.exp(-(shares * np.log(shares)).sum())),
        participation_ratio=float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum()),
        ks_distance=bulk.ks_distance,
        ks_noise=ks_noise,
        tail=tail,
        verdict=verdict,
        reason=reason,
        level=level,
        eigenvalues=eigenvalues,
        eigenvalue_error=error,
        caveats=_caveats(eigenvalues, resolution, bulk, tail, ks_noise, spectrum.excess_kurtosis, n_samples, dtype),
    )


def spike_strength(position: ArrayLike, aspect: float) -> NDArray[np.float64]:
    """θ of the population spike 1 + θ whose sample eigenvalue lies at (1 + θ)(1 + c/θ), noise of variance 1.

    The same θ is s²/(σ² n_samples) of a singular value s added to the noise. NaN within the bulk.
    """
    y = np.asarray(position, dtype=np.float64) - 1 - aspect
    square = y**2 - 4 * aspect
    outside = (y > 0) & (square >= 0)
    return np.where(outside, 0.5 * (y + np.sqrt(np.where(outside, square, 0.0))), np.nan)


def _spikes(
    eigenvalues: NDArray[np.float64], bulk: NoiseBulk, n_samples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Strengths θ with their standard errors, and standard errors of the eigenvalues; the largest first."""
    beyond = eigenvalues[eigenvalues.size - bulk.n_beyond :][::-1]
    if bulk.variance == 0:
        return np.full(beyond.size, np.inf), np.full(beyond.size, np.nan), np.full(beyond.size, np.nan)
    aspect = (eigenvalues.size - bulk.n_beyond) / n_samples
    theta = np.maximum(spike_strength(beyond / bulk.variance, aspect), math.sqrt(aspect))
    slope = np.maximum(1 - aspect / theta**2, 1 / n_samples)  # dλ/dθ; at the edge itself it vanishes
    return (
        theta,
        (1 + theta) * np.sqrt(2 / (n_samples * slope)),
        bulk.variance * (1 + theta) * np.sqrt(2 * slope / n_samples),
    )


def _verdict(
    eigenvalues: NDArray[np.float64], bulk: NoiseBulk, tail: SpectralTail | None, ks_noise: float
) -> tuple[str, str]:
    n = bulk.n_beyond
    if bulk.variance == 0:
        rank = int(np.count_nonzero(eigenvalues))
        return f"no bulk, rank {rank}", f"only {rank} of {eigenvalues.size} eigenvalues differ from 0"
    if tail is not None and tail.is_heavy:
        return "heavy tail" + ("" if tail.verdict == "supported" else f", {tail.verdict}"), tail.reason
    like_noise = bulk.ks_distance <= max(ks_noise, NOTICEABLE)
    place = "bulk" if like_noise else "bulk not Marchenko–Pastur"
    if n == 0:
        reason = f"the largest eigenvalue is that of noise (p = {bulk.p_value:.2g})"
        return ("Marchenko–Pastur, no tail" if like_noise else f"{place}, no tail"), reason
    if tail is None:
        reason = f"{n} eigenvalue{'s lie' if n > 1 else ' lies'} beyond the edge, too few for a power law"
    else:
        reason = f"{n} eigenvalues lie beyond the edge; a power law: {tail.reason}"
    if not like_noise:
        return f"{place}, {n} eigenvalue{'s' if n > 1 else ''} beyond its edge", reason
    return f"bulk plus {n} spike{'s' if n > 1 else ''}", reason


def _caveats(
    eigenvalues: NDArray[np.float64],
    resolution: float,
    bulk: NoiseBulk,
    tail: SpectralTail | None,
    ks_noise: float,
    kurtosis: float,
    n_samples: int,
    dtype: str,
) -> tuple[str, ...]:
    caveats: tuple[str, ...] = ()
    n_lost = int(np.count_nonzero(eigenvalues == 0))
    if n_lost:
        caveats += (
            f"{n_lost} of {eigenvalues.size} eigenvalues are below the rounding error of {dtype}, {resolution:.2g}, "
            "and count as 0",
        )
    if eigenvalues.size < FEWEST_VARIABLES:
        caveats += (
            f"with only {eigenvalues.size} eigenvalues the Tracy–Widom p-value is approximate: noise falls below "
            "p = 0.01 in up to 5 % of cases",
        )
    if not bulk.is_consistent:
        caveats += (
            "no bulk remains when what lies beyond its edge is taken away, so the edge is that of a first guess",
        )
    largest_shift = kurtosis / math.sqrt(eigenvalues.size * n_samples)
    if abs(largest_shift) >= MOST_SHIFT and bulk.variance > 0:
        caveats += (
            f"entries of an excess kurtosis of {kurtosis:.3g} move the edge of {eigenvalues.size} eigenvalues by more "
            f"than can be calculated, taken as {100 * bulk.edge_shift:+.0f} %; what lies beyond may be single entries",
        )
    if bulk.variance > 0 and ks_noise < bulk.ks_distance:
        caveats += (
            f"the bulk departs from Marchenko–Pastur by {bulk.ks_distance:.2g}, independent entries of one variance by "
            f"at most {ks_noise:.2g}: edge and spikes are the more doubtful",
        )
    if tail is not None:
        caveats += ("interval and goodness of fit of the tail take its eigenvalues as independent",)
        caveats += tail.caveats
    return caveats


def _refuse_constant(matrix: object) -> None:
    from phasescope.measures.arrays import as_numpy

    entries = as_numpy(matrix)  # type: ignore[arg-type]
    if entries.min() == entries.max():
        raise ValueError(
            f"weight is {float(entries.flat[0]):.4g} in all {entries.size} entries: one eigenvalue, and no noise to "
            "compare it with"
        )
