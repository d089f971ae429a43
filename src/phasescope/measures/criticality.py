"""One verdict on criticality: scaling of sizes and durations, their relation, and surrogates that must not show it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy
from phasescope.measures.avalanche_exponents import FEWEST_AVALANCHES, AvalancheExponents, avalanche_exponents
from phasescope.measures.avalanches import Avalanches, avalanches, avalanches_of_signal, separate_avalanches
from phasescope.measures.surrogates import circularly_shifted, phase_randomized, time_shuffled
from phasescope.results import Result

FloatArray = NDArray[np.float64]

N_SURROGATES = 19
SIZE_DECADES, DURATION_DECADES = 1.5, 1.0
WIDEST = 0.5  # half an interval of an exponent; beyond it the law is not measured
LEVEL = 0.05
_N_FITTED = 5  # surrogates of a kind whose exponents are read
_SIGNIFICANT = 1.96
_ROUNDS = 5  # of a phase-randomized surrogate: each costs a sort and two transforms of the record

CRITICAL = "critical scaling"
CUT_OFF = "scaling up to a cut-off"
SURROGATE = "power law, not distinguishable from its surrogate"
NO_RELATION = "scaling without the crackling-noise relation"
NO_SCALING = "no scaling"
TOO_LITTLE = "too little data"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateComparison(Result):
    """The data among surrogates of one kind."""

    kind: str  # "time-shuffled", "circularly shifted" or "phase-randomized"
    estimate: float  # Mahalanobis distance of the data from the surrogates in `statistics`
    p_value: float  # of the data being one more surrogate, by the rank of that distance
    statistics: FloatArray  # (1 + n_surrogates, 4) ln n, means of ln size and ln duration, sd of ln size; data first
    n_surrogates: int
    n_without_avalanches: int  # surrogates that were always or never silent
    n_fitted: int  # surrogates whose exponents were read
    n_alike: int  # of these, with the same scaling: exponents that agree with those of the data


@dataclass(frozen=True, slots=True, kw_only=True)
class Criticality(Result):
    """The verdict with everything it rests on."""

    verdict: str
    reason: str  # one clause
    exponents: AvalancheExponents | None  # None with too few avalanches
    surrogates: tuple[SurrogateComparison, ...]  # none for separate avalanches
    n: int  # avalanches


def criticality(
    record: Avalanches | ArrayLike,
    *,
    threshold: float | None = None,
    bin_size: int = 1,
    n_surrogates: int = N_SURROGATES,
    rng: np.random.Generator,
) -> Criticality:
    """Judge whether a record looks critical, and whether that means anything.

    In this order: *too little data* below 300 avalanches; *no scaling* unless sizes scale over 1.5 decades, durations
    and mean sizes over one, with exponents above 1 known to ± 0.5; *scaling without the crackling-noise relation* if
    (α − 1)/(τ − 1) = γ is rejected; *power law, not distinguishable from its surrogate* if surrogates that share the
    values or the power spectrum have the same sizes and durations (rank p > 0.05), or the same exponents, for any kind;
    *scaling up to a cut-off* if sizes or durations bend down within the data; *critical scaling* otherwise. These two
    say what one record can say: that a cut-off grows with the system is for several systems to show.

    Args:
        record: Events, shape `(n_units, n_bins)` or `(n_bins,)`; a signal, shape `(n_bins,)`, with `threshold`; or
            avalanches, for which surrogates cannot be made.
        threshold: Level above which a signal's excursions are its avalanches.
        bin_size: Neighboring bins of a raster that are joined into one.
        n_surrogates: Of each kind, at least 19, so that p can reach 0.05.
        rng: Source of randomness for the surrogates.

    Returns:
        The verdict, its reason, the exponents and the comparisons.

    Raises:
        ValueError: If the record is not of that form, or always or never active.

    References:
        [1] Touboul & Destexhe (2017), Physical Review E 95, 012413.
        [2] Villegas, di Santo, Burioni & Muñoz (2019), Physical Review E 100, 012133.

    Example:
        >>> found = criticality(np.random.default_rng(0).poisson(0.5, 20_000), rng=np.random.default_rng(1))
        >>> found.verdict
        'no scaling'
    """
    if n_surrogates < 19:
        raise ValueError(f"n_surrogates must be at least 19, so that p can reach 0.05; got {n_surrogates}")
    caveats: tuple[str, ...] = ()
    comparisons: tuple[SurrogateComparison, ...] = ()
    values: NDArray[np.generic] | None = None
    if isinstance(record, Avalanches):
        found = record
        caveats += ("there is no record in time to make surrogates of, so nothing was compared with noise",)
    else:
        values = as_numpy(record)
        found = _found(values, threshold, bin_size)
    n, whole = len(found), int(np.count_nonzero(~found.censored))
    if min(n, whole) < FEWEST_AVALANCHES:
        return Criticality(
            verdict=TOO_LITTLE,
            reason=f"{whole} complete avalanches; exponents need {FEWEST_AVALANCHES}",
            exponents=None,
            surrogates=(),
            n=n,
            caveats=caveats,
        )
    try:
        exponents = avalanche_exponents(found)
    except ValueError as error:
        return Criticality(verdict=NO_SCALING, reason=str(error), exponents=None, surrogates=(), n=n, caveats=caveats)
    trouble = scaling_trouble(exponents)
    if trouble is None and values is not None:
        comparisons = _compared(values, threshold, bin_size, found, exponents, n_surrogates, rng)
    verdict, reason = _verdict(exponents, trouble, comparisons)
    if verdict in (CRITICAL, CUT_OFF):
        caveats += ("one system of one size: whether the largest avalanche grows with the system is not known",)
    return Criticality(
        verdict=verdict,
        reason=reason,
        exponents=exponents,
        surrogates=comparisons,
        n=n,
        caveats=caveats + exponents.caveats,
    )


def scaling_trouble(exponents: AvalancheExponents) -> str | None:
    """Why these exponents do not count as scaling laws, in one clause; `None` where they do."""
    parts = (
        ("sizes", exponents.size_exponent_interval, SIZE_DECADES, 1.0),
        ("durations", exponents.duration_exponent_interval, DURATION_DECADES, 1.0),
        ("mean sizes", exponents.mean_size_exponent_interval, DURATION_DECADES, 0.0),
    )
    found = zip(parts, exponents.scaling_decades, exponents.accepted, strict=True)
    for (name, (low, high), decades, floor), seen, accepted in found:
        if not accepted:
            return f"{name} obey no power law on any range"
        if seen < decades:
            return f"{name} scale over {seen:.2f} decades, fewer than {decades:g}"
        if not 0.5 * (high - low) <= WIDEST:
            return f"the exponent of the {name} is known only to ± {0.5 * (high - low):.2g}"
        if low <= floor:
            return f"the exponent of the {name} is not told from {floor:g} (interval from {low:.3g})"
    return None


def _verdict(
    exponents: AvalancheExponents, trouble: str | None, comparisons: tuple[SurrogateComparison, ...]
) -> tuple[str, str]:
    if trouble is not None:
        return NO_SCALING, trouble
    relation = exponents.crackling
    if relation.p_value <= LEVEL:
        return NO_RELATION, (
            f"(α − 1)/(τ − 1) is {relation.predicted:.3g} and γ is {relation.measured:.3g} (p = {relation.p_value:.2g})"
        )
    for one in comparisons:
        if one.p_value > LEVEL:
            return SURROGATE, f"{one.kind} surrogates have the same sizes and durations (p = {one.p_value:.2g})"
        if 2 * one.n_alike > one.n_fitted > 0:
            return SURROGATE, f"{one.n_alike} of {one.n_fitted} {one.kind} surrogates scale with the same exponents"
    if any(exponents.cut_off):
        what = " and ".join(name for name, cut in zip(("sizes", "durations"), exponents.cut_off, strict=True) if cut)
        return CUT_OFF, f"{what} scale, obey the crackling-noise relation, and bend down within the data"
    return CRITICAL, "sizes and durations scale without an end in the data and obey the crackling-noise relation"


def _found(values: NDArray[np.generic], threshold: float | None, bin_size: int) -> Avalanches:
    if threshold is None:
        return avalanches(values, bin_size=bin_size)
    if bin_size != 1:
        raise ValueError("bin_size joins bins of events; sum the signal over bins first, or leave the threshold out")
    return avalanches_of_signal(values, threshold=threshold)


def _compared(
    values: NDArray[np.generic],
    threshold: float | None,
    bin_size: int,
    found: Avalanches,
    exponents: AvalancheExponents,
    n_surrogates: int,
    rng: np.random.Generator,
) -> tuple[SurrogateComparison, ...]:
    total = values.sum(axis=0) if values.ndim == 2 else values
    makers: list[tuple[str, Callable[[], NDArray[np.generic]]]] = [
        ("time-shuffled", lambda: time_shuffled(values, rng=rng)),
        ("phase-randomized", lambda: phase_randomized(total, max_rounds=_ROUNDS, rng=rng)),
    ]
    if values.ndim == 2 and len(values) > 1:
        makers.insert(1, ("circularly shifted", lambda: circularly_shifted(values, rng=rng)))
    return tuple(_comparison(kind, make, threshold, bin_size, found, exponents, n_surrogates) for kind, make in makers)


def _comparison(
    kind: str,
    make: Callable[[], NDArray[np.generic]],
    threshold: float | None,
    bin_size: int,
    found: Avalanches,
    exponents: AvalancheExponents,
    n_surrogates: int,
) -> SurrogateComparison:
    rows, n_failed = [_statistics(found)], 0
    kept: list[Avalanches] = []
    for _ in range(n_surrogates):
        try:
            surrogate = _found(make(), threshold, bin_size)
        except ValueError:  # always or never silent: as unlike the data as can be
            n_failed += 1
            continue
        rows.append(_statistics(surrogate))
        if len(kept) < _N_FITTED:
            kept.append(surrogate)
    statistics = np.array(rows)
    distance, rank = math.inf, 0
    if len(rows) > statistics.shape[1] + 2:
        distances = np.array([_distance(statistics, i) for i in range(len(rows))])
        distance, rank = float(distances[0]), int(np.count_nonzero(distances[1:] >= distances[0]))
    p_value = (1 + rank) / (1 + n_surrogates)
    n_fitted = len(kept) if p_value <= LEVEL else 0
    n_alike = sum(_alike(_first(one, len(found)), exponents) for one in kept[:n_fitted])
    return SurrogateComparison(
        kind=kind,
        estimate=distance,
        p_value=p_value,
        statistics=statistics,
        n_surrogates=n_surrogates,
        n_without_avalanches=n_failed,
        n_fitted=n_fitted,
        n_alike=n_alike,
    )


def _alike(surrogate: Avalanches, exponents: AvalancheExponents) -> bool:
    """Whether a surrogate scales with exponents that agree with those of the data."""
    try:
        other = avalanche_exponents(surrogate)
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
    """Mahalanobis distance of one row from all others: exchangeable rows give exchangeable distances."""
    others = np.delete(statistics, place, axis=0)
    gap = statistics[place] - others.mean(axis=0)
    spread = np.cov(others.T) + np.diag(1e-18 + 1e-12 * np.abs(others).max(axis=0) ** 2)
    return float(math.sqrt(max(float(gap @ np.linalg.solve(spread, gap)), 0.0)))


def _first(found: Avalanches, n: int) -> Avalanches:
    """No more avalanches than the data have: exponents of noise cost as much as those of anything else."""
    if len(found) <= n:
        return found
    return separate_avalanches(found.sizes[:n], found.durations[:n], censored=found.censored[:n])
