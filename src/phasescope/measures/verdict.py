"""What became of a run, in one of seven words, with the thresholds and the numbers that decided."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.curve import checked_curve, non_finite_caveat
from phasescope.measures.delay import Crossing, crossing, delay
from phasescope.measures.regimes import Evidence, Label, caveats_of, decide
from phasescope.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Result):
    """One label for a run, the sentence that gives the reason, and what both rest on."""

    label: Label
    reason: str
    memorization_step: float | None  # first step with train accuracy at the threshold
    memorization_step_interval: tuple[float, float] | None
    generalization_step: float | None  # first step with test accuracy at the threshold
    generalization_step_interval: tuple[float, float] | None
    delay: float | None  # their ratio
    delay_interval: tuple[float, float] | None
    test_at_memorization: float | None  # test accuracy when train accuracy first reached the threshold
    above_chance: float  # chance + n_sigma · sqrt(chance (1 − chance) / n_test)
    end_train_accuracy: float | None  # median of the last `n_last` finite evaluations since the first crossing, if any
    end_test_accuracy: float | None
    thresholds: dict[str, float]


def verdict(
    steps: ArrayLike,
    train_accuracy: ArrayLike,
    test_accuracy: ArrayLike,
    *,
    chance: float,
    n_test: int,
    train_loss: ArrayLike | None = None,
    threshold: float = 0.99,
    min_delay: float = 5.0,
    n_sigma: float = 5.0,
    semi_floor: float = 0.2,
    fallback: float = 0.9,
    n_last: int = 5,
) -> Verdict:
    """Name what a run did: the first of these that holds, top to bottom, so exactly one always does.

    Write t_mem and t_gen for the first steps with train and test accuracy ≥ `threshold`; the *end* of a curve for the
    median of its last `n_last` finite evaluations (those since its first crossing, if it crossed), which one late
    spike does not move; and call a test accuracy *at chance* when it is
    ≤ chance + n_sigma · sqrt(chance (1 − chance) / n_test).

    1. `unstable`: a loss is not finite, or the last train accuracy is not, or train reached the threshold and its
       end is < `fallback`.
    2. `confusion`: train never reached the threshold, and test did not either or its end is < `fallback`.
    3. `ungrokking`: test reached the threshold and its end is < `fallback`, while train stayed.
    4. `grokking`: test reached the threshold, t_gen ≥ `min_delay` · t_mem, and test was at chance at t_mem.
    5. `comprehension`: test reached the threshold otherwise: early, or already on its way at t_mem.
    6. `semi_grokking`: the end of test is above chance and above `semi_floor`, and the run was followed for at least
       `min_delay` · t_mem steps.
    7. `memorization`: the rest: train reached the threshold, test did not leave chance far enough, or the run is too
       short to tell (a caveat then says so).

    Args:
        steps: Training steps of the evaluations, shape `(n_steps,)`, strictly rising.
        train_accuracy: Share of training rows answered correctly, shape `(n_steps,)`, in [0, 1]; NaN where missing.
        test_accuracy: Share of test rows answered correctly, shape `(n_steps,)`, in [0, 1]; NaN where missing.
        chance: Accuracy of guessing, in [0, 1); 1 / number of classes when they are balanced.
        n_test: Number of test rows behind each test accuracy.
        train_loss: Training loss, shape `(n_steps,)`; one NaN or infinity makes the run `unstable`.
        threshold: Accuracy that counts as reached, for train and test.
        min_delay: Smallest ratio t_gen / t_mem of grokking [1 uses a gap of 1,000 steps].
        n_sigma: Binomial standard deviations above chance that still count as chance.
        semi_floor: Test accuracy that semi-grokking [2] must exceed at the end.
        fallback: Accuracy below which a curve that had reached the threshold has fallen back.
        n_last: Evaluations whose median is the end of a curve.

    Returns:
        The label, its reason in one sentence, and every number and threshold that entered.

    Raises:
        ValueError: If the curves do not fit together, an accuracy is outside [0, 1], a threshold makes no sense, or
            test accuracy has no finite value while train accuracy has.

    References:
        [1] Liu, Kitouni, Nolte, Michaud, Tegmark & Williams (2022), NeurIPS 35, arXiv 2205.10343.
        [2] Varma, Shah, Kenton, Kramár & Kumar (2023), arXiv 2309.02390: semi-grokking and ungrokking.

    Example:
        >>> steps = [0, 10, 50, 100, 400, 500]
        >>> train, test = [0.0, 0.6, 1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.01, 0.1, 0.9, 1.0]
        >>> verdict(steps, train, test, chance=1 / 59, n_test=1000).label
        'grokking'
    """
    thresholds: dict[str, float] = {
        "threshold": threshold,
        "min_delay": min_delay,
        "n_sigma": n_sigma,
        "semi_floor": semi_floor,
        "fallback": fallback,
        "n_last": n_last,
    }
    step_array, train = checked_curve(steps, train_accuracy, name="train_accuracy")
    _, test = checked_curve(steps, test_accuracy, name="test_accuracy")
    loss = None if train_loss is None else checked_curve(steps, train_loss, name="train_loss")[1]
    _check_ranges(train, test, chance, n_test, thresholds)
    memorization = crossing(step_array, train, threshold=threshold)
    generalization = crossing(step_array, test, threshold=threshold)
    above_chance = chance + n_sigma * math.sqrt(chance * (1 - chance) / n_test)
    run = Evidence(
        steps=step_array,
        train=train,
        test=test,
        loss=loss,
        memorization=memorization,
        generalization=generalization,
        delay=delay(memorization, generalization),
        test_at_memorization=_value_at(step_array, test, memorization.estimate),
        above_chance=above_chance,
        end_train=_end(memorization, n_last),
        end_test=_end(generalization, n_last),
        thresholds=thresholds,
    )
    label, reason = decide(run)
    return Verdict(
        label=label,
        reason=reason,
        memorization_step=memorization.estimate,
        memorization_step_interval=memorization.interval,
        generalization_step=generalization.estimate,
        generalization_step_interval=generalization.interval,
        delay=run.delay.estimate,
        delay_interval=run.delay.interval,
        test_at_memorization=run.test_at_memorization,
        above_chance=above_chance,
        end_train_accuracy=run.end_train,
        end_test_accuracy=run.end_test,
        thresholds=thresholds,
        caveats=(
            *non_finite_caveat(train, "train_accuracy"),
            *non_finite_caveat(test, "test_accuracy"),
            *caveats_of(run, label),
        ),
    )


def _end(reached: Crossing, n_last: int) -> float | None:
    """Median of the last finite values; of a curve that crossed, only of those since its first crossing.

    A run that was stopped when it got there has not fallen back, however low it was five evaluations before.
    """
    since = reached.steps >= (-math.inf if reached.estimate is None else reached.estimate)
    finite = reached.values[np.isfinite(reached.values) & since]
    return float(np.median(finite[-n_last:])) if finite.size else None


def _value_at(steps: NDArray[np.float64], values: NDArray[np.float64], step: float | None) -> float | None:
    """The newest finite value at or before `step`, or the first one after it."""
    finite = np.isfinite(values)
    if step is None or not finite.any():
        return None
    index = int(np.searchsorted(steps[finite], step, side="right")) - 1
    return float(values[finite][max(index, 0)])


def _check_ranges(
    train: NDArray[np.float64], test: NDArray[np.float64], chance: float, n_test: int, thresholds: dict[str, float]
) -> None:
    for name, values in (("train_accuracy", train), ("test_accuracy", test)):
        finite = values[np.isfinite(values)]
        if finite.size and not (finite.min() >= -1e-6 and finite.max() <= 1 + 1e-6):  # float32 means exceed 1
            raise ValueError(
                f"{name} must lie in [0, 1]; it runs from {finite.min():g} to {finite.max():g} "
                "(divide a percentage by 100)"
            )
    if not 0 <= chance < 1:
        raise ValueError(f"chance must lie in [0, 1); got {chance}")
    if n_test < 1:
        raise ValueError(f"n_test must be at least 1; got {n_test}: without test rows a run has no verdict")
    if not 0 < thresholds["fallback"] <= thresholds["threshold"] <= 1:
        raise ValueError(
            f"need 0 < fallback <= threshold <= 1; got fallback {thresholds['fallback']} and "
            f"threshold {thresholds['threshold']}"
        )
    if thresholds["min_delay"] < 1 or thresholds["n_sigma"] < 0 or thresholds["n_last"] < 1:
        raise ValueError("need min_delay >= 1, n_sigma >= 0 and n_last >= 1")
