"""Mean size of avalanches given their duration: ⟨S⟩(T) ~ T^γ exp(c T_min/T), for every T ≥ T_min.

Fitted by the quasi-likelihood equations Σ (S/μ(T) − 1) z = 0, z = (1, ln T/T_min, T_min/T), in which every avalanche
counts by its relative deviation: at criticality that has one variance for all T. They hold for E[S|T] whatever the law
of S around it, and, unlike a regression of logarithms, have no bias where few avalanches share a duration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.scaling_range import FEWEST, LEVEL, MARGIN, UPPER_MARGIN, candidates, score_test

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_END_RATIO = 1.5
_QUANTILES = (0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True)
class MeanSizeFit:
    """Growth of a positive quantity with duration, fitted on one range of durations."""

    t_min: float
    t_max: float
    parameters: FloatArray  # ln of the size at t_min (less c), γ, c
    information: FloatArray  # (3, 3)
    inside: NDArray[np.bool_]  # (n,) which avalanches are in the range
    deviations: FloatArray  # (n_inside,) S/μ − 1
    features: FloatArray  # (3, n_inside)

    @property
    def exponent(self) -> float:
        """The exponent γ."""
        return float(self.parameters[1])

    def predict(self, t: FloatArray) -> FloatArray:
        """⟨S⟩ at durations t."""
        return np.asarray(np.exp(self.parameters @ _features(t, self.t_min)))

    def influence(self) -> FloatArray:
        """Shift of the exponent that each avalanche causes, shape `(n,)`: the sum of squares is its variance."""
        shifts = np.zeros(self.inside.size)
        row = np.linalg.inv(self.information)[1]
        shifts[self.inside] = (row @ self.features) * self.deviations
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


def fit_mean_size(sizes: FloatArray, durations: IntArray, *, t_min: float, t_max: float) -> MeanSizeFit | None:
    """Solve the quasi-likelihood equations; `None` where the durations cannot tell the parameters apart."""
    inside = (durations >= t_min) & (durations <= t_max)
    t, s = durations[inside].astype(np.float64), sizes[inside]
    distinct, places, counts = np.unique(t, return_inverse=True, return_counts=True)
    if distinct.size < 5:
        return None
    totals = np.bincount(places, weights=s)
    z = _features(distinct, t_min)
    parameters = _start(z, totals / counts, counts)
    for _ in range(60):
        ratio = totals / np.exp(parameters @ z)
        information = (z * ratio) @ z.T
        if not np.isfinite(information).all():
            return None
        step = np.linalg.solve(information + 1e-12 * np.diag(np.diag(information)), z @ (ratio - counts))
        parameters = parameters + step * min(1.0, 2.0 / float(np.abs(step).max() + 1e-300))
        if float(np.abs(step).max()) < 1e-10:
            break
    else:
        return None
    deviations = s / np.exp(parameters @ z)[places] - 1
    return MeanSizeFit(t_min, t_max, parameters, information, inside, deviations, z[:, places])


def mean_size_range(
    sizes: FloatArray, durations: IntArray, blocks: IntArray, *, t_max: float, usable: NDArray[np.bool_]
) -> MeanSizeRange | None:
    """The smallest T_min, with a margin, from which the mean size obeys the law.

    Args:
        sizes: Shape `(n,)`, positive.
        durations: Shape `(n,)`.
        blocks: Block numbers within which avalanches may be correlated, shape `(n,)`; empty where there is none.
        t_max: Largest duration to be read.
        usable: Which avalanches are known to their end, shape `(n,)`.

    Returns:
        The range and its fit, or `None` where nothing can be fitted.
    """
    durations = np.where(usable, durations, -1)
    rising = np.sort(durations[usable & (durations <= t_max)])
    if rising.size < FEWEST:
        return None
    end, best = float(rising[-1]), None
    while best is None and end > 10 * rising[0]:
        best = _accepted(sizes, durations, blocks, rising, end)
        if best is None:
            end /= _END_RATIO
    shortened = end < rising[-1]
    if best is None:
        fit = fit_mean_size(sizes, durations, t_min=float(rising[0]), t_max=float(rising[-1]))
        caveat = "no range of durations has a mean size that grows as a power with its leading correction"
        return None if fit is None else MeanSizeRange(fit, fit.t_min, fit.t_max, False, 0.0, 0.0, (caveat,))
    first, p_value = best
    for margin in (1.0, 0.75, 0.5, 0.25, 0.0):
        low, high = round(first.t_min * MARGIN**margin), end / UPPER_MARGIN ** (margin * shortened)
        n_inside = np.searchsorted(rising, high, side="right") - np.searchsorted(rising, low)
        fit = fit_mean_size(sizes, durations, t_min=low, t_max=high) if n_inside >= FEWEST or margin == 0 else None
        if fit is not None:
            caveats: tuple[str, ...] = ()
            if margin < 1:
                caveats = (f"too few avalanches to read the mean size {MARGIN:g} times above its accepted T_min",)
            remainder = (first.exponent - fit.exponent) / (MARGIN**margin - 1) if margin else 0.0
            return MeanSizeRange(fit, first.t_min, end, True, p_value, remainder, caveats)
    return None


def _accepted(
    sizes: FloatArray, durations: IntArray, blocks: IntArray, rising: IntArray, end: float
) -> tuple[MeanSizeFit, float] | None:
    for start in candidates(float(rising[0]), end, discrete=True):
        if np.searchsorted(rising, end, side="right") - np.searchsorted(rising, start) < FEWEST:
            return None
        fit = fit_mean_size(sizes, durations, t_min=float(start), t_max=end)
        if fit is not None:
            p_value = _acceptance(fit, durations, blocks)
            if p_value > LEVEL:
                return fit, p_value
    return None


def _acceptance(fit: MeanSizeFit, durations: IntArray, blocks: IntArray) -> float:
    """Smaller p value of two score tests, as for the range of a distribution."""
    t = durations[fit.inside].astype(np.float64)
    knots = np.unique(np.quantile(t, _QUANTILES))
    knots = knots[(knots > fit.t_min) & (knots < t.max())]
    rows = np.stack([(fit.t_min / t) ** 2, *(np.minimum(t / knot, 1) for knot in knots)])
    ratio = fit.deviations + 1
    cross = (rows * ratio) @ fit.features.T
    each = (rows - np.linalg.solve(fit.information, cross.T).T @ fit.features) * fit.deviations
    if blocks.size:
        each = np.add.reduceat(each, np.flatnonzero(np.diff(blocks[fit.inside], prepend=-1)), axis=1)
    return score_test(each.sum(axis=1), each @ each.T)


def _features(t: FloatArray, t_min: float) -> FloatArray:
    return np.stack([np.ones_like(t), np.log(t / t_min), t_min / t])


def _start(z: FloatArray, means: FloatArray, counts: IntArray) -> FloatArray:
    """Weighted regression of the logarithm, to start from."""
    weights = np.sqrt(counts)
    with_floor = np.log(np.maximum(means, 1e-300))
    return np.asarray(np.linalg.lstsq((z * weights).T, with_floor * weights, rcond=None)[0])
