"""Spectrum of the covariance of gradients, through the n × n matrix of their products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite, as_numpy
from phasescope.measures.noise_bulk import fit_bulk
from phasescope.results import Result

NULLS = ("sign_flip", "permutation")
LEVEL = 0.05
_COLUMNS = 4_096  # parameters taken at a time

FloatArray = NDArray[np.float64]
Blocks = ArrayLike | Callable[[], Iterable[ArrayLike]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientSpectrum(Result):
    """Eigenvalues of the covariance of n gradients in d dimensions; all but n of the d are 0 and left out."""

    n_gradients: int
    n_parameters: int
    eigenvalues: NDArray[np.float64]  # (n_gradients,) rising, in the squared unit of the gradient
    trace: float  # total variance, the sum of the eigenvalues
    mean_share: float  # squared norm of the mean gradient over the mean squared norm; about 1/n if the mean is 0
    participation_ratio: float  # (Σλ)² / Σλ²
    effective_rank: float  # exp of the entropy of λ / Σλ
    top_share: float  # of the largest eigenvalue in the trace
    n_outliers: int  # eigenvalues above those of gradients without common directions
    p_value: float  # of the largest one: (1 + number of null draws that reach it) / (1 + number of draws)
    null: str  # "sign_flip" or "permutation"
    null_largest: NDArray[np.float64]  # (n_null,) largest eigenvalue of each draw
    null_median: NDArray[np.float64]  # (n_gradients,) median of the draws, eigenvalue by eigenvalue
    marchenko_pastur_edge: (
        float | None
    )  # upper edge of the law fitted to the bulk; for independent equal parameters only
    n_beyond_edge: int | None  # eigenvalues beyond it by the Tracy–Widom test
    verdict: str


def gradient_spectrum(
    gradients: Blocks,
    *,
    center: bool = True,
    null: str = "sign_flip",
    n_null: int = 39,
    level: float = LEVEL,
    rng: np.random.Generator,
) -> GradientSpectrum:
    """Spectrum of the covariance of gradients, per sample or per step, against gradients that share no direction.

    With G of shape `(n, d)` the n eigenvalues of the covariance Gᵀ G / n that are not 0 are those of G Gᵀ / n, which is
    summed over blocks of parameters: memory is n² and one block, never d².

    The null keeps every entry's size. `sign_flip`: every entry of G changes its sign at random, which leaves each
    gradient's norm and each parameter's second moment and removes what gradients have in common [1]. `permutation`: the
    entries of each parameter are dealt to the gradients anew [2], which keeps its distribution and evens out the norms
    of the gradients. An eigenvalue counts as an outlier if it lies above the quantile 1 − level of the largest
    eigenvalue of the null.

    Args:
        gradients: Array or tensor `(n, d)`; or, for gradients too large to hold, a function without arguments which
            yields blocks `(n, d_block)`, the same each time it is called, for instance one per parameter tensor.
        center: Whether to subtract the mean gradient.
        null: "sign_flip" or "permutation".
        n_null: Draws of the null; each costs as much as the spectrum itself.
        level: Probability that the largest eigenvalue of gradients without common directions is called an outlier.
        rng: Source of randomness for the null.

    Raises:
        ValueError: If there are fewer than three gradients, all are equal, blocks do not match, or entries are not
            finite.

    References:
        [1] Hong, Sheng & Dobriban (2020), Selecting the number of components in PCA via random signflips, arXiv
            2012.02985.
        [2] Horn (1965), Psychometrika 30, 179; Buja & Eyuboglu (1992), Multivariate Behavioral Research 27, 509.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noise, direction = rng.standard_normal((50, 2_000)), rng.standard_normal(2_000)
        >>> found = gradient_spectrum(noise + rng.standard_normal((50, 1)) * direction, rng=rng)
        >>> found.n_outliers
        1
    """
    if null not in NULLS:
        raise ValueError(f"null must be one of {', '.join(NULLS)}; got {null!r}")
    if n_null < round(1 / level) - 1:
        raise ValueError(
            f"{n_null} draws of the null cannot reach level {level:g}; use at least {round(1 / level) - 1}"
        )
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, such as default_rng(0); got {type(rng).__name__}")
    products, null_products, n_parameters, energy, mean_energy = _products(gradients, center, null, n_null, rng)
    n = len(products)
    eigenvalues = np.maximum(np.linalg.eigvalsh(products), 0.0) / n
    if eigenvalues[-1] <= 1e-12 * max(energy, 1e-300):
        raise ValueError(f"all {n} gradients are equal, so they have no covariance; look at the batches they come from")
    drawn = np.maximum(np.linalg.eigvalsh(null_products), 0.0) / n
    largest = np.sort(drawn[:, -1])
    threshold = float(np.quantile(largest, 1 - level, method="higher"))
    n_outliers = int(np.count_nonzero(eigenvalues > threshold))
    p_value = (1 + int(np.count_nonzero(largest >= eigenvalues[-1]))) / (1 + n_null)
    n_outliers = n_outliers if p_value <= level else 0
    shares = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    edge, n_beyond = _marchenko_pastur(eigenvalues, n, n_parameters, center)
    return GradientSpectrum(
        n_gradients=n,
        n_parameters=n_parameters,
        eigenvalues=eigenvalues,
        trace=float(eigenvalues.sum()),
        mean_share=mean_energy / energy,
        participation_ratio=float(1 / (shares**2).sum()),
        effective_rank=float(np.exp(-(shares * np.log(shares)).sum())),
        top_share=float(shares.max()),
        n_outliers=n_outliers,
        p_value=p_value,
        null=null,
        null_largest=drawn[:, -1],
        null_median=np.median(drawn, axis=0),
        marchenko_pastur_edge=edge,
        n_beyond_edge=n_beyond,
        verdict=_verdict(n_outliers, null),
        caveats=_caveats(n, n_parameters, n_outliers, n_beyond),
    )


def _products(
    gradients: Blocks, center: bool, null: str, n_null: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, int, float, float]:
    """G Gᵀ, the same for each draw of the null, the number of parameters, mean squared norm, and that of the mean."""
    products: FloatArray | None = None
    nulls: FloatArray = np.zeros((n_null, 0, 0))
    n_parameters, energy, mean_energy = 0, 0.0, 0.0
    for block in _blocks(gradients):
        n = len(block)
        if n < 3:
            raise ValueError(f"a covariance needs at least 3 gradients, one per row; {n} arrived")
        if products is None:
            products, nulls = np.zeros((n, n)), np.zeros((n_null, n, n))
        if n != len(products):
            raise ValueError(f"blocks must have one row per gradient; {n} rows arrived after blocks of {len(products)}")
        mean = block.mean(axis=0)
        energy += float(np.vdot(block, block)) / n
        mean_energy += float(mean @ mean)
        n_parameters += block.shape[1]
        centered = block - mean if center else block
        products += _outer(centered)
        for one in nulls:
            one += _outer(rng.permuted(centered, axis=0) if null == "permutation" else _flipped(centered, rng))
    if products is None:
        raise ValueError("gradients yielded no block; a function must return a new iterator each time it is called")
    if center and null == "sign_flip":
        nulls = _centered(nulls, np.diagonal(products))
    return products, nulls, n_parameters, energy, mean_energy


def _centered(nulls: FloatArray, squares: FloatArray) -> FloatArray:
    """Products of sign-flipped gradients as they are after centering, with the norms that the centered gradients have.

    Centering independent gradients of squared norm a leaves a (1 − 2/n) + Σa/n² of each, which is solved for a.
    """
    n = len(squares)
    total = squares.sum() * n / (n - 1)
    before = np.maximum(squares - total / n**2, 0.0) / (1 - 2 / n)
    scale = np.sqrt(before / np.where(squares > 0, squares, 1.0))
    scaled = nulls * scale[:, None] * scale
    means = scaled.mean(axis=2)
    return np.asarray(scaled - means[:, :, None] - means[:, None, :] + means.mean(axis=1)[:, None, None])


def _blocks(gradients: Blocks) -> Iterator[NDArray[np.float64]]:
    pieces: Any = gradients() if callable(gradients) else [gradients]
    for piece in pieces:
        table: Any = piece if hasattr(piece, "shape") else as_numpy(piece)
        if len(table.shape) < 2:
            raise ValueError(
                f"gradients must have one row per sample or step, (n, d); their shape is {tuple(table.shape)}"
            )
        table = table.reshape(table.shape[0], -1)
        for start in range(0, table.shape[1], _COLUMNS):
            yield as_finite(table[:, start : start + _COLUMNS], name="gradients", ndim=2)


def _outer(block: FloatArray) -> FloatArray:
    return np.asarray(block @ block.T)


def _flipped(block: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    bits = np.unpackbits(np.frombuffer(rng.bytes((block.size + 7) // 8), dtype=np.uint8), count=block.size)
    signs = np.asarray(2.0 * bits.reshape(block.shape) - 1.0, dtype=np.float64)
    return block * signs


def _marchenko_pastur(
    eigenvalues: NDArray[np.float64], n: int, n_parameters: int, center: bool
) -> tuple[float | None, int | None]:
    if n_parameters < n:
        return None, None
    kept = eigenvalues[1:] if center else eigenvalues  # centering takes one direction away
    bulk = fit_bulk(kept * n / n_parameters, n_parameters, level=LEVEL)
    return (bulk.high * n_parameters / n, bulk.n_beyond) if bulk.variance > 0 else (None, None)


def _verdict(n_outliers: int, null: str) -> str:
    kind = "sign-flipped" if null == "sign_flip" else "permuted"
    if n_outliers == 0:
        return f"no common direction: like {kind} gradients"
    return f"{n_outliers} common direction{'s' if n_outliers > 1 else ''} beyond {kind} gradients"


def _caveats(n: int, n_parameters: int, n_outliers: int, n_beyond: int | None) -> tuple[str, ...]:
    caveats: tuple[str, ...] = ()
    if n_parameters < n:
        caveats += (
            f"{n} gradients of {n_parameters} parameters: the spectrum has {n - n_parameters} zeros of necessity",
        )
    if n_beyond is not None and n_beyond > 2 * n_outliers + 2:
        caveats += (
            f"{n_beyond} eigenvalues lie beyond the Marchenko–Pastur edge, {n_outliers} beyond the null: "
            "parameters or gradients differ in size, and the law for equal ones does not apply",
        )
    return caveats
