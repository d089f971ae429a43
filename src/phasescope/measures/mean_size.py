"""Mean size of avalanches given their duration: ⟨S⟩(T) ~ T^γ exp(c T_min/T), for every T ≥ T_min.

Where there is a cut-off, ⟨S⟩(T) ~ T^γ exp(c T_min/T + d T/T_max) for T_min ≤ T ≤ T_max. Fitted by the quasi-likelihood
equations Σ (S/μ(T) − 1) z = 0, z = (1, ln T/T_min, T_min/T, T/T_max), in which every avalanche counts by its relative
deviation: at criticality that has one variance for all T. They hold for E[S|T] whatever the law of S around it, and,
unlike a regression of logarithms, have no bias where few avalanches share a duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.influence import beyond_noise, block_sums, leverages
from phasescope.measures.scaling_range import (
    FEWEST,
    LEVEL,
    MARGIN,
    SETTLED,
    UPPER_MARGIN,
    candidates,
    margin_caveat,
    margins,
    score_test,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_END_RATIO = 1.5
_QUANTILES = (0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True)
class MeanSizeFit:
    """Growth of a positive quantity with duration, fitted on one range of durations."""

    t_min: float
    t_max: float
    bent: bool  # whether there is a cut-off, and thus a d
    parameters: FloatArray  # ln of the size at t_min (less c and d), γ, c, d
    information: FloatArray  # (n_parameters, n_parameters)
    inside: NDArray[np.bool_]  # (n,) which avalanches are in the range
    deviations: FloatArray  # (n_inside,) S/μ − 1
    features: FloatArray  # (n_parameters, n_inside)

    @property
    def exponent(self) -> float:
        """The exponent γ."""
        return float(self.parameters[1])

    def predict(self, t: FloatArray) -> FloatArray:
        """⟨S⟩ at durations t."""
        return np.asarray(np.exp(self.parameters @ _features(t, self.t_min, self.t_max if self.bent else None)))

    def influence(self) -> FloatArray:
        """Shift of the exponent that each avalanche causes, shape `(n,)`: the sum of squares is its variance.

        The few longest avalanches pull the fit towards themselves, and leave too small a deviation; that is mended.
        """
        shifts = np.zeros(self.inside.size)
        row = np.linalg.inv(self.information)[1]
        shifts[self.inside] = (row @ self.features) * self.deviations / np.sqrt(1 - leverages(self.features))
        return shifts


@dataclass(frozen=True, slots=True)
class MeanSizeRange:
    """The range of durations used, with its fit."""

    fit: MeanSizeFit
    low: float  # of the accepted range
    high: float
    accepted: bool
    p_value: float
    remainder: float  # what corrections of higher order may still shift the exponent by
    caveats: tuple[str, ...]


def fit_mean_size(
    sizes: FloatArray, durations: IntArray, *, t_min: float, t_max: float, bent: bool
) -> MeanSizeFit | None:
    """Solve the quasi-likelihood equations; `None` where the durations cannot tell the parameters apart."""
    inside = (durations >= t_min) & (durations <= t_max)
    t, s = durations[inside].astype(np.float64), sizes[inside]
    distinct, places, counts = np.unique(t, return_inverse=True, return_counts=True)
    if distinct.size < 5 + bent:
        return None
    totals = np.asarray(np.bincount(places, weights=s), dtype=np.float64)
    z = _features(distinct, t_min, t_max if bent else None)
    solved = solve_growth(z, totals, counts)
    if solved is None:
        return None
    parameters, information = solved
    deviations = s / np.exp(parameters @ z)[places] - 1
    return MeanSizeFit(t_min, t_max, bent, parameters, information, inside, deviations, z[:, places])


def solve_growth(z: FloatArray, totals: FloatArray, counts: NDArray[Any]) -> tuple[FloatArray, FloatArray] | None:
    """Solve Σ (S/e^(θ·z) − 1) z = 0, the gradient of a convex function, by Newton's method.

    Args:
        z: Features of every distinct duration, the constant first, shape `(n_features, n)`.
        totals: Sum of the quantity over avalanches of that duration, shape `(n,)`.
        counts: Number of these avalanches, shape `(n,)`.

    Returns:
        θ and the information at it, or `None` where the iteration does not settle.
    """
    parameters = _start(z, totals / counts, counts)
    for _ in range(60):
        ratio = totals / np.exp(parameters @ z)
        information = (z * ratio) @ z.T
        if not np.isfinite(information).all():
            return None
        step = np.linalg.solve(information + 1e-12 * np.diag(np.diag(information)), z @ (ratio - counts))
        parameters = parameters + step * min(1.0, 2.0 / float(np.abs(step).max() + 1e-300))
        if float(np.abs(step).max()) < 1e-10:
            return parameters, information
    return None


def mean_size_range(
    sizes: FloatArray, durations: IntArray, blocks: IntArray, *, t_max: float, bent: bool, usable: NDArray[np.bool_]
) -> MeanSizeRange | None:
    """The smallest T_min, with a margin, from which the mean size obeys the law.

    Args:
        sizes: Shape `(n,)`, positive.
        durations: Shape `(n,)`.
        blocks: Block numbers within which avalanches may be correlated, shape `(n,)`; empty where there is none.
        t_max: Largest duration to be read.
        bent: Whether that is where a cut-off sets in. Else one is looked for where no law without an end fits.
        usable: Which avalanches are known to their end, shape `(n,)`.

    Returns:
        The range and its fit, or `None` where nothing can be fitted.
    """
    durations = np.where(usable, durations, -1)
    rising = np.sort(durations[usable & (durations <= t_max)])
    if rising.size < FEWEST:
        return None
    end, best = float(rising[-1]), None
    shortened = False
    while best is None and end > 10 * rising[0]:
        best = _accepted(sizes, durations, blocks, rising, end, bent, LEVEL)
        if best is None and not bent:
            bent = True
        elif best is None:
            end, shortened = end / _END_RATIO, True
    if best is None:
        fit = fit_mean_size(sizes, durations, t_min=float(rising[0]), t_max=float(rising[-1]), bent=False)
        caveat = "no range of durations has a mean size that grows as a power with its leading correction"
        return None if fit is None else MeanSizeRange(fit, fit.t_min, fit.t_max, False, 0.0, 0.0, (caveat,))
    t_min, p_value = best[0].t_min, best[1]
    first = (_accepted(sizes, durations, blocks, rising, end, bent, SETTLED) or best)[0]
    for margin in margins(end / first.t_min, MARGIN * (UPPER_MARGIN if shortened else 1.0)):
        low, high = round(first.t_min * MARGIN**margin), end / UPPER_MARGIN ** (margin * shortened)
        n_inside = np.searchsorted(rising, high, side="right") - np.searchsorted(rising, low)
        if n_inside < FEWEST and margin > 0:
            continue
        fit = fit_mean_size(sizes, durations, t_min=low, t_max=high, bent=bent)
        if fit is not None:
            moved = first.exponent - fit.exponent
            noise = block_sums((first.influence() - fit.influence())[None], blocks)
            remainder = beyond_noise(moved, noise) / (MARGIN**margin - 1) if margin else 0.0
            caveats = margin_caveat(margin)
            if bent:
                caveats += (f"a cut-off bends the mean size; it is read up to {high:g} bins",)
            return MeanSizeRange(fit, t_min, end, True, p_value, remainder, caveats)
    return None


def _accepted(
    sizes: FloatArray, durations: IntArray, blocks: IntArray, rising: IntArray, end: float, bent: bool, level: float
) -> tuple[MeanSizeFit, float] | None:
    for start in candidates(float(rising[0]), end, discrete=True):
        if np.searchsorted(rising, end, side="right") - np.searchsorted(rising, start) < FEWEST:
            return None
        fit = fit_mean_size(sizes, durations, t_min=float(start), t_max=end, bent=bent)
        if fit is not None:
            p_value = _acceptance(fit, durations, blocks)
            if p_value > level:
                return fit, p_value
    return None


def _acceptance(fit: MeanSizeFit, durations: IntArray, blocks: IntArray) -> float:
    """Smaller p value of two score tests, as for the range of a distribution."""
    t = durations[fit.inside].astype(np.float64)
    knots = np.unique(np.quantile(t, _QUANTILES))
    knots = knots[(knots > fit.t_min) & (knots < t.max())]
    rows = np.stack([(fit.t_min / t) ** 2, *(np.minimum(t / knot, 1) for knot in knots)])
    if fit.bent:
        rows = np.concatenate([rows, (t / fit.t_max)[None] ** 2])
    ratio = fit.deviations + 1
    cross = (rows * ratio) @ fit.features.T
    each = (rows - np.linalg.solve(fit.information, cross.T).T @ fit.features) * fit.deviations
    each = block_sums(each, blocks[fit.inside] if blocks.size else blocks)
    return score_test(each.sum(axis=1), each @ each.T)


def _features(t: FloatArray, t_min: float, t_max: float | None) -> FloatArray:
    rows = [np.ones_like(t), np.log(t / t_min), t_min / t]
    if t_max is not None:
        rows.append(t / t_max)
    return np.stack(rows)


def _start(z: FloatArray, means: FloatArray, counts: NDArray[Any]) -> FloatArray:
    """Weighted regression of the logarithm, to start from."""
    weights = np.sqrt(counts)
    with_floor = np.log(np.maximum(means, 1e-300))
    return np.asarray(np.linalg.lstsq((z * weights).T, with_floor * weights, rcond=None)[0])
