"""Exponents of avalanches, jointly: of size, of duration, and of mean size given duration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from phasescope.measures.avalanches import Avalanches
from phasescope.measures.crackling import CracklingRelation, crackling_relation
from phasescope.measures.mean_size import MeanSizeRange, mean_size_range
from phasescope.measures.scaling_range import ScalingRange, influence, sample_of, scaling_range
from phasescope.results import Result

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST_AVALANCHES = 300
_BINS_PER_DECADE = 8


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
    cut_by: Literal["duration", "size"] = "duration",
    block: int | None = None,
    n_bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> AvalancheExponents:
    """Estimate the three exponents of avalanches from one set of them, with corrections to scaling and cut-offs.

    Sizes and durations by maximum likelihood of p(x) ∝ x^−τ exp(c x_min/x), normalized over whole numbers where they
    are; mean sizes by the quasi-likelihood of ⟨S⟩ ∝ T^γ exp(c T_min/T). The nuisance c takes up the leading correction,
    so that x_min may lie where most avalanches are; it is 6 times the smallest value from which score tests find no
    further departure. Where no law without an end fits, one with a second nuisance is fitted below a cut-off,
    p(x) ∝ x^−τ exp(c x_min/x + d x/x_max) on [x_min, x_max]. The covariance is the sum over avalanches, or over blocks
    of neighboring ones of one record, of the products of their influences on the exponents (the infinitesimal
    jackknife); added to it is the square of what corrections of the next order can still shift.

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
    blocks = _blocks(n, block, avalanches.n_bins)
    parts = _parts(avalanches.sizes, avalanches.durations, avalanches.censored, blocks, cut_by)
    size, duration, mean_size = parts.size, parts.duration, parts.mean_size
    estimates = parts.estimates
    shifts = parts.influences if blocks.size == 0 else np.add.reduceat(parts.influences, _starts(blocks), axis=1)
    covariance = shifts @ shifts.T
    if n_bootstrap and rng is not None:
        covariance = _resampled(avalanches, blocks, cut_by, n_bootstrap, rng)
    covariance = covariance + np.diag(np.square([size.remainder, duration.remainder, mean_size.remainder]))
    halves = float(ndtri(0.975)) * np.sqrt(np.diag(covariance))
    intervals = [(float(e - h), float(e + h)) for e, h in zip(estimates, halves, strict=True)]
    x = avalanches.durations[mean_size.fit.inside]
    ranges = [_range(size, avalanches.sizes), _range(duration, avalanches.durations), (float(x.min()), float(x.max()))]
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
            math.log10(min(size.high, avalanches.sizes.max()) / size.low),
            math.log10(min(duration.high, avalanches.durations.max()) / duration.low),
            math.log10(mean_size.high / mean_size.low),
        ),
        accepted=(size.accepted, duration.accepted, mean_size.accepted),
        cut_off=(math.isfinite(size.fit.window.x_max), math.isfinite(duration.fit.window.x_max)),
        n=n,
        n_tail=(int(size.fit.n), int(duration.fit.n), int(mean_size.fit.inside.sum())),
        size_points=_density(avalanches.sizes, n),
        size_curve=_curve(size, ranges[0], n),
        duration_points=_density(avalanches.durations.astype(np.float64), n),
        duration_curve=_curve(duration, ranges[1], n),
        mean_size_points=_means(avalanches.durations[whole], avalanches.sizes[whole]),
        mean_size_curve=_mean_curve(mean_size, ranges[2]),
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


def _parts(
    sizes: FloatArray, durations: IntArray, censored: NDArray[np.bool_], blocks: IntArray, cut_by: str
) -> _Parts:
    size_sample = sample_of(sizes, censored, blocks, dependent=cut_by == "duration")
    duration_sample = sample_of(durations.astype(np.float64), censored, blocks, dependent=cut_by == "size")
    size, duration = scaling_range(size_sample), scaling_range(duration_sample)
    if size is None or duration is None:
        what, values = ("sizes", sizes) if size is None else ("durations", durations)
        raise ValueError(
            f"the {what} run from {values.min():g} to {values.max():g} in {np.unique(values).size} distinct values, "
            "too few for an exponent with its corrections; record more avalanches or take finer bins"
        )
    t_max = duration.fit.window.x_max
    if censored.any():
        cut = np.sort(durations[censored])
        allowed = int(0.1 * math.sqrt(durations.size))
        if cut.size > allowed:
            t_max = min(t_max, float(cut[allowed]) - 1)
    mean_size = mean_size_range(sizes, durations, blocks, t_max=t_max, usable=~censored)
    if mean_size is None:
        raise ValueError(
            f"fewer than 100 complete avalanches over at least 5 durations up to {t_max:g} are left for the mean size; "
            "record longer, or more avalanches"
        )
    influences = np.stack(
        [influence(size_sample, size.fit), influence(duration_sample, duration.fit), mean_size.fit.influence()]
    )
    return _Parts(size, duration, mean_size, influences)


def _check(avalanches: Avalanches, cut_by: str, n_bootstrap: int, rng: np.random.Generator | None) -> None:
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


def _blocks(n: int, block: int | None, n_bins: int) -> IntArray:
    length = block if block is not None else (math.ceil(2 * n ** (1 / 3)) if n_bins else 1)
    if not 1 <= length <= n // 10:
        raise ValueError(f"block must lie in 1 … {n // 10}, so that there are ten of them; got {length}")
    return np.arange(n) // length if length > 1 else np.empty(0, dtype=np.int64)


def _starts(blocks: IntArray) -> IntArray:
    return np.asarray(np.flatnonzero(np.diff(blocks, prepend=-1)))


def _resampled(
    avalanches: Avalanches, blocks: IntArray, cut_by: str, n_bootstrap: int, rng: np.random.Generator
) -> FloatArray:
    """Covariance of the exponents over resampled blocks."""
    n = len(avalanches)
    labels = blocks if blocks.size else np.arange(n)
    starts = np.append(_starts(labels), n)
    refits = []
    for _ in range(n_bootstrap):
        drawn = rng.integers(starts.size - 1, size=starts.size - 1)
        places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in drawn]) if blocks.size else drawn
        try:
            parts = _parts(
                avalanches.sizes[places],
                avalanches.durations[places],
                avalanches.censored[places],
                blocks[places[:0]],
                cut_by,
            )
        except ValueError:
            continue
        refits.append(parts.estimates)
    return np.asarray(np.cov(np.array(refits).T))


def _range(found: ScalingRange, values: NDArray[np.generic]) -> tuple[float, float]:
    window = found.fit.window
    return float(window.x_min), float(window.x_max) if math.isfinite(window.x_max) else float(values.max())


def _edges(low: float, high: float, *, discrete: bool) -> FloatArray:
    n = max(2, math.ceil(_BINS_PER_DECADE * math.log10(high / low)) + 1)
    edges = np.geomspace(low, high * (1 + 1e-9), n + 1)
    return np.unique(np.ceil(edges) - 0.5) if discrete else edges


def _density(x: FloatArray, n: int) -> FloatArray:
    discrete = bool((x == np.round(x)).all())
    edges = _edges(float(x.min()), float(x.max()) + discrete, discrete=discrete)
    counts = np.histogram(x, edges)[0]
    centers = np.sqrt(np.maximum(edges[:-1], edges[1:] / 4) * edges[1:])
    kept = counts > 0
    return np.stack([centers, counts / np.diff(edges) / n], axis=1)[kept]


def _curve(found: ScalingRange, ends: tuple[float, float], n: int) -> FloatArray:
    fit = found.fit
    x = np.geomspace(ends[0], max(ends[1], 2 * ends[0]), 60)
    log_z = fit.window.moments(fit.parameters, fit.supports[0])[0]
    log_density = fit.parameters @ fit.window.features(x) - log_z - math.log(fit.window.x_min)
    return np.stack([x, fit.n / n * np.exp(log_density)], axis=1)


def _means(durations: IntArray, sizes: FloatArray) -> FloatArray:
    edges = _edges(float(durations.min()), float(durations.max()) + 1, discrete=True)
    counts = np.histogram(durations, edges)[0]
    kept = counts > 0
    t = np.histogram(durations, edges, weights=durations)[0][kept] / counts[kept]
    return np.stack([t, np.histogram(durations, edges, weights=sizes)[0][kept] / counts[kept]], axis=1)


def _mean_curve(found: MeanSizeRange, ends: tuple[float, float]) -> FloatArray:
    x = np.geomspace(ends[0], max(ends[1], 2 * ends[0]), 60)
    return np.stack([x, found.fit.predict(x)], axis=1)


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
        caveats += (f"{n - known} of {n} avalanches are censored; they enter as lower bounds",)
    return caveats
