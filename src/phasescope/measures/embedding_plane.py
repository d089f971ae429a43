"""The plane in which an embedding of ℤ_p is most nearly a circle, with coordinates not fitted to themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.fourier import embedding_spectrum
from phasescope.measures.null_band import null_band
from phasescope.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalPlane(Result):
    """An embedding seen in the plane of its strongest Fourier frequency, and in its first two principal components."""

    estimate: float  # circularity of the plane: share of its energy on one evenly traversed circle, 0 … 1; exact
    null: float | None  # median of the same for a Gaussian embedding of this shape
    null_interval: tuple[float, float] | None  # its 2.5 % and 97.5 % quantiles
    frequency: int  # k of the plane: residue t sits near the angle 2πkt/p
    share: float  # of the centered embedding's energy that lies at this frequency
    coordinates: NDArray[np.float64]  # (p, 2) in the unit of the embedding; a cloud around 0 when there is no circle
    angles: NDArray[np.float64]  # (p,) radians in (−π, π]
    order: NDArray[np.int64]  # (p,) residues by angle, counter-clockwise from −π
    pca_coordinates: NDArray[np.float64]  # (p, 2) first two principal components, in the unit of the embedding
    pca_share: tuple[float, float]  # of the centered embedding's energy in each of the two


def principal_plane(
    embedding: ArrayLike,
    *,
    frequency: int | None = None,
    rng: np.random.Generator | None = None,
    n_null: int = 199,
) -> PrincipalPlane:
    """Project an embedding of ℤ_p on the plane of its strongest Fourier frequency.

    The plane of frequency k is spanned by u = Σ_t E_t cos(w_k t) and v = Σ_t E_t sin(w_k t), w_k = 2πk/p. Projecting
    E_t on a plane fitted with E_t in it draws a noisy circle from any cloud once the embedding has more dimensions
    than residues; so each row is projected on the plane fitted without it (leave one out), turned to match u and v as
    closely as an isometry can. An exact circle, alone or among circles of other frequencies, keeps its exact angles,
    and independent noise stays a cloud.

    Args:
        embedding: One row per residue t = 0 … p − 1, shape `(p, n_dimensions)`, p ≥ 3; in any unit.
        frequency: The plane's k, 1 … ⌊(p − 1)/2⌋; by default the one with the largest power.
        rng: Source of randomness for the null band; without it `null` and `null_interval` are `None`.
        n_null: Number of Gaussian embeddings of the same shape, each seen in its own strongest plane.

    Returns:
        Coordinates, angles and circularity |mean_t z_t e^{−i w_k t}|² / mean_t |z_t|² of the complex coordinates z. All
        are exact functions of the embedding, hence no interval but a null band.

    Raises:
        ValueError: If fewer than three rows arrive, all rows are equal, or the frequency is out of range.

    Example:
        >>> angle = 2 * np.pi * 3 * np.arange(11) / 11
        >>> plane = principal_plane(np.stack([np.cos(angle), np.sin(angle)], axis=1))
        >>> plane.frequency, round(plane.estimate, 6), plane.order[:3]
        (3, 1.0, array([ 2,  6, 10]))
    """
    rows = as_finite(embedding, name="embedding", ndim=2)
    spectrum = embedding_spectrum(rows)
    p = len(rows)
    highest = (p - 1) // 2
    if frequency is None:
        frequency = _strongest(spectrum.power, p)
    elif not 1 <= frequency <= highest:
        raise ValueError(f"frequency lies in 1 … {highest} for p = {p}; it is {frequency}")
    centered = rows - rows.mean(axis=0)
    coordinates, is_plane = _left_out_coordinates(centered, frequency)
    caveats: tuple[str, ...] = ()
    if not is_plane:
        caveats = (f"at frequency {frequency} the embedding moves along a line, so it has no angles of its own",)
    clouds = [] if rng is None else [rng.normal(size=rows.shape) for _ in range(n_null)]
    null, null_interval = null_band([_own_roundness(cloud) for cloud in clouds])
    angles = np.arctan2(coordinates[:, 1], coordinates[:, 0])
    left, singular, _ = np.linalg.svd(centered, full_matrices=False)
    energy = np.append(singular**2 / (singular**2).sum(), 0.0)
    components = left[:, :2] * singular[:2]
    return PrincipalPlane(
        estimate=_roundness(coordinates, frequency),
        null=null,
        null_interval=null_interval,
        frequency=frequency,
        share=float(spectrum.share[frequency]),
        coordinates=coordinates,
        angles=angles,
        order=np.argsort(angles, kind="stable"),
        pca_coordinates=np.pad(components, ((0, 0), (0, 2 - components.shape[1]))),
        pca_share=(float(energy[0]), float(energy[1])),
        caveats=caveats,
    )


def _strongest(power: NDArray[np.float64], p: int) -> int:
    """Frequency with the largest power among those that span a plane."""
    return 1 + int(power[1 : (p + 1) // 2].argmax())


def _own_roundness(cloud: NDArray[np.float64]) -> float:
    """Circularity of a cloud in its own strongest plane."""
    frequency = _strongest(embedding_spectrum(cloud).power, len(cloud))
    return _roundness(_left_out_coordinates(cloud - cloud.mean(axis=0), frequency)[0], frequency)


def _left_out_coordinates(centered: NDArray[np.float64], frequency: int) -> tuple[NDArray[np.float64], bool]:
    """Each row's coordinates in the plane fitted to the other rows, `(p, 2)`, and whether it is a plane at all."""
    p = len(centered)
    angle = 2 * np.pi * (frequency * np.arange(p) % p) / p
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    axes = centered.T @ circle
    projection = centered @ axes
    energy = (centered**2).sum(axis=1)
    # With U = axes and c_t the circle's point, the plane without row t is U − E_t c_tᵀ.
    projection_left_out = projection - energy[:, None] * circle
    cross = projection[:, :, None] * circle[:, None, :]
    gram = axes.T @ axes - cross - cross.transpose(0, 2, 1)
    gram = gram + energy[:, None, None] * circle[:, :, None] * circle[:, None, :]
    # Polar factor: an orthonormal pair as close to the two axes as possible, so lengths and angles are kept.
    values, vectors = np.linalg.eigh(gram)
    largest = values[:, -1:]
    usable = values > 1e-12 * largest
    inverse_root = np.where(usable, 1 / np.sqrt(np.where(usable, values, 1.0)), 0.0)
    whitened = np.einsum("ti,tik,tk,tjk->tj", projection_left_out, vectors, inverse_root, vectors)
    weakest, strongest = np.linalg.eigvalsh(axes.T @ axes)
    return whitened, bool(weakest > 1e-12 * strongest)


def _roundness(coordinates: NDArray[np.float64], frequency: int) -> float:
    """Share of the energy of the complex coordinates at the given frequency, in its sense of rotation alone."""
    p = len(coordinates)
    points = coordinates[:, 0] + 1j * coordinates[:, 1]
    energy = float((np.abs(points) ** 2).mean())
    if energy == 0.0:
        return 0.0
    turn = np.exp(-2j * np.pi * (frequency * np.arange(p) % p) / p)
    return min(float(np.abs((points * turn).mean()) ** 2 / energy), 1.0)
