"""Surrogates: records that share something with the data and are known not to be critical."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

from phasescope.measures.arrays import as_finite, as_numpy

FloatArray = NDArray[np.float64]
MAX_ROUNDS = 50  # of adjusting values and spectrum to each other


def time_shuffled(record: ArrayLike, *, jointly: bool = False, rng: np.random.Generator) -> NDArray[np.generic]:
    """Bins in random order: keeps every unit's values and destroys what links a bin to the next.

    Args:
        record: Shape `(n_units, n_bins)` or `(n_bins,)`.
        jointly: Whether all units are shuffled alike, which keeps their coincidences; else each on its own.
        rng: Source of randomness.

    Returns:
        Same shape and dtype.
    """
    values = _record(record)
    if jointly or values.ndim == 1:
        return np.asarray(values[..., rng.permutation(values.shape[-1])])
    return np.asarray(rng.permuted(values, axis=1))


def circularly_shifted(record: ArrayLike, *, rng: np.random.Generator) -> NDArray[np.generic]:
    """Every unit rotated in time by a random amount of its own: keeps each unit's series, destroys coincidences.

    Args:
        record: Shape `(n_units, n_bins)`.
        rng: Source of randomness.

    Returns:
        Same shape and dtype.
    """
    values = _record(record)
    if values.ndim != 2:
        raise ValueError(f"circular shifts need a record of shape (n_units, n_bins); it has shape {values.shape}")
    shifts = np.asarray(rng.integers(values.shape[1], size=values.shape[0]))
    return np.stack([np.roll(values[i], shift) for i, shift in enumerate(shifts)])


def phase_randomized(
    signal: ArrayLike, *, keep_values: bool = True, max_rounds: int = MAX_ROUNDS, rng: np.random.Generator
) -> FloatArray:
    """A linear, time-reversible process with the power spectrum of the signal.

    With random Fourier phases alone the values become Gaussian. With `keep_values` they are exchanged for those of the
    signal by rank, the spectrum is restored, and so on until nothing changes [1]: values exact, spectrum nearly.

    Args:
        signal: Shape `(n_bins,)`.
        keep_values: Whether the surrogate consists of the same values.
        max_rounds: Exchanges after which it is given up to have both exactly; a few already come close.
        rng: Source of randomness.

    Returns:
        Shape `(n_bins,)`.

    References:
        [1] Schreiber & Schmitz (1996), Physical Review Letters 77, 635.
    """
    x = as_finite(signal, name="signal", ndim=1)
    n = x.size
    amplitudes = np.abs(rfft(x))
    phases = rng.uniform(0, 2 * math.pi, size=amplitudes.size)
    phases[0] = 0.0 if x.sum() >= 0 else math.pi
    if n % 2 == 0:
        phases[-1] = rng.integers(2) * math.pi
    surrogate = irfft(amplitudes * np.exp(1j * phases), n)
    if not keep_values:
        return np.asarray(surrogate)
    ranked = np.sort(x)
    order = np.argsort(surrogate)
    for _ in range(max_rounds):
        surrogate[order] = ranked
        spectrum = rfft(surrogate)
        size = np.abs(spectrum)
        smoothed = irfft(amplitudes * np.where(size > 0, spectrum / np.where(size > 0, size, 1), 1), n)
        following = np.argsort(smoothed)
        if np.array_equal(following, order):
            break
        order = following
    surrogate[order] = ranked
    return np.asarray(surrogate)


def fast_length(n: int) -> int:
    """The largest length up to n that is fast to transform: others cost `phase_randomized` up to ten times as much."""
    while next_fast_len(n, real=True) != n:
        n -= 1
    return n


def poisson_matched(raster: ArrayLike, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Independent Poisson events with the rate of every unit.

    Args:
        raster: Events, shape `(n_units, n_bins)` or `(n_bins,)`.
        rng: Source of randomness.

    Returns:
        Same shape.
    """
    values = _record(raster)
    rates = np.asarray(values, dtype=np.float64).mean(axis=-1, keepdims=True)
    if not np.isfinite(rates).all() or rates.min() < 0:
        raise ValueError(f"rates must be finite and not negative; the smallest is {rates.min():g}")
    return np.asarray(rng.poisson(np.broadcast_to(rates, values.shape)), dtype=np.int64)


def ornstein_uhlenbeck(n_bins: int, *, correlation_time: float, rng: np.random.Generator) -> FloatArray:
    """Stationary Ornstein–Uhlenbeck noise of mean 0 and variance 1, sampled once per bin.

    Its excursions above a threshold have power-law sizes (τ = 4/3) and durations (α = 3/2) up to the correlation time,
    and obey the crackling-noise relation, with nothing critical about it [1].

    Args:
        n_bins: Length.
        correlation_time: In bins.
        rng: Source of randomness.

    Returns:
        Shape `(n_bins,)`.

    References:
        [1] Touboul & Destexhe (2017), Physical Review E 95, 012413; Villegas et al. (2019), Phys. Rev. E 100, 012133.
    """
    if n_bins < 1 or not correlation_time > 0:
        raise ValueError(f"need n_bins ≥ 1 and correlation_time > 0; got {n_bins} and {correlation_time}")
    memory = math.exp(-1 / correlation_time)
    steps = rng.standard_normal(n_bins)
    steps[1:] *= math.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], steps))


def ornstein_uhlenbeck_matched(signal: ArrayLike, *, rng: np.random.Generator) -> FloatArray:
    """Ornstein–Uhlenbeck noise with mean, variance and lag-1 autocorrelation of the signal.

    Raises:
        ValueError: If the signal is constant, or its neighboring bins are not positively correlated.
    """
    x = as_finite(signal, name="signal", ndim=1)
    centered = x - x.mean()
    variance = float(centered @ centered)
    if variance == 0:
        raise ValueError(f"signal is {x[0]:g} in all {x.size} bins, so it has no correlation time")
    memory = float(centered[1:] @ centered[:-1]) / variance
    if not 0 < memory < 1:
        raise ValueError(
            f"neighboring bins have correlation {memory:.3g}, which is not that of Ornstein–Uhlenbeck noise; compare "
            "with time_shuffled instead"
        )
    noise = ornstein_uhlenbeck(x.size, correlation_time=-1 / math.log(memory), rng=rng)
    return np.asarray(x.mean() + x.std() * noise)


def _record(record: ArrayLike) -> NDArray[np.generic]:
    values = as_numpy(record)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"record needs shape (n_units, n_bins) or (n_bins,); it has shape {values.shape}")
    return values
