"""The estimating equations of a shape collapse: profiles T^γ e^{c t_min/T} [f(u) + (t_min/T) h(u)] in splines.

The growth of the mean height is left to γ and c, so h changes the shape only and has no area. Growth and shape then
hardly depend on each other, and γ is that of the mean size, less 1, however narrow the range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.influence import leverages
from phasescope.measures.mean_size import solve_growth
from phasescope.measures.profile_splines import N_SPLINES, spline_integrals, spline_products

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LONGEST_STEP = 0.5  # of γ and c in one iteration


@dataclass(frozen=True, slots=True)
class CollapseSystem:
    """What the equations are made of; K is the number of spline weights, those of f first; Q that of γ, c and d."""

    growth: FloatArray  # (n_T, Q) ln T/t_min, t_min/T and T/t_max of the distinct durations
    places: IntArray  # (n,) which of them an avalanche has
    moments: FloatArray  # (n, K) (1/T) Σ_t a_t z(u_t, T)
    sums: FloatArray  # (n_T, K) of the moments
    counts: FloatArray  # (n_T,)
    products: FloatArray  # (n_T, K, K) (1/T) Σ_t z zᵀ
    gram: FloatArray  # (K, K) Σ over avalanches of the products
    ones: FloatArray  # (K,) spline weights of f = 1: profiles enter the equation of γ by their mean height
    leverages: FloatArray  # (n_T,) of one avalanche of that duration on what is fitted to it


def collapse_system(
    moments: FloatArray, distinct: IntArray, places: IntArray, low: int, corrections: bool, bent: bool
) -> CollapseSystem:
    """Set up the equations.

    Args:
        moments: Of every avalanche with the splines of f, shape `(n, n_splines)`.
        distinct: Durations, rising, shape `(n_T,)`.
        places: Which of them an avalanche has, shape `(n,)`.
        low: t_min.
        corrections: Whether c and h are fitted.
        bent: Whether, with them, the same is for T/t_max.
    """
    t = distinct.astype(np.float64)
    growth = np.stack([np.log(t / low), *([low / t] * corrections), *([t / t[-1]] * (corrections and bent))], axis=1)
    areas, _ = spline_integrals()
    without_area = np.eye(N_SPLINES)[:, :-1] - areas[:-1]  # splines sum to 1, so this takes off their area
    parts = [np.eye(N_SPLINES), *([without_area] * (growth.shape[1] - 1))]
    factors = [np.ones_like(t), *growth.T[1:]]
    moments = np.concatenate(
        [moments @ part * factor[places, None] for part, factor in zip(parts, factors, strict=True)], axis=1
    )
    plain = spline_products(distinct)
    products = np.concatenate(
        [
            np.concatenate(
                [
                    (left.T @ plain @ right) * (one * other)[:, None, None]
                    for right, other in zip(parts, factors, strict=True)
                ],
                axis=2,
            )
            for left, one in zip(parts, factors, strict=True)
        ],
        axis=1,
    )
    sums = np.zeros((distinct.size, moments.shape[1]))
    np.add.at(sums, places, moments)
    counts = np.bincount(places).astype(np.float64)
    gram = np.einsum("t,tjk->jk", counts, products)
    ones = np.zeros(moments.shape[1])
    ones[:N_SPLINES] = 1.0
    design = np.concatenate([np.ones((1, t.size)), growth.T])
    return CollapseSystem(growth, places, moments, sums, counts, products, gram, ones, leverages(design, counts))


def solve_collapse(system: CollapseSystem) -> tuple[FloatArray, FloatArray]:
    """γ, c and d, and the weights of the splines, by Newton's method on the former with the weights following."""
    growth, counts = system.growth, system.counts
    design = np.concatenate([np.ones((1, counts.size)), growth.T])
    start = solve_growth(design, system.sums @ system.ones, counts)  # what is left is the sum over whole bins
    if start is None:
        raise ValueError("the mean height of profiles does not settle on a growth with duration; take a wider range")
    exponents = start[0][1:]
    for _ in range(100):
        scale = np.exp(-growth @ exponents)
        weights = np.linalg.solve(system.gram, scale @ system.sums)
        expected = system.products @ weights @ system.ones
        residual = growth.T @ (scale * (system.sums @ system.ones) - counts * expected)
        of_growth, of_weights = _slopes(system, scale)
        moved = np.linalg.solve(system.gram, of_weights)  # of the weights with γ, c and d
        slope = of_growth - growth.T @ (counts[:, None] * ((system.products @ moved).transpose(0, 2, 1) @ system.ones))
        step = -np.linalg.solve(slope, residual)
        exponents = exponents + step * min(1.0, _LONGEST_STEP / float(np.abs(step).max() + 1e-300))
        if float(np.abs(step).max()) < 1e-11:
            break
    return exponents, np.asarray(np.linalg.solve(system.gram, np.exp(-growth @ exponents) @ system.sums))


def _slopes(system: CollapseSystem, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives by γ, c and d of their own summed equations, (Q, Q), and of those of the weights, (K, Q)."""
    pulled = system.sums * scale[:, None]
    own = -(system.growth * (pulled @ system.ones)[:, None]).T @ system.growth
    return own, -pulled.T @ system.growth


def collapse_influence(system: CollapseSystem, exponents: FloatArray, weights: FloatArray) -> FloatArray:
    """Shift of γ, c and d and of every weight that each avalanche causes, shape `(n, Q + K)`."""
    scale = np.exp(-system.growth @ exponents)
    scaled = system.moments * scale[system.places, None]
    residuals = scaled - (system.products @ weights)[system.places]
    pulls = (residuals @ system.ones)[:, None] * system.growth[system.places]
    of_growth, of_weights = _slopes(system, scale)
    by_weights = -(system.growth * system.counts[:, None]).T @ (system.products @ system.ones)
    jacobian = np.block([[of_growth, by_weights], [of_weights, -system.gram]])
    contributions = np.concatenate([pulls, residuals], axis=1)
    contributions /= np.sqrt(1 - system.leverages[system.places, None])
    return np.asarray(-np.linalg.solve(jacobian, contributions.T).T)
