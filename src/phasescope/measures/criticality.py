"""One verdict on criticality: scaling of sizes and durations, their relation, and surrogates that must not show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy
from phasescope.measures.avalanche_exponents import FEWEST_AVALANCHES, AvalancheExponents, avalanche_exponents
from phasescope.measures.avalanches import Avalanches, avalanches, avalanches_of_signal
from phasescope.measures.scaling_trouble import scaling_trouble
from phasescope.measures.silences import silence_variation
from phasescope.measures.surrogate_comparison import (
    LEVEL,
    Reading,
    SurrogateComparison,
    Surrogates,
    surrogate_comparison,
)
from phasescope.measures.surrogates import circularly_shifted, fast_length, phase_randomized, time_shuffled
from phasescope.results import Result

N_SURROGATES = 19  # the fewest with which p can reach 0.05
_ROUNDS = 5  # of a phase-randomized surrogate: each costs a sort and two transforms of the record

CRITICAL = "critical scaling"
CUT_OFF = "scaling up to a cut-off"
SURROGATE = "power law, not distinguishable from its surrogate"
NO_RELATION = "scaling without the crackling-noise relation"
NO_SCALING = "no scaling"
TOO_LITTLE = "too little data"
VERDICTS = (CRITICAL, CUT_OFF, SURROGATE, NO_RELATION, NO_SCALING, TOO_LITTLE)
CALLED_CRITICAL = (CRITICAL, CUT_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criticality(Result):
    """The verdict with everything it rests on."""

    verdict: str
    reason: str  # one clause
    exponents: AvalancheExponents | None  # None with too few avalanches
    surrogates: tuple[SurrogateComparison, ...]  # none for separate avalanches, nor where nothing scales
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
    values or the power spectrum have the same sizes and durations (rank p > 0.05), or most of them the same exponents
    without being told by their silences, for any kind; *scaling up to a cut-off* if sizes or durations bend down within
    the data; *critical scaling* otherwise. These two say what one record can say: that a cut-off grows with the system
    is for several systems to show.

    Args:
        record: Events, shape `(n_units, n_bins)` or `(n_bins,)`, with runs of bins above 0 as avalanches; with
            `threshold` excursions of their sum, or of a signal, above it; or avalanches, for which surrogates cannot be
            made.
        threshold: Level above which excursions are avalanches, in events per bin or the unit of the signal.
        bin_size: Neighboring bins that are joined into one; the threshold is per joined bin.
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
    if isinstance(record, Avalanches):
        found = criticality_among(record, (), n_surrogates=n_surrogates)
        return replace(
            found,
            caveats=(
                "there is no record in time to make surrogates of, so nothing was compared with noise",
                *found.caveats,
            ),
        )
    values = as_numpy(record)

    def read(one: NDArray[np.generic]) -> Reading:
        return _reading(one, threshold, bin_size)

    data = read(values)
    kinds = [Surrogates("time-shuffled", data, lambda: read(time_shuffled(values, rng=rng)))]
    if values.ndim == 2 and len(values) > 1:
        kinds.append(Surrogates("circularly shifted", data, lambda: read(circularly_shifted(values, rng=rng))))
    total = values.sum(axis=0) if values.ndim == 2 else values
    total = total[: fast_length(total.size)]
    shown = read(total) if total.size < values.shape[-1] else data
    kinds.append(
        Surrogates("phase-randomized", shown, lambda: read(phase_randomized(total, max_rounds=_ROUNDS, rng=rng)))
    )
    return criticality_among(data.avalanches, kinds, n_surrogates=n_surrogates)


def criticality_among(
    found: Avalanches, surrogates: Sequence[Surrogates], *, n_surrogates: int = N_SURROGATES
) -> Criticality:
    """The verdict of `criticality` on avalanches that have surrogates of their own kinds.

    Args:
        found: The avalanches.
        surrogates: What to compare them with, kind by kind.
        n_surrogates: Of each kind, at least 19.

    Returns:
        The verdict.
    """
    if n_surrogates < N_SURROGATES:
        raise ValueError(
            f"n_surrogates must be at least {N_SURROGATES}, so that p can reach {LEVEL:g}; got {n_surrogates}"
        )
    n, whole = len(found), int(np.count_nonzero(~found.censored))
    if whole < FEWEST_AVALANCHES:
        reason = f"{whole} complete avalanches; exponents need {FEWEST_AVALANCHES}"
        return Criticality(verdict=TOO_LITTLE, reason=reason, exponents=None, surrogates=(), n=n, caveats=found.caveats)
    try:
        exponents = avalanche_exponents(found)
    except ValueError as error:
        return Criticality(
            verdict=NO_SCALING, reason=str(error), exponents=None, surrogates=(), n=n, caveats=found.caveats
        )
    trouble = scaling_trouble(exponents)
    comparisons: tuple[SurrogateComparison, ...] = ()
    if trouble is None:
        comparisons = tuple(surrogate_comparison(one, exponents, n_surrogates=n_surrogates) for one in surrogates)
    verdict, reason = _verdict(exponents, trouble, comparisons)
    caveats = found.caveats
    if verdict in CALLED_CRITICAL:
        caveats += ("one system of one size: whether the largest avalanche grows with the system is not known",)
    return Criticality(
        verdict=verdict,
        reason=reason,
        exponents=exponents,
        surrogates=comparisons,
        n=n,
        caveats=caveats + exponents.caveats,
    )


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


def _reading(values: NDArray[np.generic], threshold: float | None, bin_size: int) -> Reading:
    if threshold is None:
        found = avalanches(values, bin_size=bin_size)
    total = values.sum(axis=0) if values.ndim == 2 else values
    if not 1 <= bin_size <= total.size:
        raise ValueError(f"bin_size must lie in 1 … {total.size} (the record's length); got {bin_size}")
    joined = total[: total.size // bin_size * bin_size].reshape(-1, bin_size).sum(axis=1)
    if threshold is not None:
        found = avalanches_of_signal(joined, threshold=threshold)
    return Reading(found, silence_variation(joined, level=threshold or 0.0))
