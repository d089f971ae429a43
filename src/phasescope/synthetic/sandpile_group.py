"""What is known exactly about the Abelian sandpile: Green function, recurrent states, burning test, group identity.

References:
    Dhar (1990), Physical Review Letters 64, 1613; Dhar, Ruelle, Sen & Verma (1995), Journal of Physics A 28, 805.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.synthetic.lattice import Boundary, neighbor_table

# Height probabilities of the infinite square lattice: Majumdar & Dhar (1991); Priezzhev (1994); Poghosyan, Priezzhev &
# Ruelle (2011).
HEIGHT_PROBABILITIES = (
    2 / math.pi**2 * (1 - 2 / math.pi),
    1 / 4 - 1 / (2 * math.pi) - 3 / math.pi**2 + 12 / math.pi**3,
    3 / 8 + 1 / math.pi - 12 / math.pi**3,
    3 / 8 - 1 / (2 * math.pi) + 1 / math.pi**2 + 4 / math.pi**3,
)


def toppling_matrix(shape: tuple[int, ...], *, boundary: Boundary = "open", dissipation: int = 0) -> NDArray[np.int64]:
    """Δ: what each site (column) loses or gains when one (row) topples, shape `(n_sites, n_sites)`."""
    neighbors = neighbor_table(shape, boundary)
    n_sites, n_neighbors = neighbors.shape
    matrix = np.zeros((n_sites, n_sites + 1), dtype=np.int64)
    np.add.at(matrix, (np.arange(n_sites)[:, None], neighbors), -1)
    matrix[np.arange(n_sites), np.arange(n_sites)] += n_neighbors + dissipation
    return matrix[:, :-1]


def mean_topplings(size: int, *, dimension: int = 2) -> float:
    """Exact mean number of topplings per grain dropped at random on an open lattice: Σ_ij (Δ⁻¹)_ij / N.

    The inverse of the open lattice's Laplacian is diagonal in products of sines, so the sum over sites costs L^d.
    """
    if size < 1 or dimension < 1:
        raise ValueError(f"size and dimension must be at least 1; got {size} and {dimension}")
    modes = np.arange(1, size + 1)
    angle = np.pi * modes / (size + 1)
    # Squared sum over the sites of one normalized sine mode; zero for even ones.
    overlap = np.where(modes % 2 == 1, 2 / (size + 1) / np.tan(angle / 2) ** 2, 0.0)
    eigenvalues = 2 - 2 * np.cos(angle)
    total_overlap, total = np.ones(()), np.zeros(())
    for _ in range(dimension):
        total_overlap = np.multiply.outer(total_overlap, overlap)
        total = np.add.outer(total, eigenvalues)
    return float((total_overlap / total).sum() / size**dimension)


def n_recurrent_states(shape: tuple[int, ...], *, boundary: Boundary = "open", dissipation: int = 0) -> int:
    """Number of recurrent states, det Δ, exact (fraction-free elimination of whole numbers)."""
    matrix = [[int(x) for x in row] for row in toppling_matrix(shape, boundary=boundary, dissipation=dissipation)]
    n, before = len(matrix), 1
    for k in range(n - 1):  # Bareiss; Δ is positive definite, so no pivot is zero
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                matrix[i][j] = (matrix[i][j] * matrix[k][k] - matrix[i][k] * matrix[k][j]) // before
        before = matrix[k][k]
    return matrix[-1][-1]


def is_recurrent(heights: ArrayLike) -> bool:
    """Whether a state of an open lattice is recurrent, by the burning test.

    Fire enters from outside and burns a site with at least as many grains as it has neighbors that do not burn;
    recurrent states burn down.
    """
    pile = _whole(heights)
    neighbors = neighbor_table(pile.shape)
    flat = pile.ravel()
    burnt = np.zeros(pile.size + 1, dtype=bool)
    burnt[-1] = True
    while True:
        unburnt_neighbors = (~burnt[neighbors]).sum(axis=1)
        fresh = ~burnt[:-1] & (flat >= unburnt_neighbors)
        if not fresh.any():
            return bool(burnt.all())
        burnt[:-1] |= fresh


def relaxed(heights: ArrayLike) -> NDArray[np.int64]:
    """The stable state that a lattice with open boundary relaxes to, by toppling all unstable sites at once."""
    pile = _whole(heights).astype(np.int64)
    threshold = 2 * pile.ndim
    while (pile >= threshold).any():
        topplings = pile // threshold
        pile -= threshold * topplings
        for axis in range(pile.ndim):
            inner = [slice(None)] * pile.ndim
            outer = [slice(None)] * pile.ndim
            inner[axis], outer[axis] = slice(1, None), slice(None, -1)
            pile[tuple(inner)] += topplings[tuple(outer)]
            pile[tuple(outer)] += topplings[tuple(inner)]
    return pile


def identity(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Identity of the sandpile group of an open lattice: the recurrent state e with e + c = c for every recurrent c.

    With m the full stable state it is relaxed(2m − relaxed(2m)): what is added is equivalent to nothing, and not less
    than m, so the result is recurrent.
    """
    if not shape or min(shape) < 1:
        raise ValueError(f"a lattice needs at least one site along every axis; its shape is {shape}")
    full = np.full(shape, 2 * len(shape) - 1, dtype=np.int64)
    return relaxed(2 * full - relaxed(2 * full))


def _whole(heights: ArrayLike) -> NDArray[Any]:
    pile = np.asarray(heights)
    if pile.dtype.kind not in "iu" or pile.size == 0 or pile.ndim == 0:
        raise ValueError(f"heights need whole numbers; they have dtype {pile.dtype} and shape {pile.shape}")
    return pile
