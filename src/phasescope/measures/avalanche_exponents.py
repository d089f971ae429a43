"""Exponents of avalanches, jointly: of size, of duration, and of mean size given duration."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.avalanche_curves import density_points, law_curve, mean_size_curve, mean_size_points
from phasescope.measures.avalanches import Avalanches, CutBy, correlated_blocks, separate_avalanches
from phasescope.measures.censored_sample import sample_of
from phasescope.measures.crackling import CracklingRelation, crackling_relation
from phasescope.measures.duration_range import duration_range
from phasescope.measures.influence import block_sums, students_quantile
from phasescope.measures.mean_size import MeanSizeRange
from phasescope.measures.scaling_range import ScalingRange, influence, scaling_range
from phasescope.results import Result

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST_AVALANCHES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AvalancheExponents(Result):
    """P(S) ~ S^−τ, P(T) ~ T^−α and ⟨S⟩(T) ~ T^γ, with their covariance and the crackling-noise relation."""

    size_exponent: float  # τ
    size_exponent_interval: tuple[float, float]  # 95 %
    duration_exponent: float  # α
    duration_exponent_interval: tuple[float, float]
    mean_size_exponent: float  # γ, in the literature 1/(σνz)
    mean_size_exponent_interval: tuple[float, float]
    covariance: FloatArray  # (3, 3) of τ, α, γ
    crackling: CracklingRelation
    size_range: tuple[
        float, float
    ]  # of the sizes the exponent was read from; up to the largest where there is no cut-off
    duration_range: tuple[float, float]  # in bins
    mean_size_range: tuple[float, float]  # in bins
    scaling_decades: tuple[float, float, float]  # over which the three laws were accepted, before the margins inside
    accepted: tuple[bool, bool, bool]  # whether size, duration and mean size obey their law on some range
    cut_off: tuple[bool, bool]  # whether the law of sizes, of durations had to be ended below the largest
    n: int  # avalanches
    n_tail: tuple[int, int, int]  # avalanches within the three ranges, censored ones included
    size_points: FloatArray  # (n_points, 2) size and density in logarithmic bins
    size_curve: FloatArray  # (n_curve, 2) the fitted law over its range
    duration_points: FloatArray  # (n_points, 2)
    duration_curve: FloatArray  # (n_curve, 2)
    mean_size_points: FloatArray  # (n_points, 2) duration and mean size in logarithmic bins
    mean_size_curve: FloatArray  # (n_curve, 2)


def avalanche_exponents(
    avalanches: Avalanches,
    *,
    cut_by: CutBy = "duration",
    block: int | None = None,
    n_bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> AvalancheExponents:
    """Estimate the three exponents of avalanches from one set of them, with corrections to scaling and cut-offs.

    Sizes and durations by maximum likelihood of p(x) ∝ x^−τ exp(c x_min/x), normalized over whole numbers where they
    are; mean sizes by the quasi-likelihood of ⟨S⟩ ∝ T^γ exp(c T_min/T). The nuisance c takes up the leading correction,
    so that x_min may lie where most avalanches are; it is 6 times the smallest value from which score tests find no
    further departure, or less where that would take more than half of the range in logarithms. Where no law without an
    end fits, one with a second nuisance is fitted below a cut-off, p(x) ∝ x^−τ exp(c x_min/x + d x/x_max) on
    [x_min, x_max]. The covariance is the sum over avalanches, or over blocks of neighboring ones of one record, of the
    products of their influences on the exponents (the infinitesimal jackknife); added to it is the square of what
    corrections of the next order can still shift. Intervals take Student's law with as many degrees of freedom as
    avalanches carry the estimate.

    Args:
        avalanches: At least 300, of positive size.
        cut_by: What ended the censored ones. A limit on the duration, or the end of the record, leaves durations
            censored independently of what they would have become, but not sizes: those are read below the smallest
            bounds only, and counted as "larger" above. `size` for a limit on the size.
        block: Neighboring avalanches that may be correlated; by default 2 n^⅓ in a record, 1 for separate trials.
        n_bootstrap: With at least 100, the covariance is that of refits to resampled blocks, ranges chosen anew.
        rng: Source of randomness for the bootstrap.

    Returns:
        The exponents, their intervals and covariance, the ranges, and the test of the crackling-noise relation.

    Raises:
        ValueError: If there are too few avalanches, sizes are not positive, all are alike, or all are censored.

    References:
        [1] Sethna, Dahmen & Myers (2001), Nature 410, 242. [2] Wegner (1972), Physical Review B 5, 4529.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> durations = np.floor(1 / rng.random(20_000)).astype(int)  # P(T ≥ t) = 1/t
        >>> sizes = durations**2
        >>> from phasescope.measures.avalanches import separate_avalanches
        >>> found = avalanche_exponents(separate_avalanches(sizes, durations))
        >>> found.duration_exponent_interval[0] < 2 < found.duration_exponent_interval[1]
        True
    """
    _check(avalanches, cut_by, n_bootstrap, rng)
    n = len(avalanches)
    labels = correlated_blocks(avalanches, block)
    blocks = labels if labels[-1] < n - 1 else labels[:0]
    parts = _parts(avalanches, blocks, cut_by)
    size, duration, mean_size = parts.size, parts.duration, parts.mean_size
    estimates = parts.estimates
    shifts = block_sums(parts.influences, blocks)
    covariance = shifts @ shifts.T
    if n_bootstrap and rng is not None:
        covariance = _resampled(avalanches, blocks, cut_by, n_bootstrap, rng)
    covariance = covariance + np.diag(np.square([size.remainder, duration.remainder, mean_size.remainder]))
    halves = students_quantile(shifts) * np.sqrt(np.diag(covariance))
    intervals = [(float(e - h), float(e + h)) for e, h in zip(estimates, halves, strict=True)]
    x = avalanches.durations[mean_size.fit.inside]
    ranges = [_range(size), _range(duration), (float(x.min()), float(x.max()))]
    whole, known = ~avalanches.censored, int((~avalanches.censored).sum())
    return AvalancheExponents(
        size_exponent=float(estimates[0]),
        size_exponent_interval=intervals[0],
        duration_exponent=float(estimates[1]),
        duration_exponent_interval=intervals[1],
        mean_size_exponent=float(estimates[2]),
        mean_size_exponent_interval=intervals[2],
        covariance=covariance,
        crackling=crackling_relation(
            size_exponent=float(estimates[0]),
            duration_exponent=float(estimates[1]),
            mean_size_exponent=float(estimates[2]),
            covariance=covariance,
        ),
        size_range=ranges[0],
        duration_range=ranges[1],
        mean_size_range=ranges[2],
        scaling_decades=(
            math.log10(min(size.high, size.top) / size.low),
            math.log10(min(duration.high, duration.top) / duration.low),
            math.log10(mean_size.high / mean_size.low),
        ),
        accepted=(size.accepted, duration.accepted, mean_size.accepted),
        cut_off=(math.isfinite(size.fit.window.x_max), math.isfinite(duration.fit.window.x_max)),
        n=n,
        n_tail=(int(size.fit.n), int(duration.fit.n), int(mean_size.fit.inside.sum())),
        size_points=density_points(avalanches.sizes[whole], size.top, n),
        size_curve=law_curve(size, ranges[0], n),
        duration_points=density_points(avalanches.durations[whole].astype(np.float64), duration.top, n),
        duration_curve=law_curve(duration, ranges[1], n),
        mean_size_points=mean_size_points(avalanches.durations[whole], avalanches.sizes[whole]),
        mean_size_curve=mean_size_curve(mean_size, ranges[2]),
        caveats=_caveats(size, duration, mean_size, ranges, n, known),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    size: ScalingRange
    duration: ScalingRange
    mean_size: MeanSizeRange
    influences: FloatArray  # (3, n)

    @property
    def estimates(self) -> FloatArray:
        return np.array([self.size.fit.exponent, self.duration.fit.exponent, self.mean_size.fit.exponent])


def _parts(avalanches: Avalanches, blocks: IntArray, cut_by: CutBy) -> _Parts:
    sizes = avalanches.sizes
    sample = sample_of(sizes, avalanches.censored, blocks, dependent=cut_by == "duration")
    size = scaling_range(sample)
    if size is None:
        raise ValueError(
            f"the sizes run from {sizes.min():g} to {sizes.max():g} in {np.unique(sizes).size} distinct values, too "
            "few for an exponent with its corrections; record more avalanches or take finer bins"
        )
    of_durations = duration_range(avalanches, blocks, cut_by)
    mean_size = of_durations.mean_size
    influences = np.stack([influence(sample, size.fit), of_durations.law_influence, mean_size.fit.influence()])
    return _Parts(size, of_durations.law, mean_size, influences)


def _check(avalanches: Avalanches, cut_by: CutBy, n_bootstrap: int, rng: np.random.Generator | None) -> None:
    if cut_by not in ("duration", "size"):
        raise ValueError(f"cut_by is 'duration' or 'size', not {cut_by!r}")
    if n_bootstrap and (n_bootstrap < 100 or rng is None):
        raise ValueError(f"the bootstrap needs an rng and at least 100 resamples; got {n_bootstrap} and rng={rng}")
    n, known = len(avalanches), int((~avalanches.censored).sum())
    if n < FEWEST_AVALANCHES:
        raise ValueError(f"exponents need at least {FEWEST_AVALANCHES} avalanches; {n} arrived: record longer")
    if known < FEWEST_AVALANCHES:
        raise ValueError(
            f"{n - known} of {n} avalanches were cut before they ended, as in a supercritical process that never ends; "
            "raise the limits or lower the drive"
        )
    if not np.isfinite(avalanches.sizes).all() or avalanches.sizes.min() <= 0 or avalanches.durations.min() < 1:
        raise ValueError(
            f"sizes must be positive and durations at least 1; they begin at {avalanches.sizes.min():g} and "
            f"{avalanches.durations.min()}: leave out avalanches without an event"
        )


def _resampled(
    avalanches: Avalanches, blocks: IntArray, cut_by: CutBy, n_bootstrap: int, rng: np.random.Generator
) -> FloatArray:
    """Covariance of the exponents over resampled blocks."""
    n = len(avalanches)
    labels = blocks if blocks.size else np.arange(n)
    starts = np.append(np.flatnonzero(np.diff(labels, prepend=-1)), n)
    refits = []
    for _ in range(n_bootstrap):
        drawn = rng.integers(starts.size - 1, size=starts.size - 1)
        places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in drawn]) if blocks.size else drawn
        try:
            drawn_ones = separate_avalanches(
                avalanches.sizes[places], avalanches.durations[places], censored=avalanches.censored[places]
            )
            parts = _parts(drawn_ones, blocks[:0], cut_by)
        except ValueError:
            continue
        refits.append(parts.estimates)
    return np.asarray(np.cov(np.array(refits).T))


def _range(found: ScalingRange) -> tuple[float, float]:
    window = found.fit.window
    return float(window.x_min), float(window.x_max) if math.isfinite(window.x_max) else found.top


def _caveats(
    size: ScalingRange,
    duration: ScalingRange,
    mean_size: MeanSizeRange,
    ranges: list[tuple[float, float]],
    n: int,
    known: int,
) -> tuple[str, ...]:
    caveats: tuple[str, ...] = ()
    own = (size.caveats, duration.caveats, mean_size.caveats)
    for name, sentences, (low, high) in zip(("sizes", "durations", "mean sizes"), own, ranges, strict=True):
        caveats += tuple(f"{name}: {sentence}" for sentence in sentences)
        if math.log10(high / low) < 1:
            caveats += (f"{name}: the range spans {math.log10(high / low):.2g} decades, less than one",)
    for name, part in (("sizes", size), ("durations", duration)):
        if math.isfinite(part.fit.window.x_max):
            caveats += (
                f"{name}: a cut-off sets in below the largest; the law is read up to {part.fit.window.x_max:g}",
            )
    if known < n:
        caveats += (f"censored avalanches enter as lower bounds: {n - known} of {n}",)
    return caveats
