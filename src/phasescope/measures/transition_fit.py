"""Where a transition lies and how wide it is: generalized least squares beside a trend and AR(1) noise.

The model is a trend in time, straight or a parabola, the sigmoids, and AR(1) noise.
The intervals are in `transition_interval`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.autoregression import rounding_variance, whiten
from phasescope.measures.sigmoids import sigmoid, tangents

FloatArray = NDArray[np.float64]
AUTOCORRELATIONS = np.linspace(0.0, 0.96, 17)
WIDEST = 1.5  # of the record
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class Fit:
    """The whole curve: its transitions in positions within [0, 1], the fitted values, and what is left."""

    position: FloatArray  # (n_samples,)
    values: FloatArray  # (n_samples,)
    shapes: tuple[tuple[float, float], ...]  # midpoint and width of each transition
    amplitudes: tuple[float, ...]
    trend: FloatArray  # (n_samples, degree + 1) columns of the trend
    curve: FloatArray  # (n_samples,)
    innovations: FloatArray  # (n_samples,) whitened residuals
    autocorrelation: float
    autocorrelation_weights: FloatArray  # (n_autocorrelations,) normalized restricted likelihood over AUTOCORRELATIONS
    deviance: float  # −2 log-likelihood, up to a constant

    def beside(self, j: int) -> FloatArray:
        """Columns of all but transition j: the trend, and the others free to move and stretch a little."""
        return beside(self.position, self.trend, self.shapes, j)


def fit_transitions(position: FloatArray, values: FloatArray, start: Sequence[tuple[float, float]]) -> tuple[Fit, ...]:
    """Fit the transitions that a test found, beside a straight trend and beside a parabola.

    Args:
        position: Time scaled to [0, 1], shape `(n_samples,)`.
        values: Observations scaled to a range of one, shape `(n_samples,)`.
        start: Approximate midpoint and width of each transition.

    Returns:
        The fit to report, transitions in the order of `start`. It has the straight trend unless the parabola improves
        twice the log-likelihood by 2 ln n. From ln n on (Schwarz's criterion) the fit with the parabola follows, for in
        between the data do not decide.
    """
    straight, parabola = (_with_degree(position, values, start, degree) for degree in (1, 2))
    gain, penalty = straight.deviance - parabola.deviance, math.log(values.size)
    if gain > 2.0 * penalty:
        return (parabola,)
    return (straight, parabola) if gain > penalty else (straight,)


def beside(position: FloatArray, trend: FloatArray, shapes: Sequence[tuple[float, float]], j: int) -> FloatArray:
    """Trend and tangents of all transitions but j, as columns."""
    return np.column_stack([trend, *(tangents(position, *shape)[:, :3] for i, shape in enumerate(shapes) if i != j)])


def residual_squares(
    position: FloatArray, values: FloatArray, others: FloatArray, midpoints: FloatArray, widths: FloatArray, phi: float
) -> FloatArray:
    """Generalized residual sum of squares for every sigmoid of a list beside other columns, shape `(n_candidates,)`."""
    rest, atoms = free_atoms(position, values[:, None], others, midpoints, widths, phi)
    squares: FloatArray = (rest**2).sum() - (atoms.T @ rest[:, 0]) ** 2
    return squares


def free_atoms(
    position: FloatArray, series: FloatArray, others: FloatArray, midpoints: FloatArray, widths: FloatArray, phi: float
) -> tuple[FloatArray, FloatArray]:
    """Whitened series and unit sigmoids, both freed of the other columns; a sigmoid not seen beside them is zero."""
    orthogonal, _ = np.linalg.qr(whiten(others, phi))
    rest = whiten(series, phi)
    rest = rest - orthogonal @ (orthogonal.T @ rest)
    atoms = whiten(sigmoid(position[:, None], midpoints, widths), phi)
    atoms = atoms - orthogonal @ (orthogonal.T @ atoms)
    squares = np.einsum("ij,ij->j", atoms, atoms)
    return rest, atoms * np.where(squares > 1e-12, 1.0 / np.sqrt(np.maximum(squares, 1e-12)), 0.0)


def _with_degree(position: FloatArray, values: FloatArray, start: Sequence[tuple[float, float]], degree: int) -> Fit:
    trend = np.vander(position, degree + 1, increasing=True)
    shapes, phi = list(start), 0.0
    weights = np.ones(1)
    for _ in range(2):
        for j in range(len(shapes)):
            shapes[j] = _refined(position, values, beside(position, trend, shapes, j), shapes[j], phi)
        weights = _autocorrelation_weights(values, beside(position, trend, shapes, -1))
        phi = float(AUTOCORRELATIONS[weights.argmax()])
    design = np.column_stack([trend, *(sigmoid(position, *shape) for shape in shapes)])
    white_design, white_values = whiten(design, phi), whiten(values, phi)
    coefficients = np.linalg.lstsq(white_design, white_values, rcond=None)[0]
    innovations = white_values - white_design @ coefficients
    n_samples = values.size
    return Fit(
        position=position,
        values=values,
        shapes=tuple(shapes),
        amplitudes=tuple(coefficients[degree + 1 :].tolist()),
        trend=trend,
        curve=design @ coefficients,
        innovations=innovations,
        autocorrelation=phi,
        autocorrelation_weights=weights,
        deviance=n_samples * math.log(max(float(innovations @ innovations), TINY)) - math.log(1.0 - phi**2),
    )


def _autocorrelation_weights(values: FloatArray, design: FloatArray) -> FloatArray:
    """Restricted likelihood of each autocorrelation of the grid beside a linear model, normalized to sum 1."""
    n_free = values.size - design.shape[1]
    likelihoods = np.empty(AUTOCORRELATIONS.size)
    for index, phi in enumerate(AUTOCORRELATIONS.tolist()):
        orthogonal, triangle = np.linalg.qr(whiten(design, phi))
        rest = whiten(values, phi)
        rest = rest - orthogonal @ (orthogonal.T @ rest)
        likelihoods[index] = (
            -0.5 * n_free * math.log(float(rest @ rest) + n_free * rounding_variance(phi))
            + 0.5 * math.log(1.0 - phi**2)
            - float(np.log(np.maximum(np.abs(np.diag(triangle)), 1e-12)).sum())
        )
    weights = np.exp(likelihoods - likelihoods.max())
    normalized: FloatArray = weights / weights.sum()
    return normalized


def _refined(
    position: FloatArray, values: FloatArray, others: FloatArray, shape: tuple[float, float], phi: float
) -> tuple[float, float]:
    """Zoom in on the best midpoint and width near a starting one."""
    midpoint, width = shape
    reach_midpoint, reach_width = max(0.5 * width, 0.05), max(width, 0.06)
    total = float(values @ values)
    for _ in range(6):
        midpoints, widths = (
            axis.ravel()
            for axis in np.meshgrid(
                np.clip(midpoint + reach_midpoint * np.linspace(-1, 1, 13), 0.0, 1.0),
                np.clip(width + reach_width * np.linspace(-1, 1, 11), 0.0, WIDEST),
            )
        )
        squares = residual_squares(position, values, others, midpoints, widths, phi)
        # Of equally good sigmoids, as between two evaluations, take the middle one.
        ties = np.flatnonzero(squares <= squares.min() + 1e-12 * total)
        middle = ties[np.argmin(np.abs(midpoints[ties] - midpoints[ties].mean()))]
        midpoint, width = float(midpoints[middle]), float(widths[middle])
        reach_midpoint, reach_width = reach_midpoint / 3.0, reach_width / 3.0
    return midpoint, width
