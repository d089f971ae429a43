"""Structure of an embedding of ℤ_p: parallelograms (RQI), parallelograms of phases, and circularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.null_band import null_band
from phasescope.results import Result

PARALLELOGRAM_TOLERANCE = 0.01  # mean squared misfit of Liu et al., in units of the embedding's variance


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentationQuality(Result):
    """Representation quality index (RQI): share of the possible parallelograms that the embedding has."""

    estimate: float  # ordinary RQI, i + n = j + m; 0 … 1; exact, every parallelogram counted
    null: float | None  # median for a Gaussian embedding of the same shape
    null_interval: tuple[float, float] | None  # its 2.5 % and 97.5 % quantiles
    modular: float  # modular RQI, i + n ≡ j + m mod p
    modular_null: float | None
    modular_null_interval: tuple[float, float] | None
    phase: float | None  # modular RQI of the angles in the strongest Fourier plane; None where there is no plane
    phase_null: float | None
    phase_null_interval: tuple[float, float] | None
    frequency: int  # k of that plane
    n_parallelograms: int  # possible ordinary ones
    n_modular_parallelograms: int  # possible modular ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Circularity(Result):
    """How nearly the first principal components of an embedding are pure waves in the residue."""

    estimate: float  # mean of `per_component`, 0 … 1; exact, so without interval
    null: float | None  # median for a Gaussian embedding of the same shape
    null_interval: tuple[float, float] | None  # its 2.5 % and 97.5 % quantiles
    per_component: NDArray[np.float64]  # (n_components,) largest share of a component's energy at one frequency
    frequencies: NDArray[np.int64]  # (n_components,) that frequency


def representation_quality(
    embedding: ArrayLike,
    *,
    tolerance: float = PARALLELOGRAM_TOLERANCE,
    rng: np.random.Generator | None = None,
    n_null: int = 39,
) -> RepresentationQuality:
    """Representation quality index of Liu et al., ordinary, modular, and of phases.

    Ordinary: two different unordered pairs {i, n}, {j, m} of equal sum span a parallelogram if
    mean_d (E_i + E_n − E_j − E_m)_d² < `tolerance`, after every embedding dimension was given mean 0 and variance 1
    (n − 1 in the denominator, as in the released code [1]). The index is the share of all such pairs of pairs, counted
    exhaustively. Modular: the same with sums taken mod p. It is 1 for a line; for a circle index sums give trapezoids,
    so both indices are blind to circles. Phase: the angles θ of the rows in their strongest Fourier plane (as
    in `principal_plane`) span a parallelogram if |e^{i(θ_i + θ_n)} − e^{i(θ_j + θ_m)}|² < `tolerance`, again a squared
    misfit in units of the variance; it is 1 for a circle, and 0.03 for random angles.

    Args:
        embedding: One row per residue, shape `(p, n_dimensions)`, p ≥ 4; in any unit.
        tolerance: Largest mean squared misfit, in units of the variance of a dimension.
        rng: Source of randomness for the null bands; without it they are `None`.
        n_null: Number of Gaussian embeddings of the same shape behind the null bands.

    Returns:
        The three indices. All parallelograms are counted, so there is no sampling error to give an interval for; each
        is read against its null band.

    Raises:
        ValueError: If fewer than four rows arrive or all rows are equal.

    References:
        [1] Liu, Kitouni, Nolte, Michaud, Tegmark & Williams (2022), Towards understanding grokking: an effective theory
            of representation learning, NeurIPS, arXiv 2205.10343.

    Example:
        >>> quality = representation_quality(np.arange(10.0)[:, None])
        >>> quality.estimate, quality.phase
        (1.0, None)
    """
    rows = as_finite(embedding, name="embedding", ndim=2)
    if len(rows) < 4:
        raise ValueError(f"a parallelogram needs at least 4 residues; embedding has shape {rows.shape}")
    plane = principal_plane(rows)
    caveats: tuple[str, ...] = ()
    phase = None
    if plane.caveats:
        caveats += ("the embedding has no plane at its strongest frequency, so there is no phase RQI",)
    else:
        phase = _phase_index(plane.angles, tolerance)
    standardized, n_constant = _standardized(rows)
    if n_constant:
        caveats += (f"{n_constant} of {rows.shape[1]} dimensions are constant and left out",)
    ordinary, modular, n_ordinary, n_modular = _parallelogram_counts(standardized, tolerance)
    bands: NDArray[np.float64] = np.zeros((3, 0))
    if rng is not None:
        nulls = []
        for _ in range(n_null):
            drawn = rng.normal(size=rows.shape)
            real, real_modular, _, _ = _parallelogram_counts(_standardized(drawn)[0], tolerance)
            drawn_phase = np.nan if phase is None else _phase_index(principal_plane(drawn).angles, tolerance)
            nulls.append([real / n_ordinary, real_modular / n_modular, drawn_phase])
        bands = np.array(nulls).T
    null, null_interval = null_band(bands[0])
    modular_null, modular_null_interval = null_band(bands[1])
    phase_null, phase_null_interval = (None, None) if phase is None else null_band(bands[2])
    return RepresentationQuality(
        estimate=ordinary / n_ordinary,
        null=null,
        null_interval=null_interval,
        modular=modular / n_modular,
        modular_null=modular_null,
        modular_null_interval=modular_null_interval,
        phase=phase,
        phase_null=phase_null,
        phase_null_interval=phase_null_interval,
        frequency=plane.frequency,
        n_parallelograms=n_ordinary,
        n_modular_parallelograms=n_modular,
        caveats=caveats,
    )


def circularity(
    embedding: ArrayLike,
    *,
    n_components: int = 4,
    rng: np.random.Generator | None = None,
    n_null: int = 199,
) -> Circularity:
    """Circularity of Zhong et al.: mean over the first principal components of their purest-wave share.

    For each of the first `n_components` principal components, with v its unit-length vector of scores over residues,
    c = max_k 2 |Σ_t v_t e^{2πikt/p}|² / p is the share of its energy at its strongest frequency k = 1 … ⌊(p − 1)/2⌋;
    the estimate is their mean [1]. The authors call a network circular above 0.995.

    Args:
        embedding: One row per residue, shape `(p, n_dimensions)`, p ≥ 3; in any unit.
        n_components: Number of principal components; two make one circle.
        rng: Source of randomness for the null band; without it `null` and `null_interval` are `None`.
        n_null: Number of Gaussian embeddings of the same shape behind the null band.

    Returns:
        The mean, and the share and frequency per component. Exact functions of the embedding, hence no interval but a
        null band.

    Raises:
        ValueError: If fewer than three rows arrive or all rows are equal.

    References:
        [1] Zhong, Liu, Tegmark & Andreas (2023), The clock and the pizza, NeurIPS, arXiv 2306.17844.

    Example:
        >>> angle = 2 * np.pi * 3 * np.arange(11) / 11
        >>> round(circularity(np.stack([np.cos(angle), np.sin(angle)], axis=1), n_components=2).estimate, 6)
        1.0
    """
    rows = as_finite(embedding, name="embedding", ndim=2)
    if len(rows) < 3 or n_components < 1:
        raise ValueError(f"circularity needs p ≥ 3 rows and n_components ≥ 1; got {rows.shape} and {n_components}")
    shares, frequencies = _wave_shares(rows, n_components)
    caveats: tuple[str, ...] = ()
    if len(shares) < n_components:
        caveats = (f"the embedding has {len(shares)} principal components, fewer than {n_components}",)
    drawn = [] if rng is None else [rng.normal(size=rows.shape) for _ in range(n_null)]
    null, null_interval = null_band([_wave_shares(cloud, n_components)[0].mean() for cloud in drawn])
    return Circularity(
        estimate=float(shares.mean()),
        null=null,
        null_interval=null_interval,
        per_component=shares,
        frequencies=frequencies,
        caveats=caveats,
    )


def _standardized(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Rows with mean 0 and variance 1 in every dimension that varies, and the number that do not."""
    spread = rows.std(axis=0, ddof=1)
    varies = spread > 1e-12 * np.abs(rows).max()
    return (rows[:, varies] - rows[:, varies].mean(axis=0)) / spread[varies], int((~varies).sum())


def _parallelogram_counts(points: NDArray[np.float64], tolerance: float) -> tuple[int, int, int, int]:
    """Ordinary and modular parallelograms that close within the tolerance, then how many are possible of each."""
    p, n_dimensions = points.shape
    closed = closed_modular = possible = possible_modular = 0
    i, n = np.triu_indices(p)
    sums = i + n
    order = np.argsort(sums % p, kind="stable")
    for pairs in np.split(order, np.cumsum(np.bincount(sums % p, minlength=p))[:-1]):
        # All pairs {i, n} of one sum mod p; two of them close a parallelogram if their midpoints coincide.
        midpoints = points[i[pairs]] + points[n[pairs]]
        square = (midpoints**2).sum(axis=1)
        misfit = (square[:, None] + square - 2 * midpoints @ midpoints.T) / n_dimensions
        closes = np.triu(misfit < tolerance, k=1)
        same_sum = np.triu(sums[pairs][:, None] == sums[pairs], k=1)
        closed_modular += int(closes.sum())
        closed += int((closes & same_sum).sum())
        possible_modular += len(pairs) * (len(pairs) - 1) // 2
        possible += int(same_sum.sum())
    return closed, closed_modular, possible, possible_modular


def _phase_index(angles: NDArray[np.float64], tolerance: float) -> float:
    """Share of modular parallelograms of unit phasors multiplied instead of vectors added."""
    p = len(angles)
    phasor = np.exp(1j * angles)
    i, n = np.triu_indices(p)
    product = phasor[i] * phasor[n]
    closed = possible = 0
    for residue in range(p):
        pairs = product[(i + n) % p == residue]
        misfit = np.abs(pairs[:, None] - pairs) ** 2
        closed += (int(np.count_nonzero(misfit < tolerance)) - len(pairs)) // 2
        possible += len(pairs) * (len(pairs) - 1) // 2
    return closed / possible


def _wave_shares(rows: NDArray[np.float64], n_components: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Largest one-frequency share of each of the first principal components' energy, and that frequency."""
    p = len(rows)
    scores, singular, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    if singular[0] <= 1e-12 * np.abs(rows).max():
        raise ValueError(f"all {p} rows of embedding are equal, so it has no principal components")
    scores = scores[:, singular > 1e-9 * singular[0]][:, :n_components]
    share = 2 * np.abs(np.fft.rfft(scores, axis=0)[1 : (p + 1) // 2]) ** 2 / p
    return np.minimum(share.max(axis=0), 1.0), 1 + share.argmax(axis=0)
