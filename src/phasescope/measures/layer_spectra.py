"""Spectra of all layers of a network, with one false-alarm rate for all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.matrix_spectrum import LEVEL, N_BOOTSTRAP, MatrixSpectrum, matrix_spectrum
from phasescope.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpectra(Result):
    """One spectrum per layer, and which of them differ from noise when all are tested."""

    names: tuple[str, ...]  # of the layers
    p_values: NDArray[np.float64]  # (n_layers,) of the largest eigenvalue, each alone
    adjusted_p_values: NDArray[np.float64]  # (n_layers,) Holm's, for all layers together
    n_spikes: NDArray[np.int64]  # (n_layers,) 0 where the adjusted p is above the level
    noise_variances: NDArray[np.float64]  # (n_layers,) σ² of the entries of the noise
    effective_ranks: NDArray[np.float64]  # (n_layers,)
    ks_distances: NDArray[np.float64]  # (n_layers,) of the bulk from Marchenko–Pastur
    verdicts: tuple[str, ...]  # one per layer, at the level of all together
    level: float  # probability that any of the layers of a network of noise is not called noise
    n_unlike_noise: int  # layers with something beyond the edge
    n_heavy_tailed: int  # layers whose tail is a power law, or not distinguishable from one
    spectra: tuple[MatrixSpectrum, ...]

    def _rows(self) -> list[tuple[str, str]]:
        rows = [row for row in Result._rows(self) if row[0] not in ("names", "verdicts", "spectra")]
        counts = {one: self.verdicts.count(one) for one in dict.fromkeys(self.verdicts)}
        return [("layers", str(len(self.names))), *rows, *((one, f"{n} layers") for one, n in counts.items())]


def layer_spectra(
    weights: Mapping[str, ArrayLike] | Iterable[tuple[str, ArrayLike]],
    *,
    dtype: str = "float64",
    level: float = LEVEL,
    n_bootstrap: int = N_BOOTSTRAP,
    rng: np.random.Generator,
) -> LayerSpectra:
    """Compare every matrix of a network with noise; `model.state_dict()` or `model.named_parameters()` will do.

    With 48 layers of pure noise, the smallest of 48 p-values is below .05 in nine cases of ten. Holm's correction [1]
    keeps the probability that any layer is wrongly said to differ from noise at the level.

    Args:
        weights: Weights by name. Vectors (biases, gains), constant weights and matrices with one row or column are left
            out, which is said in a caveat. One weight is looked at at a time, so an iterator need not hold them all.
        dtype: As in `matrix_spectrum`.
        level: For all layers together.
        n_bootstrap: As in `matrix_spectrum`.
        rng: Source of randomness.

    Raises:
        ValueError: If there is no matrix among the weights, or one has NaN: the sentence names it.

    References:
        [1] Holm (1979), Scandinavian Journal of Statistics 6, 65.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> layers = {f"layer {i}": rng.uniform(-1, 1, (50, 80)) for i in range(20)} | {"bias": np.zeros(50)}
        >>> layers["layer 7"] += 0.3  # a direction of its own
        >>> found = layer_spectra(layers, rng=rng)
        >>> [name for name, n in zip(found.names, found.n_spikes, strict=True) if n]
        ['layer 7']
    """
    names: list[str] = []
    spectra: list[MatrixSpectrum] = []
    left_out: list[str] = []
    for name, weight in weights.items() if isinstance(weights, Mapping) else weights:
        shape = np.shape(weight)
        if len(shape) < 2 or shape[0] < 2 or int(np.prod(shape[1:])) < 2 or _is_constant(weight):
            left_out.append(name)
            continue
        try:
            spectra.append(matrix_spectrum(weight, dtype=dtype, level=level, n_bootstrap=n_bootstrap, rng=rng))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        names.append(name)
    if not spectra:
        raise ValueError(f"no matrix among {len(left_out)} weights; a spectrum needs at least 2 rows and 2 columns")
    p_values = np.array([one.p_value for one in spectra])
    adjusted = holm(p_values)
    noise_like = adjusted > level
    verdicts = tuple(
        "Marchenko–Pastur, no tail" if noise and one.verdict.startswith("bulk plus") else one.verdict
        for one, noise in zip(spectra, noise_like, strict=True)
    )
    caveats: tuple[str, ...] = ()
    if left_out:
        shown = ", ".join(left_out[:4]) + (", …" if len(left_out) > 4 else "")
        caveats += (f"{len(left_out)} weights have no spectrum (vectors, constants) and are left out: {shown}",)
    n_departing = sum(one.ks_distance > one.ks_noise for one in spectra)
    if n_departing:
        caveats += (
            f"in {n_departing} of {len(spectra)} layers the bulk is not exactly Marchenko–Pastur's: see their caveats",
        )
    return LayerSpectra(
        names=tuple(names),
        p_values=p_values,
        adjusted_p_values=adjusted,
        n_spikes=np.array([0 if noise else one.n_spikes for one, noise in zip(spectra, noise_like, strict=True)]),
        noise_variances=np.array([one.noise_variance for one in spectra]),
        effective_ranks=np.array([one.effective_rank for one in spectra]),
        ks_distances=np.array([one.ks_distance for one in spectra]),
        verdicts=verdicts,
        level=level,
        n_unlike_noise=int(np.count_nonzero(~noise_like)),
        n_heavy_tailed=sum(one.startswith("heavy tail") for one in verdicts),
        spectra=tuple(spectra),
        caveats=caveats,
    )


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p-values: those at most the level are rejected, with at most that chance of any false rejection.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    stepped = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = stepped
    return adjusted


def _is_constant(weight: ArrayLike) -> bool:
    from phasescope.measures.arrays import as_numpy

    array = as_numpy(weight[:2])  # type: ignore[index]
    if array.min() != array.max():  # NaN differs from itself, and is told by matrix_spectrum
        return False
    entries = as_numpy(weight)
    return bool(entries.min() == entries.max())
