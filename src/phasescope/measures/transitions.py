"""Where does a training curve change? Transitions with onset, midpoint and width, tested against smooth trends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.curve import checked_curve, non_finite_caveat
from phasescope.measures.isolated_values import without_isolated
from phasescope.measures.sigmoids import are_separated
from phasescope.measures.time_axis import Time, evenly_spread, time_axis
from phasescope.measures.transition_caveats import transition_caveats
from phasescope.measures.transition_fit import Fit, fit_transitions
from phasescope.measures.transition_interval import transition_intervals
from phasescope.measures.transition_test import Candidate, Shape, TransitionTest
from phasescope.results import Result

FloatArray = NDArray[np.float64]
MIN_POINTS = 12
MAX_POINTS = 400  # longest record whose calibration has been measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition(Result):
    """One transition of a curve: a sigmoid in log-time that a smooth trend does not explain."""

    onset: float  # training step at which 10 % of the change is done
    onset_interval: tuple[float, float]  # 95 %, profile likelihood
    midpoint: float  # training step at which half of the change is done
    midpoint_interval: tuple[float, float]  # 95 %, profile likelihood
    width: float  # from 10 % to 90 % of the change, in `width_unit`
    width_interval: tuple[float, float]  # 95 %, profile likelihood
    width_unit: str  # "decades" (of log10 step), or "steps" in linear time
    amplitude: float  # height of the change, in the unit of the values; negative for a fall
    amplitude_interval: tuple[float, float]  # 95 %
    p_value: float  # against a smooth trend with autocorrelated noise
    observables: tuple[str, ...]  # what was followed
    autocorrelation: float  # of the noise, from one evaluation to the next
    steps: NDArray[np.float64]  # (n_points,) the evaluations that were looked at
    values: NDArray[np.float64]  # (n_points,)
    fit: NDArray[np.float64]  # (n_points,) trend and all transitions of the curve


def find_transitions(
    steps: ArrayLike,
    values: ArrayLike,
    *,
    rng: np.random.Generator,
    name: str = "values",
    time: Time = "log",
    level: float = 0.05,
    n_bootstrap: int = 999,
    max_transitions: int = 5,
) -> list[Transition]:
    """Find the transitions of a training curve: none, one or several.

    A transition is a sigmoid A/(1 + exp(−2 ln 9 · (x − midpoint)/width)) in x = log10(step). Its null hypothesis: the
    curve is **a smooth trend of bounded curvature in log-time plus AR(1) noise**. With R the range of the trend and L
    the length of the record in log-time, |f''| ≤ 10 R/L² to one side and ≤ 3 R/L² to the other. That admits straight
    lines, a parabola (8) or half a sine (9.9) that rises and falls through the whole range, and a sigmoid no narrower
    than 0.8 L; a sigmoid of width L/4 reaches 30 to both sides.

    The statistic is the largest drop of the generalized residual sum of squares when a sigmoid joins a parabola; its
    distribution comes from a parametric bootstrap of the best-fitting smooth trend [1], the autocorrelation estimated
    anew in each replicate. A significant sigmoid joins the model and the rest is tested, until nothing is
    significant: a curve without transition is accused with probability `level` at most, however many are looked for.
    Whatever its p-value, a change must depart from the smooth trend by 4 % (rms) of the trend's range, and its fitted
    midpoint must have three evaluations on either side: an outlier is no transition, nor is the steep beginning of a
    power law. Isolated values far from their neighbors are replaced by the median around them, with a caveat.

    Step 0 has no logarithm and is placed at half the first positive step. Of more than 400 evaluations at most 400 are
    used, half spread over log-time, half over the evaluations (average noisy logs first). Noise is taken as
    autocorrelated from one evaluation to the next, whatever their distance in steps.

    Args:
        steps: Training steps of the evaluations, shape `(n_points,)`; not negative, strictly rising, any spacing.
        values: The curve, shape `(n_points,)`, in any unit; NaN and infinities are left out, with a caveat.
        rng: Source of randomness for the bootstrap.
        name: What the curve shows, for `observables` and caveats.
        time: `"log"`, or `"linear"` to measure curvature and width in steps instead.
        level: False-alarm probability of the whole list.
        n_bootstrap: Most replicates per test; fewer are drawn when a curve is clearly smooth.
        max_transitions: Longest list to return.

    Returns:
        The transitions by rising midpoint; empty when the curve is smooth or constant.

    Raises:
        ValueError: If shapes differ, the steps do not rise, fewer than 12 finite values are left, or `n_bootstrap` is
            too small for `level`.

    References:
        [1] Davison & Hinkley (1997), Bootstrap Methods and their Application, §4.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> steps = np.geomspace(1, 10_000, 120).round(3)
        >>> accuracy = 0.9 / (1 + (500 / steps) ** 4) + 0.05 * rng.standard_normal(120)
        >>> [transition] = find_transitions(steps, accuracy, rng=rng)
        >>> low, high = transition.midpoint_interval
        >>> low < 500 < high
        True
    """
    all_steps, all_values = checked_curve(steps, values, name=name)
    caveats = non_finite_caveat(all_values, name)
    finite = np.isfinite(all_values)
    kept_steps, curve = all_steps[finite], all_values[finite]
    if curve.size < MIN_POINTS:
        raise ValueError(
            f"{name} has {curve.size} finite values; a transition needs at least {MIN_POINTS}: evaluate more often"
        )
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1; got {level}")
    if (n_bootstrap + 1) * level < 1.0:
        raise ValueError(
            f"{n_bootstrap} bootstrap replicates cannot show a p-value below 1/{n_bootstrap + 1}; "
            f"a level of {level} needs at least {math.ceil(1.0 / level) - 1}"
        )
    axis = time_axis(kept_steps, time)
    if curve.size > MAX_POINTS:
        kept = evenly_spread(axis.position, MAX_POINTS)
        caveats += (
            f"{name} has {curve.size} evaluations; {kept.size} of them, spread over the record, were looked at",
        )
        kept_steps, curve = kept_steps[kept], curve[kept]
        axis = time_axis(kept_steps, time)
    cleaned, isolated = without_isolated(curve)
    if isolated.size:
        caveats += (
            f"{isolated.size} isolated values of {name} (the first at step {kept_steps[isolated[0]]:g}) lie far from "
            "their neighbors and were replaced by the median around them, or at an end by the neighbor",
        )
    center, scale = float(np.median(cleaned)), float(np.ptp(cleaned))
    if scale <= 1e-12 * max(abs(center), float(np.finfo(float).tiny)):
        return []
    position, scaled = axis.position, (cleaned - center) / scale

    fits, p_values = _search(position, scaled, level, n_bootstrap, max_transitions, rng)
    if not fits:
        return []

    fit = fits[0]
    transitions = []
    for j in sorted(range(len(fit.shapes)), key=lambda j: fit.shapes[j]):
        midpoint, width = fit.shapes[j]
        intervals = transition_intervals(fits, j, rng=rng)
        transitions.append(
            Transition(
                onset=axis.step_at(midpoint - 0.5 * width),
                onset_interval=axis.steps_between(intervals.onset),
                midpoint=axis.step_at(midpoint),
                midpoint_interval=axis.steps_between(intervals.midpoint),
                width=width * axis.length,
                width_interval=(intervals.width[0] * axis.length, intervals.width[1] * axis.length),
                width_unit=axis.unit,
                amplitude=fit.amplitudes[j] * scale,
                amplitude_interval=(intervals.amplitude[0] * scale, intervals.amplitude[1] * scale),
                p_value=p_values[j],
                observables=(name,),
                autocorrelation=fit.autocorrelation,
                steps=kept_steps,
                values=curve,
                fit=center + scale * fit.curve,
                caveats=caveats + transition_caveats(axis, fit, fit.shapes[j], intervals.width),
            )
        )
    return transitions


def _search(
    position: FloatArray,
    values: FloatArray,
    level: float,
    n_bootstrap: int,
    max_transitions: int,
    rng: np.random.Generator,
) -> tuple[tuple[Fit, ...], list[float]]:
    """Test, add what is significant to the model, test the rest; the last fits and a p-value per transition."""

    def tested(known: list[Shape]) -> Candidate | None:
        test = TransitionTest(position, known)
        return test.run(values, n_bootstrap=n_bootstrap, rng=rng) if test.possible else None

    fits: tuple[Fit, ...] = ()
    shapes: list[Shape] = []
    p_values: list[float] = []
    while len(shapes) < max_transitions:
        candidate = tested(shapes)
        if candidate is None:
            break
        found = [candidate] if candidate.p_value <= level and candidate.large_enough else []
        if not found:
            # Steps can hide each other: two of them leave a line. Each is then tested beside the others, and since a
            # lone one hides behind nothing, at least two must stand.
            beside = [tested([*shapes, *(o for o in candidate.rivals if o != one)]) for one in candidate.rivals]
            strict = level / max(len(beside), 1)
            found = [one for one in beside if one is not None and one.p_value <= strict and one.large_enough]
            found = found if len(found) > 1 else []
        start = [*shapes, *(one.shape for one in found)][:max_transitions]
        larger = fit_transitions(position, values, start) if found else ()
        if not larger or not are_separated(position, [midpoint for midpoint, _ in larger[0].shapes]):
            break
        fits, shapes = larger, list(larger[0].shapes)
        p_values = [*p_values, *(one.p_value for one in found)][:max_transitions]
    return fits, p_values
