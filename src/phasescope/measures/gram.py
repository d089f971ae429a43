"""Squared singular values of large matrices through the smaller Gram matrix, tile by tile.

A matrix of shape `(n_rows, n_columns)` has min(n_rows, n_columns) of them, the eigenvalues of W Wᵀ or Wᵀ W, whichever
is smaller. The Gram matrix is summed over tiles along the longer side, so memory beyond the matrix itself is that of
one tile and of the Gram matrix, whatever the longer side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, eigh, svdvals
from scipy.linalg.blas import dsyrk, ssyrk

from phasescope.measures.arrays import as_finite, as_numpy

TILE_BYTES = 16 * 2**20
MOST_DECOMPOSED = 2**22  # entries of a matrix whose singular values are computed where squaring loses some
LOST = 1e3  # errors below which an eigenvalue counts as lost by squaring
_SAFE = {"float64": (1e-120, 1e140), "float32": (1e-12, 1e15)}  # sums of squares whose squares do not overflow


@dataclass(frozen=True, slots=True, kw_only=True)
class GramSpectrum:
    """Eigenvalues of the smaller Gram matrix and how far rounding may have moved them."""

    eigenvalues: NDArray[np.float64]  # (min(n_rows, n_columns),) rising, none negative
    error: float  # of each eigenvalue, absolute: (4 √shorter side + 2 √longer side) ε λ_max
    resolution: float  # those below cannot be told from 0: `error`, or its square where singular values were taken
    excess_kurtosis: float  # of the entries about 0: their mean fourth power over their squared mean square, less 3


def as_matrix(weight: ArrayLike, *, name: str = "weight") -> Any:
    """The weight as an array or tensor with two axes, not copied and not yet converted.

    More than two axes, as of convolutions `(n_out, n_in, height, width)`, become `(n_out, n_in · height · width)`: one
    row per output, as the layer multiplies. Entries drawn independently then stay so, and the spectrum is
    Marchenko–Pastur's.

    Raises:
        ValueError: If there are fewer than two axes, or entries that are complex or no numbers.
    """
    matrix: Any = weight if hasattr(weight, "shape") and hasattr(weight, "reshape") else as_numpy(weight)
    if hasattr(matrix, "detach"):
        matrix = matrix.detach()
    shape = tuple(matrix.shape)
    if len(shape) < 2:
        raise ValueError(
            f"{name} has shape {shape}, and a spectrum needs a matrix: leave out biases, gains and other vectors"
        )
    kind = str(matrix.dtype)
    if "complex" in kind or not any(word in kind for word in ("float", "int", "bool")):
        raise ValueError(f"{name} must be real numbers; its entries are {kind}")
    return matrix.reshape(shape[0], math.prod(shape[1:])) if len(shape) > 2 else matrix


def gram_spectrum(
    weight: ArrayLike, *, dtype: str = "float64", n_exact: int | None = None, name: str = "weight"
) -> GramSpectrum:
    """Squared singular values of a matrix of any length, rising.

    Args:
        weight: Matrix, array or tensor, or a weight of more axes (see `as_matrix`).
        dtype: "float64", or "float32" for about twice the speed: eigenvalues are then exact to
            about 1e-5 of the largest one.
        n_exact: How many of the largest eigenvalues must not be lost; all of them by default.
        name: What an error calls the matrix.

    Returns:
        The eigenvalues in float64, and how far rounding may have moved each. Squaring loses the smallest ones; where
        those that are wanted are known to less than a thousandth, singular values are computed instead, in float64 and
        for up to 4 million entries.

    Raises:
        ValueError: If entries are NaN, infinite, or beyond 1e±60; if an axis is empty; if `dtype` is neither of the
            two.
    """
    if dtype not in _SAFE:
        raise ValueError(f"dtype must be 'float64' or 'float32'; got {dtype!r}")
    matrix = as_matrix(weight, name=name)
    if 0 in tuple(matrix.shape):
        raise ValueError(f"{name} has an empty axis; its shape is {tuple(matrix.shape)}")
    gram, fourth = _gram(matrix, dtype, 1.0)
    diagonal = np.diagonal(gram)
    low, high = _SAFE[dtype]
    largest = float(diagonal.max()) if np.isfinite(diagonal).all() else math.inf
    scale = 1.0
    if not low < largest < high:
        top = max(float(np.abs(as_finite(tile, name=name, ndim=2)).max()) for tile in _tiles(matrix, "float64"))
        if top == 0:
            raise ValueError(f"{name} is 0 in all {math.prod(matrix.shape)} entries, so it has no spectrum")
        scale = 2.0 ** -math.frexp(top)[1]
        gram, fourth = _gram(matrix, dtype, scale)
    kurtosis = fourth * math.prod(matrix.shape) / float(np.diagonal(gram).sum(dtype=np.float64)) ** 2 - 3
    eigenvalues = np.maximum(eigenvalues_of(gram), 0.0)
    # Errors add up like random ones: in the eigensolver over the shorter side, in the sums over the longer one.
    steps = 4 * math.sqrt(min(matrix.shape)) + 2 * math.sqrt(max(matrix.shape))
    error = resolution = steps * float(np.finfo(dtype).eps) * float(eigenvalues[-1])
    smallest = eigenvalues[0 if n_exact is None else max(eigenvalues.size - n_exact, 0)]
    if dtype == "float64" and smallest <= LOST * error and math.prod(matrix.shape) <= MOST_DECOMPOSED:
        whole = np.concatenate(list(_tiles(matrix, dtype, scale)), axis=0 if matrix.shape[0] >= matrix.shape[1] else 1)
        eigenvalues = svdvals(whole, overwrite_a=True, check_finite=False)[::-1] ** 2
        resolution = (steps * float(np.finfo(dtype).eps)) ** 2 * float(eigenvalues[-1])
    return GramSpectrum(
        eigenvalues=eigenvalues / scale**2,
        error=error / scale**2,
        resolution=resolution / scale**2,
        excess_kurtosis=kurtosis,
    )


def eigenvalues_of(gram: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float64]:
    """Eigenvalues of a symmetric matrix of which only the upper triangle is read, rising."""
    try:
        found = eigh(gram, eigvals_only=True, lower=False, check_finite=False, driver="evr")
    except LinAlgError:  # the fastest driver is allowed not to converge
        found = eigh(gram, eigvals_only=True, lower=False, check_finite=False, driver="ev")
    return np.asarray(found, dtype=np.float64)


def _gram(matrix: Any, dtype: str, scale: float) -> tuple[NDArray[Any], float]:
    """Upper triangle of the smaller Gram matrix of `scale` times the matrix, and the sum of its fourth powers."""
    size = min(matrix.shape)
    rank_update = dsyrk if dtype == "float64" else ssyrk
    gram: NDArray[Any] = np.zeros((size, size), dtype=dtype, order="F")
    tall = matrix.shape[0] >= matrix.shape[1]
    fourth = 0.0
    for tile in _tiles(matrix, dtype, scale):
        # Transposed, a C-ordered tile is what the Fortran routine wants: no copy.
        gram = rank_update(1.0, tile.T, beta=1.0, c=gram, trans=0 if tall else 1, overwrite_c=1)
        fourth += _fourth_powers(tile)
    return gram, fourth


def _fourth_powers(tile: NDArray[Any]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):  # seen on the diagonal of the Gram matrix
        squares = np.square(tile)
        return float(np.vdot(squares, squares))


def _tiles(matrix: Any, dtype: str, scale: float = 1.0) -> Any:
    """The matrix in pieces along its longer side, C-ordered, converted one at a time."""
    n_rows, n_columns = matrix.shape
    longer, shorter = max(n_rows, n_columns), min(n_rows, n_columns)
    step = max(TILE_BYTES // (8 * shorter), 1)
    for start in range(0, longer, step):
        piece = matrix[start : start + step] if n_rows >= n_columns else matrix[:, start : start + step]
        tile = as_numpy(piece)
        if scale != 1.0:
            tile = tile.astype(np.float64) * scale
        with np.errstate(over="ignore"):  # seen on the diagonal of the Gram matrix, and mended by a scale
            tile = np.ascontiguousarray(tile, dtype=dtype)
        yield tile
