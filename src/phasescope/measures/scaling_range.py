"""Where a sample scales: the smallest x_min, and if need be an x_max, between which it obeys a corrected power law.

A range is accepted when neither the next-order corrections nor a departure in the body or the tail improves the fit:
score tests, each at level 0.05, in directions that the fit has not used. What such a test cannot see may still shift an
exponent by about its standard error. So the exponent is read from where the fit is comfortable, p > 0.2, and a margin
above that, where corrections have fallen further; and if it moves on the way by more than its noise explains, what may
be left of that joins its error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from phasescope.measures.censored_sample import Sample
from phasescope.measures.cutoff_power_law import CorrectedFit, Window, fit_corrected
from phasescope.measures.influence import beyond_noise, block_sums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVEL = 0.05  # p above which a range is accepted as scaling
SETTLED = 0.2  # p above which an exponent is read from it
MARGIN = 6.0  # used x_min over the accepted one
UPPER_MARGIN = 2.0  # accepted x_max over the used one
FEWEST = 100  # avalanches in a range
FLATTEST = 1.0  # exponents up to here are no scaling law: any smooth density is flat near its lower end
_RATIO = 1.3  # of neighboring candidates
_UPPER_RATIO = 1.5
_QUANTILES = (0.5, 0.8, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class ScalingRange:
    """An accepted range, the fit to the part of it that is used, and how well the accepted one fitted."""

    fit: CorrectedFit
    low: float  # of the accepted range
    high: float  # of the accepted range; infinite where the law has no end in the data
    top: float  # largest value or bound that was read
    accepted: bool
    p_value: float  # of the smaller of the two tests at the accepted range
    remainder: float  # what corrections of higher order may still shift the exponent by
    caveats: tuple[str, ...]


def scaling_range(sample: Sample) -> ScalingRange | None:
    """The most telling range that the data accept; `None` where nothing can be fitted at all."""
    if sample.values.size == 0:  # the smallest were cut already
        return None
    counts = sample.counts
    above = np.cumsum(counts[::-1])[::-1]
    top = sample.top
    starts = candidates(float(sample.values[0]), top, discrete=sample.discrete)
    n_above = np.append(above, 0)[np.searchsorted(sample.values, starts)]
    starts = starts[n_above >= FEWEST]
    best: tuple[float, float, float, float] | None = None  # logarithm of the width, x_min, x_max, p
    fallback: tuple[float, float] | None = None
    for start in starts:
        fit = _fit(sample, start, math.inf)
        if fit is None:
            continue
        p = acceptance(sample, fit)
        if fallback is None or p > fallback[0]:
            fallback = p, float(start)
        if p > LEVEL and fit.exponent > FLATTEST:
            best = math.log(top / start), float(start), math.inf, p
            break
    # An end costs much of the information, and one is taken only where it makes the range a decade longer.
    shortest = math.log(10) + (best[0] if best else 0.0)
    for end in top / _UPPER_RATIO ** np.arange(0, 40):
        for start in starts:
            width = math.log(end / start)
            if width < shortest:
                break
            if np.count_nonzero((sample.values >= start) & (sample.values <= end)) < 8:
                break
            fit = _fit(sample, start, math.floor(end) if sample.discrete else end)
            if fit is None or counts[(sample.values >= start) & (sample.values <= end)].sum() < FEWEST:
                continue
            p = acceptance(sample, fit)
            if p > LEVEL and fit.exponent > FLATTEST:
                best, shortest = (width, float(start), float(fit.window.x_max), p), width
                break
    if best is None:
        fit = None if fallback is None else _fit(sample, fallback[1], math.inf)
        if fit is None or fallback is None:
            return None
        return ScalingRange(
            fit,
            fallback[1],
            math.inf,
            sample.top,
            False,
            fallback[0],
            0.0,
            ("no range obeys a power law with its leading corrections",),
        )
    return _used(sample, starts, best[1], best[2], best[3])


def _used(sample: Sample, starts: FloatArray, low_end: float, end: float, p: float) -> ScalingRange | None:
    """The fit a margin inside the accepted range, or as much of it as the data allow."""
    start = _settled(sample, starts, low_end, end, p)
    top = min(end, sample.top)
    shrunk = MARGIN * (UPPER_MARGIN if math.isfinite(end) else 1.0)
    for margin in margins(top / start, shrunk):
        low, high = start * MARGIN**margin, end / UPPER_MARGIN**margin
        if sample.discrete:
            low, high = round(low), high if math.isinf(high) else round(high)
        inside = (sample.values >= low) & (sample.values <= high)
        if sample.counts[inside].sum() < FEWEST and margin > 0:
            continue
        fit = _fit(sample, low, high)
        if fit is None:
            continue
        shift = _remainder(sample, fit, start, end, margin) if margin else 0.0
        return ScalingRange(fit, low_end, end, sample.top, True, p, shift, margin_caveat(margin))
    return None


def _remainder(sample: Sample, fit: CorrectedFit, start: float, end: float, margin: float) -> float:
    """What corrections may still shift the exponent by, judged from how it moves with either end of the range.

    Next corrections fall at least as 1/x, so of what they shifted at x_min, 1/margin is left at margin · x_min. Beyond
    the departure at the cut-off that d takes up, the next is quadratic, and falls with the square of the upper margin.
    """
    own = influence(sample, fit)
    parts = [(_fit(sample, start, fit.window.x_max), MARGIN**margin)]
    if math.isfinite(end):
        parts.append((_fit(sample, fit.window.x_min, end), UPPER_MARGIN ** (2 * margin)))
    left = 0.0
    for wider, fall in parts:
        if wider is not None:
            noise = block_sums((influence(sample, wider) - own)[None], sample.blocks)
            left = math.hypot(left, beyond_noise(wider.exponent - fit.exponent, noise) / (fall - 1))
    return left


def _settled(sample: Sample, starts: FloatArray, low_end: float, end: float, p: float) -> float:
    """The first x_min of comfortable fit, or the accepted one where there is none.

    Of many data sets, those whose noise hides a correction pass a test at 0.05 just where it still shifts the exponent.
    """
    if p > SETTLED:
        return low_end
    for start in starts[starts > low_end]:
        fit = _fit(sample, float(start), end)
        if fit is None or fit.exponent <= FLATTEST:
            continue
        if acceptance(sample, fit) > SETTLED:
            return float(start)
        if end / start < 10:
            break
    return low_end


def margins(width: float, shrunk: float) -> FloatArray:
    """Shares of the margin to try, in turn: the whole, if that leaves half of the range in logarithms, then less.

    Args:
        width: Largest over smallest of the accepted range.
        shrunk: By how much a whole margin lowers that.
    """
    widest = min(1.0, 0.5 * math.log(max(width, 1.0)) / math.log(shrunk))
    return np.asarray(widest * np.array([1.0, 0.75, 0.5, 0.25, 0.0]))


def margin_caveat(margin: float) -> tuple[str, ...]:
    """A sentence where less than the whole margin is kept."""
    if MARGIN**margin > 0.75 * MARGIN:
        return ()
    return (
        f"the accepted range is too narrow, or holds too few avalanches, to begin the usual {MARGIN:g} times above its "
        f"lower end; it is {MARGIN**margin:.2g} times",
    )


def candidates(low: float, top: float, *, discrete: bool) -> FloatArray:
    """Trial beginnings of a range, each a third above the last; whole numbers where discrete."""
    steps = low * _RATIO ** np.arange(0, 1 + int(math.log(max(top / low, 1)) / math.log(_RATIO)))
    return np.asarray(np.unique(np.round(steps)) if discrete else steps, dtype=np.float64)


def _fit(sample: Sample, x_min: float, x_max: float) -> CorrectedFit | None:
    inside = (sample.values >= x_min) & (sample.values <= x_max)
    kept = (sample.bounds >= x_min) & (not math.isfinite(x_max))
    window = Window(x_min, x_max, sample.discrete)
    return fit_corrected(
        sample.values[inside], sample.counts[inside], sample.bounds[kept], sample.bound_counts[kept], window
    )


def acceptance(sample: Sample, fit: CorrectedFit) -> float:
    """Smaller p value of two score tests: of the next correction at small x, and of a departure anywhere."""
    window, n_bounds = fit.window, len(fit.bounds)
    tail = np.repeat(fit.values, fit.counts.astype(np.int64))
    knots = np.unique(np.quantile(tail, _QUANTILES))
    knots = knots[(knots > window.x_min) & (knots < tail[-1])]

    def functions(x: FloatArray) -> FloatArray:
        rows = [(window.x_min / x) ** 2, *(np.minimum(x / knot, 1) for knot in knots)]
        if math.isfinite(window.x_max):
            rows.append((x / window.x_max) ** 2)
        return np.stack(rows)

    limits = np.array([0.0] + [1.0] * (functions(fit.values[:1]).shape[0] - 1))
    expected = [window.expectations(fit.parameters, s, functions(s.nodes), limits) for s in fit.supports]
    means = [window.moments(fit.parameters, s)[1] for s in fit.supports]
    # Information between the directions and the parameters, less what the censored ones do not tell.
    cross = fit.n * (expected[0][1] - np.outer(expected[0][0], means[0]))
    for (mean, product), center, count in zip(expected[1:], means[1:], fit.bound_counts, strict=True):
        cross -= count * (product - np.outer(mean, center))
    slope = np.linalg.solve(fit.information, cross.T).T
    rows = functions(fit.values) - expected[0][0][:, None]
    rows -= slope @ (window.features(fit.values) - means[0][:, None])
    bound_rows = np.zeros((len(limits), n_bounds))
    for place in range(n_bounds):
        bound_rows[:, place] = expected[place + 1][0] - expected[0][0] - slope @ (means[place + 1] - means[0])
    score = rows @ fit.counts + bound_rows @ fit.bound_counts
    covariance = covariance_of(sample, fit, rows, bound_rows)
    return score_test(score, covariance)


def score_test(score: FloatArray, covariance: FloatArray) -> float:
    """Smaller p value of the first direction alone and of all together, by their sums and their covariance."""
    scale = np.sqrt(np.diag(covariance)) + 1e-300
    first = float(chdtrc(1, (score[0] / scale[0]) ** 2))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    kept = values > 1e-6 * values[-1]
    statistic = float(np.sum((vectors.T @ (score / scale))[kept] ** 2 / values[kept]))
    return min(first, float(chdtrc(int(kept.sum()), statistic)))


def covariance_of(sample: Sample, fit: CorrectedFit, rows: FloatArray, bound_rows: FloatArray) -> FloatArray:
    """Covariance of the sum of what each observation contributes, given per distinct value and bound."""
    if sample.blocks.size == 0:
        return np.asarray((rows * fit.counts) @ rows.T + (bound_rows * fit.bound_counts) @ bound_rows.T)
    sums = block_sums(spread(sample, fit, rows, bound_rows), sample.blocks)
    return np.asarray(sums @ sums.T)


def spread(sample: Sample, fit: CorrectedFit, rows: FloatArray, bound_rows: FloatArray) -> FloatArray:
    """Contributions per observation, shape `(n_rows, n)`; zero outside the range."""
    everything = np.zeros((rows.shape[0], sample.values.size + 1))
    first = int(np.searchsorted(sample.values, fit.values[0]))
    everything[:, first : first + fit.values.size] = rows
    cut = np.zeros((rows.shape[0], sample.bounds.size + 1))
    if fit.bounds.size:
        first = int(np.searchsorted(sample.bounds, fit.bounds[0]))
        cut[:, first : first + fit.bounds.size] = bound_rows
    return np.asarray(everything[:, sample.events] + cut[:, sample.cuts])


def influence(sample: Sample, fit: CorrectedFit) -> FloatArray:
    """Shift of the exponent that each observation causes, shape `(n,)`: the sum of squares is its variance."""
    first = np.linalg.solve(fit.information, np.eye(len(fit.parameters)))[0]
    means = [fit.window.moments(fit.parameters, support)[1] for support in fit.supports]
    rows = first @ (fit.window.features(fit.values) - means[0][:, None])
    bound_rows = np.array([first @ (mean - means[0]) for mean in means[1:]])
    return np.asarray(spread(sample, fit, rows[None], bound_rows[None])[0])
