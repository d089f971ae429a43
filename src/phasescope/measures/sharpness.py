"""How sharp is the rise of one curve, compared with a straight line over the same record?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.errors import unknown_name
from phasescope.measures.curve import checked_curve, non_finite_caveat
from phasescope.measures.curve_noise import MIN_POINTS, Noise, noise_of_blocks, noise_of_neighbors
from phasescope.measures.steepness import Steepness, steepness
from phasescope.measures.wilson import wilson_interval
from phasescope.results import Result

Shape = Literal["sharp", "smooth", "unresolved"]
Axis = Literal["linear", "log"]

_RELAXATION_DECADES = math.log10(math.log(10) / math.log(10 / 9))  # 10–90 % rise of 1 − exp(−t/τ): 1.34 decades


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpness(Result):
    """Steepness of one curve: its steepest tenth of the record against a straight line."""

    metric: str
    label: Shape
    estimate: float | None  # steepness; 1 for a straight line; None when there is nothing to measure
    interval: tuple[float, float] | None  # 95 %, simultaneous over all windows
    axis: Axis | None  # of the steps: the one on which the curve is less steep
    steepest_step: float | None  # middle of the steepest window
    rise: tuple[float, float] | None  # steps between which 10 % and 90 % of the improvement are passed
    rise_share: float | None  # that stretch as a share of the record, on `axis`; 0.8 for a straight line
    rise_decades: float | None  # the same in decades of steps; None when it starts at step 0
    setback: float | None  # how far the curve got worse before it improved, as a share of the improvement
    n_items: int | None  # test items behind each value
    smallest_resolvable: float | None  # rate that gives at least one hit among them with 95 % probability
    hidden_share: float | None  # share of the record, on `axis`, in which the curve is below that rate
    foot_resolved: bool | None  # could a smooth rise have been seen: is `hidden_share` at most a tenth?
    steps: NDArray[np.float64]  # (n_steps,)
    values: NDArray[np.float64]  # (n_steps,)
    band: NDArray[np.float64] | None  # (n_steps, 2) 95 % binomial interval of each value (Wilson)


def sharpness(
    steps: ArrayLike,
    values: ArrayLike,
    *,
    metric: str = "values",
    falling: bool = False,
    n_items: int | None = None,
    axis: Axis | Literal["both"] = "both",
    sharp_above: float = 2.0,
    window: float = 0.1,
) -> Sharpness:
    """Measure how much steeper than a straight line a curve gets.

    Put the record on [0, 1] and let A be the largest improvement of the curve, from a trough to a later peak. The
    steepness is the largest least-squares slope within any window of width `window`, divided by A: 1 for a straight
    line, 2.3 for q⁵ with q rising evenly from 0.5 to 0.99, about 1.1 / w for a sigmoid whose 10–90 % rise takes the
    share w of the record, and at most 1.5 / `window`, for a step.

    A logarithmic axis makes late rises look sudden, a linear one early rises. The steepness is computed on both, and
    the smaller one counts, unless `axis` names one.

    The interval is simultaneous: slope ± t · standard error over all windows, with Bonferroni's correction for
    2 / `window` of them. The noise behind it is the largest of three: the binomial one (`n_items`); the scatter about
    the cubic through the four neighbors; and, from 40 points on, the same scatter of the means of twenty blocks,
    which sees noise that persists over some evaluations. Curvature adds to a scatter, so it is taken on the axis
    where it is smaller.

    A curve is `sharp` when the whole interval is at or above `sharp_above`, `smooth` when all of it is below, and
    `unresolved` otherwise, or when it does not improve beyond its noise
    and for good (it must end better than it began and keep at least half of A).

    Args:
        steps: Training steps, or another axis such as model size, shape `(n_steps,)`, strictly rising.
        values: One value per step, shape `(n_steps,)`; those that are not finite are left out with a caveat.
        metric: Name that the result carries.
        falling: True when a smaller value is better, as for a loss.
        n_items: Number of test items of which each value is the share answered rightly; `None` for an exact curve
            and for metrics that are not such a share.
        axis: `"both"` for training time; `"log"` where ratios are meant, as for model sizes; `"linear"`.
        sharp_above: Steepness from which a curve is sharp; above 1.
        window: Width of the windows as a share of the record, in (0, 0.5].

    Returns:
        The steepness with its interval and label, the 10–90 % rise, and what `n_items` can resolve.

    Raises:
        ValueError: If the curve is malformed, an option out of range, or `n_items` is given and a value lies
            outside [0, 1].

    Example:
        >>> import numpy as np
        >>> q = np.linspace(0.5, 0.99, 100)
        >>> sharpness(np.arange(1, 101), q).label, sharpness(np.arange(1, 101), q**5).label
        ('smooth', 'sharp')
    """
    step_array, value_array = checked_curve(steps, values, name=metric)
    if axis not in ("both", "linear", "log"):
        raise ValueError(unknown_name("axis", axis, ("both", "linear", "log")))
    if not 0 < window <= 0.5 or not sharp_above > 1:
        raise ValueError(f"need 0 < window <= 0.5 and sharp_above > 1; got {window} and {sharp_above}")
    finite = np.isfinite(value_array)
    seen, level = step_array[finite], value_array[finite]
    if n_items is not None:
        _check_share(level, n_items, metric)
    caveats = list(non_finite_caveat(value_array, metric))
    scan, lesser, interval = _scan(
        seen, -level if falling else level, _variance(level, n_items), axis, window, metric, caveats
    )
    label: Shape = "unresolved"
    if interval is not None:
        label = "sharp" if interval[0] >= sharp_above else "smooth" if interval[1] < sharp_above else "unresolved"
    rise = None if scan is None else (_step_at(seen, lesser, scan.rise[0]), _step_at(seen, lesser, scan.rise[1]))
    rise_decades = None if rise is None or rise[0] <= 0 else math.log10(rise[1] / rise[0])
    if label == "sharp" and rise_decades is not None and rise_decades >= 0.9 * _RELAXATION_DECADES:
        caveats.append(
            f"{metric} rises over {rise_decades:.2f} decades of steps, hardly faster than an exponential relaxation "
            f"({_RELAXATION_DECADES:.2f}): the length of the record makes it sharp"
        )
    resolvable = None if n_items is None else 1 - 0.05 ** (1 / n_items)
    hidden = None if resolvable is None else _share_below(_positions(seen, lesser or "linear"), level, resolvable)
    return Sharpness(
        metric=metric,
        label=label,
        estimate=None if scan is None else scan.estimate,
        interval=interval,
        axis=lesser,
        steepest_step=None if scan is None else _step_at(seen, lesser, scan.steepest),
        rise=rise,
        rise_share=None if scan is None else scan.rise[1] - scan.rise[0],
        rise_decades=rise_decades,
        setback=None if scan is None else scan.setback,
        n_items=n_items,
        smallest_resolvable=resolvable,
        hidden_share=hidden,
        foot_resolved=None if hidden is None else hidden <= 0.1,
        steps=step_array,
        values=value_array,
        band=None if n_items is None else wilson_interval(value_array, n_items),
        caveats=tuple(caveats),
    )


def _scan(
    steps: NDArray[np.float64],
    improvement: NDArray[np.float64],
    variance: NDArray[np.float64],
    wanted: Axis | Literal["both"],
    window: float,
    metric: str,
    caveats: list[str],
) -> tuple[Steepness | None, Axis | None, tuple[float, float] | None]:
    """The less steep of the two axes, and the bounds of the smaller of the two steepnesses."""
    n_positive = int((steps > 0).sum())
    axes: list[Axis] = ["linear"] if wanted != "log" and steps.size >= MIN_POINTS else []
    axes += ["log"] if wanted != "linear" and n_positive >= MIN_POINTS else []
    if not axes:
        caveats.append(
            f"{metric} has {steps.size} finite values, {n_positive} of them at steps above 0; "
            f"its sharpness needs at least {MIN_POINTS}"
        )
        return None, None, None
    kept = {axis: steps > 0 if axis == "log" else steps >= 0 for axis in axes}
    x = {axis: _positions(steps[kept[axis]], axis) for axis in axes}
    scatter: list[Noise] = []
    for estimate in (noise_of_neighbors, noise_of_blocks):
        found_noises = [estimate(x[axis], improvement[kept[axis]]) for axis in axes]
        known = [(noise.sigma, noise) for noise in found_noises if noise is not None]
        scatter += [min(known, key=lambda pair: pair[0])[1]] if known else []
    scans: dict[Axis, Steepness] = {}
    for axis in axes:
        binomial = Noise(np.sqrt(variance[kept[axis]]), math.inf)
        found = steepness(x[axis], improvement[kept[axis]], [*scatter, binomial], window=window)
        if found is None:
            caveats.append(f"{metric} does not improve beyond its noise")
            return None, None, None
        scans[axis] = found
    lesser = min(scans, key=lambda axis: scans[axis].estimate)
    scan = scans[lesser]
    if scan.relapse > 0.5 or scan.setback + scan.relapse >= 1:
        caveats.append(
            f"{metric} does not improve for good: it ends no better than it began, or loses half of its best"
        )
        return None, None, None
    if scan.setback > 0.1:
        caveats.append(f"{metric} first gets worse, by {scan.setback:.2g} of its later improvement")
    if scan.relapse > 0.1:
        caveats.append(f"{metric} gets worse again in the end, by {scan.relapse:.2g} of its improvement")
    return scan, lesser, (min(one.low for one in scans.values()), min(one.high for one in scans.values()))


def _positions(steps: NDArray[np.float64], axis: Axis) -> NDArray[np.float64]:
    """Steps on [0, 1]; on the log axis step 0, if any, stands with the first positive one."""
    if steps.size < 2:
        return np.zeros(steps.size)
    scale = steps if axis == "linear" else np.log(np.maximum(steps, steps[steps > 0][0]))
    positions: NDArray[np.float64] = (scale - scale[0]) / (scale[-1] - scale[0])
    return positions


def _step_at(steps: NDArray[np.float64], axis: Axis | None, position: float) -> float:
    if axis == "log":
        first = steps[steps > 0][0]
        return float(first * (steps[-1] / first) ** position)
    return float(steps[0] + (steps[-1] - steps[0]) * position)


def _check_share(level: NDArray[np.float64], n_items: int, metric: str) -> None:
    if n_items < 1:
        raise ValueError(f"n_items must be at least 1; got {n_items}")
    if level.size and not (level.min() >= -1e-6 and level.max() <= 1 + 1e-6):
        raise ValueError(
            f"{metric} runs from {level.min():g} to {level.max():g}, so it is no share of {n_items} items; "
            "give n_items only for metrics in [0, 1] that count hits"
        )


def _variance(level: NDArray[np.float64], n_items: int | None) -> NDArray[np.float64]:
    """Binomial variance of each value, two hits and two misses added so that 0 and 1 keep some."""
    if n_items is None:
        return np.zeros(level.size)
    rate = (level * n_items + 2) / (n_items + 4)
    return rate * (1 - rate) / n_items


def _share_below(x: NDArray[np.float64], level: NDArray[np.float64], threshold: float) -> float:
    """Share of the record in which the line through the points runs below a threshold."""
    if x.size < 2:
        return float((level < threshold).mean()) if x.size else 1.0
    low, high = np.minimum(level[:-1], level[1:]), np.maximum(level[:-1], level[1:])
    height = np.where(high > low, high - low, 1.0)
    below = np.where(high > low, np.clip((threshold - low) / height, 0, 1), low < threshold)
    return float(below @ np.diff(x))
