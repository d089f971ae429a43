"""Candidate sigmoids as unit vectors, ready to be compared with many whitened series at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.autoregression import whiten

FloatArray = NDArray[np.float64]
TINY = float(np.finfo(float).tiny)


class Dictionary:
    """Candidate sigmoids for one autocorrelation: whitened, freed of the trend, of unit length."""

    def __init__(self, basis: FloatArray, candidates: FloatArray, autocorrelation: float) -> None:
        self.autocorrelation = autocorrelation
        white_basis = whiten(basis, autocorrelation)
        self.trend, triangle = np.linalg.qr(white_basis)
        self.log_determinant = float(np.log(np.maximum(np.abs(np.diag(triangle)), 1e-12)).sum())
        white = whiten(candidates, autocorrelation)
        rest = white - self.trend @ (self.trend.T @ white)
        self.lengths = np.linalg.norm(rest, axis=0)
        blind = self.lengths < 1e-3 * np.linalg.norm(white, axis=0)
        self.lengths[blind] = np.inf
        self.atoms = rest / self.lengths

    def residuals(self, series: FloatArray) -> FloatArray:
        """Whitened series without their trend, shape `(n_samples, n_series)`."""
        white = whiten(series, self.autocorrelation)
        rest: FloatArray = white - self.trend @ (self.trend.T @ white)
        return rest

    def best(self, series: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
        """Squares about the trend, their drop by the best candidate, and which one, each of shape `(n_series,)`."""
        rest = self.residuals(series)
        drops = (self.atoms.T @ rest) ** 2
        chosen = drops.argmax(axis=0)
        return (rest**2).sum(axis=0), np.take_along_axis(drops, chosen[None], axis=0)[0], chosen

    def pursue(self, values: FloatArray, n_sigmoids: int) -> Iterator[Pursuit]:
        """Pick sigmoids one after the other, each the best beside the others (orthogonal matching pursuit).

        After each pick the earlier ones are chosen anew, twice around: the first sigmoid beside a parabola may straddle
        a rise and a fall that two fit exactly.

        Args:
            values: One series, shape `(n_samples,)`.
            n_sigmoids: How many to pick at most.

        Yields:
            The state after each pick.
        """
        series = self.residuals(values[:, None])[:, 0]
        chosen: list[int] = []
        for _ in range(n_sigmoids):
            chosen.append(self._best_beside(series, chosen))
            for j in 2 * list(range(len(chosen) if len(chosen) > 1 else 0)):
                chosen[j] = self._best_beside(series, chosen[:j] + chosen[j + 1 :])
            orthogonal, triangle = np.linalg.qr(self.atoms[:, chosen])
            scales = np.abs(np.diag(triangle)) * np.where(np.isinf(self.lengths[chosen]), 1.0, self.lengths[chosen])
            yield Pursuit(
                tuple(chosen),
                series - orthogonal @ (orthogonal.T @ series),
                self.log_determinant + float(np.log(np.maximum(scales, TINY)).sum()),
            )

    def _best_beside(self, series: FloatArray, others: list[int]) -> int:
        """The sigmoid that lowers the residual sum of squares most when it joins some others."""
        orthogonal, _ = np.linalg.qr(self.atoms[:, others])
        rest = series - orthogonal @ (orthogonal.T @ series)
        new = 1.0 - np.sum((orthogonal.T @ self.atoms) ** 2, axis=0)  # squared length beside the others
        drops = np.where(new > 1e-3, (self.atoms.T @ rest) ** 2 / np.maximum(new, 1e-3), 0.0)
        return int(np.argmax(drops))


@dataclass(frozen=True, slots=True)
class Pursuit:
    """Sigmoids picked so far, and the whitened series without trend and without them."""

    chosen: tuple[int, ...]
    rest: FloatArray  # (n_samples,)
    log_determinant: float  # ½·ln det of the whitened columns' Gram matrix
