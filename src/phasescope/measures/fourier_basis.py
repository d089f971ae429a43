"""The Fourier basis over ℤ_p: component energies, diagonal means, and what white noise would show.

The basis is orthonormal and real: the constant, cos(w_k t) and sin(w_k t) with w_k = 2πk/p, k = 1 … ⌊p/2⌋ (for even p
the highest frequency has no sine), so energies add up to the squared norm of what is expanded.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from phasescope.measures.arrays import as_finite

Direction = Literal["sum", "difference"]


def gini(values: ArrayLike) -> float:
    """Gini coefficient of non-negative values: half their mean absolute difference over their mean.

    0 when all are equal, 1 − 1/n when one of n holds everything.

    Args:
        values: Shape `(n,)`, non-negative, not all zero.

    Returns:
        The coefficient, dimensionless.

    Raises:
        ValueError: If a value is negative or all are zero.
    """
    ordered = np.sort(as_finite(values, name="values", ndim=1))
    if ordered[0] < 0 or ordered[-1] == 0:
        raise ValueError(f"the Gini coefficient needs values ≥ 0, not all 0; they span {ordered[0]} … {ordered[-1]}")
    return float(gini_of_sorted(ordered))


def diagonal_means(table: NDArray[np.float64], direction: Direction) -> NDArray[np.float64]:
    """Mean of a `(p, p, n)` table over all (a, b) of equal a + b (or a − b) mod p, shape `(p, n)`."""
    p = len(table)
    a = np.arange(p)
    return np.asarray(table[a, diagonal_partners(p, direction)].mean(axis=1))


def diagonal_partners(p: int, direction: Direction) -> NDArray[np.int64]:
    """For every s and a, the b with a + b ≡ s (or a − b ≡ s) mod p, shape `(p, p)`, indexed `[s, a]`."""
    s, a = np.ogrid[:p, :p]
    if direction == "sum":
        return np.asarray((s - a) % p)
    if direction == "difference":
        return np.asarray((a - s) % p)
    raise ValueError(f"direction is 'sum' or 'difference', not {direction!r}")


def white_noise_share_quantile(probability: float, *, n_components: int, p: int, n_outputs: int) -> float:
    """Quantile of the variance share of `n_components` Fourier components in a white-noise `(p, p, n)` table."""
    inside = n_outputs * n_components / 2
    outside = n_outputs * (p * p - 1 - n_components) / 2
    return 1.0 if outside <= 0 else float(betaincinv(inside, outside, probability))


def variance_energy(table: NDArray[np.float64]) -> float:
    """Squared deviation from the mean over (a, b), summed over the table; refuses a table that is constant."""
    deviation = table - table.mean(axis=(0, 1))
    energy = float(np.vdot(deviation, deviation))
    if energy <= 1e-24 * float(np.vdot(table, table)):
        raise ValueError("table does not depend on (a, b), so it has no spectrum; its variance is zero")
    return energy


def component_energies(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies of the orthonormal cosine and sine components at frequencies 0 … ⌊p/2⌋ of rows `(p, n)`."""
    p = len(rows)
    transform = np.fft.rfft(rows, axis=0, norm="ortho")
    weight = np.full(p // 2 + 1, 2.0)
    weight[0] = 1.0
    if p % 2 == 0:
        weight[-1] = 1.0
    return weight * (transform.real**2).sum(axis=1), weight * (transform.imag**2).sum(axis=1)


def component_norms(cos: NDArray[np.float64], sin: NDArray[np.float64], p: int) -> NDArray[np.float64]:
    """The p − 1 norms beyond the constant; at k = p/2 there is no sine."""
    return np.asarray(np.sqrt(np.concatenate([cos[1:], sin[1 : (p + 1) // 2]])))


def without_constant(per_frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same values with 0 at frequency 0."""
    return np.concatenate([[0.0], per_frequency[1:]])


def neuron_energies(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy of each neuron in the eight components of each frequency, `(n_frequencies + 1, n)`, and its variance."""
    p, _, n = table.shape
    variance_energy(table)
    power = np.abs(np.fft.rfft2(table, axes=(0, 1), norm="ortho")) ** 2
    k = np.arange(1, (p + 1) // 2)
    energy = np.zeros((p // 2 + 1, n))
    # The transform of real numbers at (−k, −l) is the conjugate of that at (k, l): half of the eight, twice.
    energy[k] = 2 * (power[k, 0] + power[0, k] + power[k, k] + power[p - k, k])
    if p % 2 == 0:
        energy[p // 2] = power[p // 2, 0] + power[0, p // 2] + power[p // 2, p // 2]
    return energy, ((table - table.mean(axis=(0, 1))) ** 2).sum(axis=(0, 1))


def gini_of_sorted(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gini coefficient along the last axis of ascending values."""
    n = ordered.shape[-1]
    rank = 2 * np.arange(1, n + 1) - n - 1
    return np.asarray((ordered * rank).sum(axis=-1) / (n * ordered.sum(axis=-1)))
