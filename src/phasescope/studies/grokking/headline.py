"""The verdict of a study in one sentence, whatever became of its networks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from phasescope.figures.theme import number
from phasescope.measures.survival import SurvivalCurve
from phasescope.studies.grokking.recorded import Recorded, delays, waiting

# What a run did, after a count of runs: "6 grokked".
DID = {
    "grokking": "grokked",
    "semi_grokking": "generalized only in part (semi-grokking)",
    "comprehension": "generalized without the wait that grokking asks for (comprehension)",
    "memorization": "only memorized",
    "ungrokking": "generalized and lost it again (ungrokking)",
    "unstable": "became unstable",
    "confusion": "did not even memorize (confusion)",
}


def headline(runs: Sequence[Recorded]) -> str:
    """What became of the networks, in one sentence.

    Args:
        runs: At least one; runs that are not judged yet are counted as such.

    Returns:
        A sentence with the steps, their median and its interval where there is one.
    """
    judged = [run for run in runs if run.verdict is not None]
    if not judged:
        return f"{_networks(len(runs), capital=True)} recorded no verdict: {_states(runs)}."
    labels = Counter(run.verdict for run in judged)
    if len(labels) == 1 and len(judged) == len(runs):
        return _alike(str(judged[0].verdict), runs)
    return _mixed(labels, runs)


def _alike(label: str, runs: Sequence[Recorded]) -> str:
    all_networks = {1: "The network", 2: "Both networks"}.get(len(runs), f"All {len(runs)} networks")
    memorized = f"memorized {'at' if len(runs) == 1 else 'by'} step {_latest([run.memorization for run in runs])}"
    generalized = f"generalized at step {_median(waiting(runs, 'generalization'))}"
    end = number(max(run.last_step for run in runs))
    test = _median_last(runs, "test/accuracy")
    ratio = delays(runs)
    times = f"{number(ratio.estimate)}×" if ratio is not None and ratio.estimate is not None else "unknown length"
    if label == "grokking":
        return f"{all_networks} {memorized}, waited, and {generalized}, a delay of {times}: grokking."
    if label == "memorization":
        none = {1: "did not generalize", 2: "neither generalized"}.get(len(runs), "none generalized")
        return f"{all_networks} {memorized} and {none} by step {end}, with test accuracy at {test}: memorization."
    if label == "semi_grokking":
        return (
            f"{all_networks} {memorized} and then generalized only in part, "
            f"to a test accuracy of {test} at step {end}: semi-grokking."
        )
    if label == "comprehension":
        late = f", {times} the step of memorization and without grokking's wait" if ratio and ratio.estimate else ""
        return f"{all_networks} {generalized}{late}: comprehension."
    if label == "ungrokking":
        return (
            f"{all_networks} {memorized}, {generalized}, and lost it again, "
            f"with test accuracy at {test} by step {end}: ungrokking."
        )
    if label == "unstable":
        return f"{all_networks} became unstable: training accuracy or loss did not hold until step {end}."
    train = _median_last(runs, "train/accuracy")
    return f"{all_networks} did not even memorize by step {end}, with train accuracy at {train}: confusion."


def _mixed(labels: Counter[str | None], runs: Sequence[Recorded]) -> str:
    parts = [f"{count} {DID.get(str(label), str(label))}" for label, count in labels.most_common()]
    n_open = len(runs) - sum(labels.values())
    if n_open:
        parts.append(f"{n_open} without a verdict")
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    sentence = f"Of {len(runs)} networks, {listed}"
    wait = waiting(runs, "generalization")
    if wait is not None and wait.n_observed:
        when = f"the generalization step is {_median(wait)}"
        if wait.estimate is None:
            when = f"the median generalization step was not reached ({wait.n_observed} of {wait.n_runs} got there)"
        sentence += f"; over all {wait.n_runs}, censored ones counted, {when}"
    return sentence + "."


def _median(curve: SurvivalCurve | None) -> str:
    """A median step with its interval, in the words of a sentence."""
    if curve is None or curve.estimate is None:
        return "–"
    if curve.n_runs == 1:
        return number(curve.estimate)
    return f"{number(curve.estimate)} (median; {interval_words(curve)})"


def interval_words(curve: SurvivalCurve) -> str:
    """The interval of a median: both ends, or why there is no upper one."""
    low, high = curve.interval
    if math.isfinite(high):
        return f"{100 * curve.confidence:g} % interval {number(low)}–{number(high)}"
    if low <= 0:
        return f"too few runs for a {100 * curve.confidence:g} % interval"
    why = "too few runs for an upper end" if curve.n_observed == curve.n_runs else "censored runs leave no upper end"
    return f"{100 * curve.confidence:g} % interval from {number(low)}; {why}"


def _latest(steps: Sequence[float | None]) -> str:
    return number(max((step for step in steps if step is not None), default=math.nan))


def _median_last(runs: Sequence[Recorded], name: str) -> str:
    values = [value for run in runs if (value := run.last(name)) is not None and math.isfinite(value)]
    return number(float(np.median(values)), 2) if values else "an unknown level"


def _networks(count: int, *, capital: bool = False) -> str:
    text = "the network" if count == 1 else f"the {count} networks"
    return text.capitalize() if capital else text


def _states(runs: Sequence[Recorded]) -> str:
    states = Counter(run.run.status for run in runs)
    return ", ".join(f"{count} {status}" for status, count in states.most_common())
