"""Whether two samples with power-law tails share an exponent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.power_law import N_BOOTSTRAP
from phasescope.measures.power_law_bootstrap import MAX_CANDIDATES, fitted, resampled_fits
from phasescope.measures.power_law_fit import EVERY_CANDIDATE
from phasescope.measures.power_law_sample import power_law_sample, tail_sample
from phasescope.measures.power_law_scan import Sample
from phasescope.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentDifference(Result):
    """Difference of two power-law exponents, fitted separately."""

    estimate: float  # first α less second α
    interval: tuple[float, float]  # 95 %, bootstrap of both samples, x_min refitted unless given
    p_value: float  # two-sided, of a common exponent: the level at which the interval just excludes zero
    alphas: NDArray[np.float64]  # (2,)
    alpha_intervals: NDArray[np.float64]  # (2, 2) percentiles
    x_min: NDArray[np.float64]  # (2,)
    n_tail: NDArray[np.int64]  # (2,)


@dataclass(frozen=True, slots=True)
class _Side:
    alpha: float
    error: float
    x_min: float
    n_tail: int
    alphas: NDArray[np.float64]  # of the replicas
    errors: NDArray[np.float64]


def exponent_difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    discrete: bool = False,
    x_min: tuple[float, float] | None = None,
    x_max: tuple[float, float] | None = None,
    censored: tuple[ArrayLike, ArrayLike] | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    rng: np.random.Generator,
) -> ExponentDifference:
    """Test whether two independent samples have the same power-law exponent.

    Each sample is fitted and resampled as by `fit_power_law`, and the differences of the refits give interval and p:
    with x_min given, studentized by both standard errors; with x_min scanned, by their percentiles.

    Args:
        first: Positive values, shape `(n_first,)`.
        second: Positive values, shape `(n_second,)`, independent of the first.
        discrete: Whether the law lives on whole numbers.
        x_min: Where the two laws begin, if known beforehand; scanned otherwise.
        x_max: Where they end, if they do.
        censored: For each sample, True where the true value is only known to be at least the one given.
        n_bootstrap: Refits of each sample, at least 100; p is no smaller than 2/n_bootstrap.
        rng: Source of randomness.

    Returns:
        The difference, its interval, and p.

    Raises:
        ValueError: As for `fit_power_law`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> one, other = rng.pareto(1.5, 2_000) + 1, rng.pareto(2.5, 2_000) + 1
        >>> exponent_difference(one, other, x_min=(1, 1), n_bootstrap=200, rng=rng).p_value <= 0.01
        True
    """
    if n_bootstrap < 100:
        raise ValueError(f"n_bootstrap must be at least 100; got {n_bootstrap}")
    sides = []
    for k, data in enumerate((first, second)):
        start, end = None if x_min is None else x_min[k], None if x_max is None else x_max[k]
        flags = None if censored is None else censored[k]
        sample, _ = power_law_sample(data, discrete=discrete, x_max=end, censored=flags, weights=None)
        if start is not None:
            if end is not None and not start < end:
                raise ValueError(f"x_max must lie above x_min; got x_min = {start:g} and x_max = {end:g}")
            sample = tail_sample(sample, float(start), discrete=discrete)
        sides.append(_side(sample, start is not None, discrete, end, n_bootstrap, rng))
    one, other = sides
    difference = one.alpha - other.alpha
    differences = one.alphas - other.alphas
    usable = np.isfinite(differences)
    if x_min is not None:
        error = math.hypot(one.error, other.error)
        scaled = (differences - difference)[usable] / np.hypot(one.errors, other.errors)[usable]
        low, high = np.quantile(scaled, [0.025, 0.975]) * error
        interval = (difference - float(high), difference - float(low))
        p_value = _two_sided(scaled - difference / error)
    else:
        low, high = np.quantile(differences[usable], [0.025, 0.975])
        interval = (float(low), float(high))
        p_value = _two_sided(differences[usable])
    caveats = tuple(
        f"the {name} sample has only {side.n_tail} points in its tail"
        for name, side in (("first", one), ("second", other))
        if side.n_tail < 100
    )
    return ExponentDifference(
        estimate=difference,
        interval=interval,
        p_value=p_value,
        alphas=np.array([side.alpha for side in sides]),
        alpha_intervals=np.array([np.nanquantile(side.alphas, [0.025, 0.975]) for side in sides]),
        x_min=np.array([side.x_min for side in sides]),
        n_tail=np.array([side.n_tail for side in sides], dtype=np.int64),
        caveats=caveats,
    )


def _side(
    sample: Sample, fixed: bool, discrete: bool, x_max: float | None, n_bootstrap: int, rng: np.random.Generator
) -> _Side:
    setting = (fixed, False, discrete, math.inf if x_max is None else float(x_max))
    place, alpha, error, _, _, n_tail = fitted(sample, *setting, EVERY_CANDIDATE)
    replicas = resampled_fits(rng, sample, n_bootstrap, *setting, MAX_CANDIDATES)
    return _Side(
        float(alpha), float(error), float(sample.values[place]), int(n_tail), replicas.alpha, replicas.standard_error
    )


def _two_sided(values: NDArray[np.float64]) -> float:
    """Twice the smaller share on one side of zero, at least one replica there and at most 1."""
    rarer = min(int(np.count_nonzero(values <= 0)), int(np.count_nonzero(values >= 0)))
    return float(min(1.0, 2 * max(rarer, 1) / values.size))
