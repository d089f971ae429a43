"""Random matrices whose spectra are known: noise, noise with spikes, and entries with a heavy tail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def gaussian_matrix(
    n_rows: int, n_columns: int, *, standard_deviation: float = 1.0, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Independent Gaussian entries: Marchenko–Pastur eigenvalues, the largest of them Tracy–Widom.

    Raises:
        ValueError: If a size or the standard deviation is not positive.
    """
    _check(n_rows, n_columns, standard_deviation)
    return standard_deviation * rng.standard_normal((n_rows, n_columns))


def spiked_matrix(
    n_rows: int,
    n_columns: int,
    *,
    strengths: Sequence[float],
    standard_deviation: float = 1.0,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Gaussian columns whose covariance is σ² along all but a few directions, and σ² (1 + θ) along those.

    With c = n_rows / n_columns, a spike θ separates from the bulk of W Wᵀ / n_columns if θ > √c, at σ² (1 + θ)(1 +
    c/θ); a weaker one leaves no trace in the eigenvalues [1]. The directions are the first coordinates: rotations do
    not change a spectrum.

    Args:
        n_rows: Variables, p.
        n_columns: Samples, n.
        strengths: θ of each spike, at most `n_rows` of them, each above −1.
        standard_deviation: σ.
        rng: Source of randomness.

    Raises:
        ValueError: If there are more spikes than rows, or one is −1 or less.

    References:
        [1] Baik, Ben Arous & Péché (2005), Annals of Probability 33, 1643; Baik & Silverstein (2006), Journal of
            Multivariate Analysis 97, 1382.
    """
    _check(n_rows, n_columns, standard_deviation)
    theta = np.asarray(strengths, dtype=np.float64)
    if theta.ndim != 1 or theta.size > n_rows or not (theta > -1).all():
        raise ValueError(f"strengths must be at most {n_rows} numbers above −1; got {strengths!r}")
    matrix = standard_deviation * rng.standard_normal((n_rows, n_columns))
    matrix[: theta.size] *= np.sqrt(1 + theta)[:, None]
    return matrix


def spike_position(strength: float, aspect: float, *, variance: float = 1.0) -> float:
    """Where the sample eigenvalue of a spike σ² (1 + θ) lies: σ² (1 + θ)(1 + c/θ), or at the bulk's edge if θ ≤ √c."""
    if not (strength > 0 and aspect > 0 and variance > 0):
        raise ValueError(f"strength, aspect and variance must be positive; got {strength:g}, {aspect:g}, {variance:g}")
    theta = max(strength, float(np.sqrt(aspect)))
    return float(variance * (1 + theta) * (1 + aspect / theta))


def pareto_matrix(n_rows: int, n_columns: int, *, tail_index: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Independent entries of random sign whose magnitudes are Pareto, P(|x| > t) = t^−μ for t ≥ 1.

    For μ < 2 (Lévy matrices) the eigenvalues of W Wᵀ have no edge: their density falls as λ^−(1 + μ/2) [1, 2]. For μ >
    4 the bulk and its edge are those of Gaussian entries; between, the bulk is, and a few eigenvalues lie beyond it.

    Args:
        n_rows: Rows.
        n_columns: Columns.
        tail_index: μ > 0.
        rng: Source of randomness.

    References:
        [1] Cizeau & Bouchaud (1994), Physical Review E 50, 1810.
        [2] Belinschi, Dembo & Guionnet (2009), Communications in Mathematical Physics 289, 1023.
    """
    _check(n_rows, n_columns, tail_index)
    magnitude = (1 - rng.random((n_rows, n_columns))) ** (-1 / tail_index)
    return np.where(rng.random((n_rows, n_columns)) < 0.5, -magnitude, magnitude)


def _check(n_rows: int, n_columns: int, scale: float) -> None:
    if n_rows < 1 or n_columns < 1 or not 0 < scale < np.inf:
        raise ValueError(f"sizes and scale must be positive; got {n_rows} × {n_columns} and {scale:g}")
