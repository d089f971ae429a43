"""When a curve first reaches a threshold, and how much later the test curve does so than the train curve.

A step is known only between two evaluations, and a run that never gets there is censored: it stays, with the last
step looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.curve import checked_curve, non_finite_caveat
from phasescope.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing(Result):
    """First and last upward crossing of a threshold, and where the curve ended."""

    estimate: float | None  # first evaluated step at or above the threshold; None: not reached, censored
    interval: tuple[float, float] | None  # (last evaluated step still below, estimate); 0 when none was below
    last: float | None  # step of the last upward crossing; differs from `estimate` after a fall
    n_crossings: int  # upward crossings, counting a start above the threshold as one
    final: float  # last value of the curve, NaN when that is not finite
    threshold: float
    censored_at: float  # last step with a finite value; NaN when there is none
    steps: NDArray[np.float64]  # (n_steps,)
    values: NDArray[np.float64]  # (n_steps,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Result):
    """Generalization step over memorization step, first crossings."""

    estimate: float | None  # ratio, dimensionless; None when either step is censored or memorization is at step 0
    interval: tuple[float, float] | None  # what the evaluation spacing supports; not a spread over seeds
    lower_bound: float | None  # when only generalization is censored: the ratio is at least this
    memorization_step: float | None
    memorization_step_interval: tuple[float, float] | None
    generalization_step: float | None
    generalization_step_interval: tuple[float, float] | None


def crossing(steps: ArrayLike, values: ArrayLike, *, threshold: float = 0.99) -> Crossing:
    """Find where a curve crosses a threshold upward: first, last, and where it ended.

    The first crossing is the first evaluated step with `values >= threshold`. The true one lies after the last
    evaluated step below the threshold, so the bracket of the two is the interval: certain, and as wide as the
    evaluations are far apart (as long as the curve did not cross and return between two evaluations).

    Args:
        steps: Training steps of the evaluations, shape `(n_steps,)`, strictly rising.
        values: One value per evaluation, shape `(n_steps,)`. Those that are not finite cross nothing, widen the
            bracket, and are counted in a caveat.
        threshold: Level to reach, in units of `values`.

    Returns:
        First and last upward crossing with the bracket of the first; `estimate` is `None` when the level was not
        reached by `censored_at`.

    Raises:
        ValueError: If the curve is empty, the shapes differ, the steps do not rise, or `threshold` is not finite.

    Example:
        >>> crossing([0, 100, 200, 300, 400], [0.1, 0.995, 0.4, 0.992, 1.0]).interval
        (0.0, 100.0)
        >>> crossing([0, 100, 200, 300, 400], [0.1, 0.995, 0.4, 0.992, 1.0]).last
        300.0
    """
    step_array, value_array = checked_curve(steps, values)
    if not math.isfinite(threshold):
        raise ValueError(f"threshold must be a finite number; got {threshold}")
    caveats = list(non_finite_caveat(value_array, "the curve"))
    finite = np.isfinite(value_array)
    seen, levels = step_array[finite], value_array[finite]
    above = levels >= threshold
    upward = np.flatnonzero(above & ~np.concatenate(([False], above[:-1])))
    interval: tuple[float, float] | None = None
    estimate = last = None
    if upward.size:
        first = int(upward[0])
        estimate, last = float(seen[first]), float(seen[upward[-1]])
        interval = (float(seen[first - 1]) if first else 0.0, estimate)
        if first == 0 and estimate > 0:
            caveats.append(
                f"already at or above {threshold:g} at the first evaluation (step {estimate:g}); "
                "the crossing may be anywhere before it"
            )
    if upward.size > 1:
        caveats.append(f"crosses {threshold:g} upward {upward.size} times, last at step {last:g}")
    if upward.size and not above[-1]:
        caveats.append(f"ends below the threshold again, at {levels[-1]:.4g}")
    return Crossing(
        estimate=estimate,
        interval=interval,
        last=last,
        n_crossings=int(upward.size),
        final=float(value_array[-1]) if finite[-1] else math.nan,
        threshold=float(threshold),
        censored_at=float(seen[-1]) if seen.size else math.nan,
        steps=step_array,
        values=value_array,
        caveats=tuple(caveats),
    )


def memorization_step(steps: ArrayLike, train_accuracy: ArrayLike, *, threshold: float = 0.99) -> Crossing:
    """First step at which train accuracy reaches the threshold.

    Args:
        steps: Training steps of the evaluations, shape `(n_steps,)`.
        train_accuracy: Share of training rows answered correctly, shape `(n_steps,)`, in [0, 1].
        threshold: Accuracy that counts as memorized; 0.99 is common, Liu et al. [1] use 0.9.

    Returns:
        The crossing, as described at `crossing`.

    Raises:
        ValueError: As `crossing`.

    References:
        [1] Liu, Kitouni, Nolte, Michaud, Tegmark & Williams (2022), NeurIPS 35, arXiv 2205.10343.
    """
    return crossing(steps, train_accuracy, threshold=threshold)


def generalization_step(steps: ArrayLike, test_accuracy: ArrayLike, *, threshold: float = 0.99) -> Crossing:
    """First step at which test accuracy reaches the threshold.

    Args:
        steps: Training steps of the evaluations, shape `(n_steps,)`.
        test_accuracy: Share of test rows answered correctly, shape `(n_steps,)`, in [0, 1]. On a commutative
            operation use the rows whose mirror image is not in the training set.
        threshold: Accuracy that counts as generalized.

    Returns:
        The crossing, as described at `crossing`.

    Raises:
        ValueError: As `crossing`.
    """
    return crossing(steps, test_accuracy, threshold=threshold)


def delay(memorization: Crossing, generalization: Crossing) -> Delay:
    """Delay of generalization behind memorization: the ratio of the two first crossings.

    With memorization in (a, b] and generalization in (c, d] the ratio lies in [c / b, d / a], which is the interval;
    its upper end is infinite when nothing was evaluated between step 0 and memorization.

    Args:
        memorization: Crossing of train accuracy.
        generalization: Crossing of test accuracy.

    Returns:
        The ratio with its bracket; when generalization is censored, `lower_bound` = `censored_at` / memorization.

    Example:
        >>> steps = [0, 50, 100, 500, 1000]
        >>> train, test = [0, 0.5, 1, 1, 1], [0, 0, 0, 0.5, 1]
        >>> delay(memorization_step(steps, train), generalization_step(steps, test)).interval
        (5.0, 20.0)
    """
    caveats: list[str] = []
    if memorization.threshold != generalization.threshold:
        caveats.append(f"thresholds differ: train {memorization.threshold:g}, test {generalization.threshold:g}")
    if generalization.estimate is not None and not generalization.final >= generalization.threshold:
        caveats.append(f"the test curve did not stay: it ends at {generalization.final:.4g}")
    estimate = lower_bound = None
    interval: tuple[float, float] | None = None
    if memorization.estimate is None:
        caveats.append(f"train did not reach {memorization.threshold:g}, so there is no delay")
    elif memorization.estimate == 0:
        caveats.append("train was there at step 0, so the ratio is undefined")
    elif generalization.estimate is None:
        if math.isfinite(generalization.censored_at):
            lower_bound = generalization.censored_at / memorization.estimate
            caveats.append(
                f"test did not reach {generalization.threshold:g} by step {generalization.censored_at:g}: "
                f"the delay is more than {lower_bound:.4g}"
            )
        else:
            caveats.append("the test curve has no finite value, so nothing is known about the delay")
    else:
        estimate = generalization.estimate / memorization.estimate
        if memorization.interval is not None and generalization.interval is not None:
            train_low, train_high = memorization.interval
            test_low, test_high = generalization.interval
            interval = (test_low / train_high, test_high / train_low if train_low > 0 else math.inf)
    return Delay(
        estimate=estimate,
        interval=interval,
        lower_bound=lower_bound,
        memorization_step=memorization.estimate,
        memorization_step_interval=memorization.interval,
        generalization_step=generalization.estimate,
        generalization_step_interval=generalization.interval,
        caveats=tuple(caveats),
    )
