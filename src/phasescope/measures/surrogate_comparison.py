"""Avalanches of the data among those of surrogates: are they one more of them, and do surrogates scale alike?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.avalanche_exponents import AvalancheExponents, avalanche_exponents
from phasescope.measures.avalanches import Avalanches, separate_avalanches
from phasescope.measures.scaling_trouble import scaling_trouble
from phasescope.measures.silences import MEMORYLESS
from phasescope.results import Result

FloatArray = NDArray[np.float64]

LEVEL = 0.05
N_FITTED = 5  # surrogates of a kind whose exponents are read
_BROADER = 1.5  # times the variation of the data's silences, from which a surrogate's have another law
_SIGNIFICANT = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateComparison(Result):
    """The data among surrogates of one kind."""

    kind: str  # for example "time-shuffled", "circularly shifted" or "phase-randomized"
    estimate: float  # Mahalanobis distance of the data from the surrogates in `statistics`
    p_value: float  # of the data being one more surrogate, by the rank of that distance
    statistics: FloatArray  # (1 + n_surrogates, 4) ln n, means of ln size and ln duration, sd of ln size; data first
    silence_variations: FloatArray  # (1 + n_surrogates,) sd over mean of the silences, data first; NaN if not in time
    n_surrogates: int
    n_without_avalanches: int  # surrogates that were always or never silent
    n_fitted: int  # surrogates whose exponents were read
    n_alike: int  # of these, with the same scaling and no other law of silences


@dataclass(frozen=True, slots=True)
class Reading:
    """What is compared."""

    avalanches: Avalanches
    silence_variation: float = math.nan  # sd of the silences over their mean


@dataclass(frozen=True, slots=True)
class Surrogates:
    """Where surrogates of one kind come from."""

    kind: str
    data: Reading  # what they are surrogates of
    make: Callable[[], Reading]  # draws one; a ValueError says that it has no avalanches


def surrogate_comparison(
    source: Surrogates, exponents: AvalancheExponents, *, n_surrogates: int
) -> SurrogateComparison:
    """Place the data among surrogates, and read the exponents of some of these if the place is outside.

    Exchangeable rows have exchangeable distances from each other, so the rank of the data's distance is a p value. It
    speaks of surrogates of this very kind. Noise of another kind may differ from them and have their exponents all the
    same; then a surrogate counts as *alike*. An exception is a record whose silences are those of a memoryless drive
    (`silences.py`) where the surrogate's are broader: its avalanches were set off one by one, which no threshold does
    to noise. Without it the directed sandpile, whose avalanches are excursions of a random
    walk, could never be told from a random walk above a threshold.

    Args:
        source: The data, and how surrogates of them are drawn.
        exponents: Of the data.
        n_surrogates: How many, at least 19.

    Returns:
        The comparison.
    """
    data = source.data
    rows, variations = [_statistics(data.avalanches)], [data.silence_variation]
    kept: list[Reading] = []
    for _ in range(n_surrogates):
        try:
            surrogate = source.make()
        except ValueError:  # always or never silent: as unlike the data as can be
            continue
        rows.append(_statistics(surrogate.avalanches))
        variations.append(surrogate.silence_variation)
        if len(kept) < N_FITTED:
            kept.append(surrogate)
    statistics = np.array(rows)
    distance, rank = math.inf, 0
    if len(rows) > statistics.shape[1] + 2:
        distances = np.array([_distance(statistics, i) for i in range(len(rows))])
        distance, rank = float(distances[0]), int(np.count_nonzero(distances[1:] >= distances[0]))
    p_value = (1 + rank) / (1 + n_surrogates)
    n_fitted = len(kept) if p_value <= LEVEL else 0
    return SurrogateComparison(
        kind=source.kind,
        estimate=distance,
        p_value=p_value,
        statistics=statistics,
        silence_variations=np.array(variations),
        n_surrogates=n_surrogates,
        n_without_avalanches=n_surrogates + 1 - len(rows),
        n_fitted=n_fitted,
        n_alike=sum(_alike(one, data, exponents) for one in kept[:n_fitted]),
    )


def _alike(surrogate: Reading, data: Reading, exponents: AvalancheExponents) -> bool:
    """Whether a surrogate scales with exponents that agree with those of the data, and is not told by its silences."""
    variation = data.silence_variation
    if variation <= MEMORYLESS and surrogate.silence_variation > _BROADER * variation:
        return False
    try:
        other = avalanche_exponents(_first(surrogate.avalanches, len(data.avalanches)))
    except ValueError:
        return False
    if scaling_trouble(other) is not None:
        return False
    gaps = np.array(
        [
            exponents.size_exponent - other.size_exponent,
            exponents.duration_exponent - other.duration_exponent,
            exponents.mean_size_exponent - other.mean_size_exponent,
        ]
    )
    errors = np.sqrt(np.diag(exponents.covariance) + np.diag(other.covariance))
    return bool((np.abs(gaps) < 2 * _SIGNIFICANT * errors).all())


def _statistics(found: Avalanches) -> FloatArray:
    log_sizes = np.log(np.maximum(found.sizes, 1e-300))
    return np.array(
        [math.log(len(found)), log_sizes.mean(), np.log(found.durations).mean(), log_sizes.std()], dtype=np.float64
    )


def _distance(statistics: FloatArray, place: int) -> float:
    """Mahalanobis distance of one row from all others."""
    others = np.delete(statistics, place, axis=0)
    gap = statistics[place] - others.mean(axis=0)
    spread = np.cov(others.T) + np.diag(1e-18 + 1e-12 * np.abs(others).max(axis=0) ** 2)
    return float(math.sqrt(max(float(gap @ np.linalg.solve(spread, gap)), 0.0)))


def _first(found: Avalanches, n: int) -> Avalanches:
    """No more avalanches than the data have: exponents of noise cost as much as those of anything else."""
    if len(found) <= n:
        return found
    return separate_avalanches(found.sizes[:n], found.durations[:n], censored=found.censored[:n])
