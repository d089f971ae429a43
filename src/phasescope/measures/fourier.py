"""Fourier analysis over ℤ_p: spectra of embeddings and of tables over all pairs (a, b), and key frequencies.

A frequency k stands for the angle w_k = 2πk/p; frequencies k and p − k are the same one for real numbers, so k runs
over 1 … ⌊p/2⌋ and the constant is k = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite, as_table
from phasescope.measures.fourier_basis import (
    Direction,
    component_energies,
    component_norms,
    diagonal_means,
    gini,
    gini_of_sorted,
    neuron_energies,
    variance_energy,
    white_noise_share_quantile,
    without_constant,
)
from phasescope.measures.null_band import null_band
from phasescope.results import Result

KeyMethod = Literal["logit_variance", "neuron_argmax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSpectrum(Result):
    """How the energy of an embedding over ℤ_p spreads over frequencies, and how unevenly (Gini)."""

    estimate: float  # Gini coefficient of `component_norms`, 0 (even) … 1 (one component); exact, so without interval
    null: float | None  # median Gini of a Gaussian embedding of the same shape
    null_interval: tuple[float, float] | None  # its 2.5 % and 97.5 % quantiles
    frequencies: NDArray[np.int64]  # (n_frequencies,) 0 … ⌊p/2⌋
    power: NDArray[np.float64]  # (n_frequencies,) squared norm at each frequency; sums to that of the embedding
    share: NDArray[np.float64]  # (n_frequencies,) of the power beyond the constant; 0 at frequency 0
    component_norms: NDArray[np.float64]  # (p − 1,) norms of the cosine components, then of the sine components


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpectrum(Result):
    """How much of a table over (a, b) is a function of a + b (or a − b) alone, per frequency."""

    estimate: float  # share of the variance that depends on a ± b only; exact, so without interval
    null: float  # the same for white noise, 1/(p + 1)
    null_interval: tuple[float, float]  # 2.5 % and 97.5 % quantiles of its Beta distribution
    direction: str  # "sum" (a + b) or "difference" (a − b)
    gini: float  # Gini coefficient of the norms of the components cos(w_k(a ± b)), sin(w_k(a ± b))
    frequencies: NDArray[np.int64]  # (n_frequencies,) 0 … ⌊p/2⌋
    share: NDArray[np.float64]  # (n_frequencies,) of the table's variance; 0 at frequency 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrequencies(Result):
    """The frequencies a network computes with, by a named definition."""

    estimate: float  # share of the table's variance at the key frequencies; exact, so without interval
    keys: NDArray[np.int64]  # (n_keys,) ascending
    method: str  # the definition used: "logit_variance" or "neuron_argmax"
    threshold: float  # smallest share that made a frequency a key (of the table's, or of one neuron's variance)
    null_share: float  # share that the largest of all frequencies exceeds in 5 % of white-noise tables
    frequencies: NDArray[np.int64]  # (n_frequencies,) 0 … ⌊p/2⌋
    share: NDArray[np.float64]  # (n_frequencies,) of the table's variance; 0 at frequency 0


def embedding_spectrum(
    embedding: ArrayLike, *, rng: np.random.Generator | None = None, n_null: int = 999
) -> EmbeddingSpectrum:
    """Discrete Fourier transform of an embedding over ℤ_p, and the Gini coefficient of its component norms.

    The Gini coefficient is that of the DFT-norm vector of Nanda et al. [1]: the embedding is expanded in the
    orthonormal real basis (constant, cos w_k t, sin w_k t), and each component's norm over the embedding dimensions is
    one entry. The constant is left out: it is the mean embedding and no frequency. The same call serves the
    neuron–logit map W_L, with the output classes as rows.

    Args:
        embedding: One row per residue t = 0 … p − 1, shape `(p, n_dimensions)`, p ≥ 3; in any unit.
        rng: Source of randomness for the null band; without it `null` and `null_interval` are `None`.
        n_null: Number of Gaussian embeddings of the same shape behind the null band.

    Returns:
        Gini coefficient, power and share per frequency. All are exact functions of the embedding, not estimates from a
        sample, hence no interval; what a Gini coefficient means is read against `null_interval`.

    Raises:
        ValueError: If fewer than three rows arrive, or all rows are equal.

    References:
        [1] Nanda, Chan, Lieberum, Smith & Steinhardt (2023), Progress measures for grokking via mechanistic
            interpretability, ICLR, arXiv 2301.05217.

    Example:
        >>> angle = 2 * np.pi * 3 * np.arange(11) / 11
        >>> spectrum = embedding_spectrum(np.stack([np.cos(angle), np.sin(angle)], axis=1))
        >>> int(spectrum.share.argmax()), round(spectrum.estimate, 2)
        (3, 0.8)
    """
    rows = as_finite(embedding, name="embedding", ndim=2)
    if len(rows) < 3:
        raise ValueError(f"embedding needs one row per residue of ℤ_p, p ≥ 3; its shape is {rows.shape}")
    energy_cos, energy_sin = component_energies(rows)
    power = energy_cos + energy_sin
    norms = component_norms(energy_cos, energy_sin, len(rows))
    if power[1:].sum() <= 1e-24 * power.sum() or power.sum() == 0:
        raise ValueError(f"all {len(rows)} rows of embedding are equal, so it has no spectrum")
    ginis: ArrayLike = []
    if rng is not None:
        # An orthonormal transform of a Gaussian embedding is Gaussian: its component norms are χ with d degrees.
        ginis = gini_of_sorted(np.sort(np.sqrt(rng.chisquare(rows.shape[1], size=(n_null, len(norms)))), axis=1))
    null, null_interval = null_band(ginis)
    return EmbeddingSpectrum(
        estimate=gini(norms),
        null=null,
        null_interval=null_interval,
        frequencies=np.arange(len(power)),
        power=power,
        share=without_constant(power) / power[1:].sum(),
        component_norms=norms,
    )


def table_spectrum(table: ArrayLike, *, direction: Direction = "sum") -> TableSpectrum:
    """Share of a table's variance at each frequency of a + b (or a − b), from its two-dimensional Fourier transform.

    The component of frequency k is what cos(w_k(a + b)) and sin(w_k(a + b)) span; averaging the table along its
    diagonals a + b = s first gives all of them with one transform of length p. Variance means squared deviation
    from the mean over (a, b), summed over outputs. For white noise the share of m of the p² − 1 components follows the
    Beta distribution with parameters n·m/2 and n·(p² − 1 − m)/2, which gives the null band in closed form.

    Args:
        table: Logits or neuron activations on all pairs (a, b), shape `(p, p, n)`, p ≥ 3; in any unit.
        direction: `"sum"` for functions of a + b, `"difference"` for functions of a − b.

    Returns:
        The shares; exact functions of the full table, hence no interval but a null band.

    Raises:
        ValueError: If the table is not `(p, p, n)` or does not depend on (a, b).
    """
    values = as_table(table, name="table")
    p, _, n = values.shape
    total = variance_energy(values)
    energy_cos, energy_sin = component_energies(diagonal_means(values, direction))
    share = without_constant(p * (energy_cos + energy_sin)) / total
    low, high = (white_noise_share_quantile(q, n_components=p - 1, p=p, n_outputs=n) for q in (0.025, 0.975))
    norms = component_norms(energy_cos, energy_sin, p)
    return TableSpectrum(
        estimate=min(float(share.sum()), 1.0),
        null=1 / (p + 1),
        null_interval=(low, high),
        direction=direction,
        gini=gini(norms) if norms.any() else 0.0,
        frequencies=np.arange(len(share)),
        share=share,
    )


def key_frequencies(
    table: ArrayLike,
    *,
    method: KeyMethod = "logit_variance",
    threshold: float | None = None,
    direction: Direction = "sum",
) -> KeyFrequencies:
    """Frequencies a network on ℤ_p computes with, by one of two published definitions, which differ.

    `"logit_variance"` (default, because it needs nothing but the logits and finds nothing in an untrained network):
    every k whose components cos(w_k(a + b)), sin(w_k(a + b)) hold more than `threshold` = 2 % of the logit variance.
    `"neuron_argmax"` (the released code of [1]): for each neuron the frequency that explains most of its variance by
    the eight non-constant products of {1, cos w_k a, sin w_k a} and {1, cos w_k b, sin w_k b}; the keys are the
    frequencies so named. Every neuron names one, also in noise, so without a threshold an untrained network has almost
    every frequency as a key.

    Args:
        table: Logits for `"logit_variance"`, neuron activations for `"neuron_argmax"`, on all pairs, `(p, p, n)`.
        method: Which definition.
        threshold: Smallest share of variance: of the whole table (`"logit_variance"`, default 0.02), or of the
            neuron that names the frequency (`"neuron_argmax"`, default 0).
        direction: For `"logit_variance"`, `"sum"` or `"difference"`; `"neuron_argmax"` covers both at once.

    Returns:
        The keys, their share of the variance, and the share per frequency.

    Raises:
        ValueError: If the method is unknown, the table is not `(p, p, n)`, or it does not depend on (a, b).

    References:
        [1] Nanda, Chan, Lieberum, Smith & Steinhardt (2023), ICLR, arXiv 2301.05217.

    Example:
        >>> a, b, c = np.ogrid[:13, :13, :13]
        >>> key_frequencies(np.cos(2 * np.pi * 3 * (a + b - c) / 13)).keys
        array([3])
    """
    values = as_table(table, name="table")
    p, _, n = values.shape
    n_frequencies = p // 2
    caveats = []
    if method == "logit_variance":
        threshold = 0.02 if threshold is None else threshold
        share = table_spectrum(values, direction=direction).share
        keys = np.flatnonzero(share > threshold)
        n_components = 2
    elif method == "neuron_argmax":
        threshold = 0.0 if threshold is None else threshold
        energy, variance = neuron_energies(values)
        alive = variance > 1e-20 * variance.max()
        if not alive.all():
            caveats.append(f"{n - int(alive.sum())} of {n} neurons are constant and name no frequency")
        explained = energy[:, alive] / variance[alive]
        best, strongest = explained.argmax(axis=0), explained.max(axis=0)
        keys = np.unique(best[strongest > threshold])
        share = energy.sum(axis=1) / variance.sum()
        n_components = 8
    else:
        raise ValueError(f"method is 'logit_variance' or 'neuron_argmax', not {method!r}")
    null_share = white_noise_share_quantile(0.95 ** (1 / n_frequencies), n_components=n_components, p=p, n_outputs=n)
    if method == "logit_variance":
        held, limit, holder = share[keys], null_share, "the variance"
    else:  # the strongest neuron that names the key, against the strongest of as many neurons of white noise
        held = np.array([strongest[best == key].max() for key in keys])
        level = 0.95 ** (1 / (n_frequencies * int(alive.sum())))
        limit = white_noise_share_quantile(level, n_components=n_components, p=p, n_outputs=1)
        holder = "the variance of every neuron that names them"
    doubtful = keys[held < limit]
    if doubtful.size:
        caveats.append(
            f"keys {doubtful.tolist()} hold less than {limit:.3g} of {holder}, which the largest share in "
            "white noise of this shape exceeds in 5 % of tables; they may be noise"
        )
    return KeyFrequencies(
        estimate=float(share[keys].sum()),
        keys=keys.astype(np.int64),
        method=method,
        threshold=threshold,
        null_share=null_share,
        frequencies=np.arange(n_frequencies + 1),
        share=share,
        caveats=tuple(caveats),
    )
