"""The null hypothesis of the transition detector as a fit: a trend of bounded curvature.

Time is scaled to [0, 1] over the record and R is the range of the trend. A trend counts as smooth when its second
derivative stays within [−3 R, 10 R], or within [−10 R, 3 R]: it may bend to one side as hard as a parabola (8) or a
half sine (π²) that rises and falls through the whole range, and back as hard as a sigmoid whose 10–90 % width is 0.8 of
the record (3). A sigmoid whose width is a quarter of the record reaches 30 both ways.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

FloatArray = NDArray[np.float64]
STRONG_BEND = 10.0  # largest |f''| on the side to which the trend mainly bends, in units of R per record length squared
WEAK_BEND = 3.0  # largest |f''| on the other side
N_KNOTS = 21  # of the piecewise-linear second derivative


@lru_cache(maxsize=1)
def _twice_integrated_hats() -> tuple[FloatArray, FloatArray]:
    """Fine grid on [0, 1] and, per knot, the double integral of its hat function on that grid."""
    grid = np.linspace(0.0, 1.0, 2001)
    knots = np.linspace(0.0, 1.0, N_KNOTS)
    hats = np.maximum(0.0, 1.0 - np.abs(grid[:, None] - knots) * (N_KNOTS - 1))
    for _ in range(2):
        steps = 0.5 * (hats[1:] + hats[:-1]) * (grid[1] - grid[0])
        hats = np.vstack([np.zeros(N_KNOTS), np.cumsum(steps, axis=0)])
    return grid, hats


def curvature_basis(position: FloatArray) -> FloatArray:
    """Columns whose coefficients are the values of f'' at the knots, shape `(n_samples, N_KNOTS)`; f(0) = f'(0) = 0."""
    grid, integrals = _twice_integrated_hats()
    return np.column_stack([np.interp(position, grid, column) for column in integrals.T])


def bounded_curvature_fit(
    whitened_values: FloatArray, whitened_basis: FloatArray, whitened_curvature: FloatArray, *, curve_range: float
) -> tuple[FloatArray, FloatArray]:
    """Least-squares trend of bounded curvature plus free columns.

    Args:
        whitened_values: Observations after whitening, shape `(n_samples,)`.
        whitened_basis: Columns with free coefficients (line, known transitions), shape `(n_samples, n_free)`.
        whitened_curvature: `curvature_basis` after the same whitening, shape `(n_samples, N_KNOTS)`.
        curve_range: R, in the unit of the observations.

    Returns:
        Coefficients of the free columns, and f'' at the knots; of the two admitted bands the better fitting one.
    """
    n_free = whitened_basis.shape[1]
    design = np.hstack([whitened_basis, whitened_curvature * max(curve_range, np.finfo(float).tiny)])
    # The factor R of an orthogonal decomposition holds all that least squares needs, in n_free + N_KNOTS rows.
    triangle = np.asarray(np.linalg.qr(np.column_stack([design, whitened_values]), mode="r"))
    free = np.full(n_free, np.inf)
    best_cost, best = np.inf, np.zeros(design.shape[1])
    for below, above in ((WEAK_BEND, STRONG_BEND), (STRONG_BEND, WEAK_BEND)):
        bounds = (np.r_[-free, np.full(N_KNOTS, -below)], np.r_[free, np.full(N_KNOTS, above)])
        solution = lsq_linear(triangle[:, :-1], triangle[:, -1], bounds=bounds, method="bvls", tol=1e-10)
        if solution.cost < best_cost:
            best_cost, best = float(solution.cost), solution.x
    return best[:n_free], best[n_free:] * curve_range
