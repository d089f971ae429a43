"""The seven things a run can do, and the order in which they are asked.

`verdict.py` gathers the evidence and states the definitions; here it is turned into a label, a sentence and caveats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.delay import Crossing, Delay

Label = Literal["confusion", "memorization", "semi_grokking", "grokking", "comprehension", "ungrokking", "unstable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a label is decided on: the curves, their crossings, where they ended, and the thresholds."""

    steps: NDArray[np.float64]
    train: NDArray[np.float64]
    test: NDArray[np.float64]
    loss: NDArray[np.float64] | None
    memorization: Crossing
    generalization: Crossing
    delay: Delay
    test_at_memorization: float | None
    above_chance: float
    end_train: float | None
    end_test: float | None
    thresholds: dict[str, float]


def decide(run: Evidence) -> tuple[Label, str]:
    """The label and its sentence; the order of the questions is the order in the docstring of `verdict`."""
    threshold, fallback = run.thresholds["threshold"], run.thresholds["fallback"]
    t_mem, t_gen = run.memorization.estimate, run.generalization.estimate
    if run.loss is not None and not np.isfinite(run.loss).all():
        bad = int(np.flatnonzero(~np.isfinite(run.loss))[0])
        return "unstable", f"train loss is {run.loss[bad]} at step {run.steps[bad]:g}"
    if run.end_train is None or not math.isfinite(run.memorization.final):
        return "unstable", f"train accuracy is not finite at the last evaluation, step {run.steps[-1]:g}"
    if run.end_test is None:
        raise ValueError("test_accuracy has no finite value, so nothing can be said about generalization")
    if t_mem is not None and run.end_train < fallback:
        return "unstable", (
            f"train accuracy reached {threshold:g} at step {t_mem:g} and fell back to {run.end_train:.3g} at the end, "
            f"below {fallback:g}"
        )
    if t_mem is None and (t_gen is None or run.end_test < fallback):
        best = run.train[np.isfinite(run.train)].max()
        return "confusion", (
            f"train accuracy never reached {threshold:g} in {run.steps[-1]:g} steps: best {best:.3g}, "
            f"test at {run.end_test:.3g} at the end"
        )
    if t_gen is not None and run.end_test < fallback:
        return "ungrokking", (
            f"test accuracy reached {threshold:g} at step {t_gen:g} and fell back to {run.end_test:.3g} at the end, "
            f"below {fallback:g}, while train accuracy stayed at {run.end_train:.3g}"
        )
    if t_mem is None or run.test_at_memorization is None:
        return "comprehension", f"test accuracy reached {threshold:g} at step {t_gen:g}; train accuracy never did"
    if t_gen is not None:
        return _with_generalization(run, t_mem, t_gen, run.test_at_memorization)
    return _without_generalization(run, t_mem, run.end_test)


def _with_generalization(run: Evidence, t_mem: float, t_gen: float, test_then: float) -> tuple[Label, str]:
    threshold, min_delay = run.thresholds["threshold"], run.thresholds["min_delay"]
    late = t_mem > 0 and t_gen >= min_delay * t_mem
    at_chance = test_then <= run.above_chance
    ratio = f"{t_gen / t_mem:.3g} times as late" if t_mem > 0 else "train being there from step 0"
    told = (
        f"train accuracy reached {threshold:g} at step {t_mem:g} with test at {test_then:.3g} "
        f"({'not ' if at_chance else ''}above chance + {run.thresholds['n_sigma']:g}σ = {run.above_chance:.3g}), "
        f"test followed at step {t_gen:g}, {ratio}"
    )
    if late and at_chance:
        return "grokking", told
    why = [] if late else [f"a delay below {min_delay:g}"]
    why += [] if at_chance else ["test had left chance before"]
    return "comprehension", f"{told}: {' and '.join(why)}"


def _without_generalization(run: Evidence, t_mem: float, end_test: float) -> tuple[Label, str]:
    threshold = run.thresholds["threshold"]
    horizon = run.generalization.censored_at
    told = (
        f"train accuracy reached {threshold:g} at step {t_mem:g}; by step {horizon:g} test accuracy ends at "
        f"{end_test:.3g}"
    )
    floor = max(run.above_chance, run.thresholds["semi_floor"])
    if end_test > floor and horizon >= run.thresholds["min_delay"] * t_mem:
        return "semi_grokking", f"{told}, above {floor:.3g} and short of {threshold:g}"
    if end_test > run.above_chance:
        return "memorization", f"{told}, above chance but not enough, or not followed long enough, for more"
    return "memorization", f"{told}, at chance (at most {run.above_chance:.3g})"


def caveats_of(run: Evidence, label: Label) -> list[str]:
    """What a reader of the label alone would miss."""
    limits, t_mem, t_gen = run.thresholds, run.memorization.estimate, run.generalization.estimate
    caveats: list[str] = []
    if run.above_chance >= limits["threshold"]:
        caveats.append(f"chance + {limits['n_sigma']:g}σ = {run.above_chance:.3g}: too few test rows to leave chance")
    if label in ("grokking", "comprehension"):
        at_chance = run.test_at_memorization is not None and run.test_at_memorization <= run.above_chance
        interval = run.delay.interval
        if at_chance and interval is not None and interval[0] < limits["min_delay"] <= interval[1]:
            caveats.append(
                f"the evaluation spacing allows delays from {interval[0]:.3g} to {interval[1]:.3g}; "
                f"grokking needs {limits['min_delay']:g}"
            )
        if t_gen is not None and run.end_test is not None and run.end_test < limits["threshold"]:
            caveats.append(f"test accuracy ends at {run.end_test:.3g}, below {limits['threshold']:g}")
    if label == "memorization" and t_mem is not None and run.end_test is not None:
        horizon = run.generalization.censored_at
        peak = int(np.argmax(np.where(np.isfinite(run.test), run.test, -np.inf)))
        if horizon < limits["min_delay"] * t_mem:
            caveats.append(f"followed to {horizon / t_mem:.3g} times the memorization step only: too short to tell")
        if run.test[peak] > max(run.above_chance, limits["semi_floor"]) >= run.end_test:
            caveats.append(f"test accuracy was up at {run.test[peak]:.3g} at step {run.steps[peak]:g} and fell back")
    if label == "semi_grokking" and (run.test_at_memorization or 0.0) > run.above_chance:
        caveats.append("test accuracy had left chance before memorization: partial generalization without a delay")
    if label not in ("unstable", "confusion"):
        for name, values, reached in (("train", run.train, t_mem), ("test", run.test, t_gen)):
            after = np.isfinite(values) & (run.steps >= (math.inf if reached is None else reached))
            dips = np.flatnonzero(after & (values < limits["fallback"]))
            if dips.size and (name == "train" or label != "ungrokking"):
                deepest = int(dips[np.argmin(values[dips])])
                caveats.append(f"{name} accuracy dipped to {values[deepest]:.3g} at step {run.steps[deepest]:g}")
    return caveats
