"""What a report needs of a run, read once: curves, results, planes and spectra, and the steps that count."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasescope.figures.delay import RunSteps
from phasescope.measures.survival import SurvivalCurve, kaplan_meier
from phasescope.store.runs import Run, Series, open_run

PLANE, POWER = "representation/plane", "fourier/embedding_power"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One run of the study; what it has not recorded, or not yet, is missing or empty."""

    run: Run
    label: str  # short name in figures and tables
    series: Mapping[str, Series]
    results: Mapping[str, Mapping[str, Any]]

    @property
    def verdict(self) -> str | None:
        """Label of the verdict, if the run was judged."""
        label = self.results.get("verdict", {}).get("label")
        return None if label is None else str(label)

    @property
    def memorization(self) -> float | None:
        """First step with train accuracy at the threshold."""
        return self._number("memorization", "estimate")

    @property
    def generalization(self) -> float | None:
        """First step with unmirrored test accuracy at the threshold."""
        return self._number("generalization", "estimate")

    @property
    def delay(self) -> float | None:
        """Their ratio."""
        return self._number("delay", "estimate")

    @property
    def is_circuit(self) -> bool:
        """Whether the run was trained beside the others to show its circuit."""
        return self.run.config.get("role") == "circuit"

    @property
    def last_step(self) -> float:
        """Last step looked at."""
        return float(max((series.steps[-1] for series in self.series.values() if len(series)), default=0))

    @property
    def steps(self) -> RunSteps:
        """The two steps as the figure of all runs takes them."""
        return RunSteps(
            run=self.label,
            memorization=self.memorization,
            generalization=self.generalization,
            last_step=self.last_step,
        )

    def last(self, name: str) -> float | None:
        """Last value of a series."""
        series = self.series.get(name)
        return float(series.values[-1]) if series is not None and len(series) else None

    def at(self, name: str, step: float) -> float | None:
        """Value of a series at the last evaluation up to a step."""
        series = self.series.get(name)
        if series is None or not len(series):
            return None
        return float(series.values[max(0, int(np.searchsorted(series.steps, step, side="right")) - 1)])

    def transition(self, name: str) -> Mapping[str, Any] | None:
        """The transition of a series with the largest amplitude, as the store keeps it."""
        items = [item for item in self.results.get("transitions", {}).get("items", []) if item["observables"] == [name]]
        return max(items, key=lambda item: abs(item.get("amplitude") or 0.0), default=None)

    def power(self) -> tuple[list[int], NDArray[np.float64]] | None:
        """Steps and power of the embedding per frequency, shape `(n_steps, n_frequencies)`."""
        steps = self.run.array_steps(POWER)
        return (steps, np.stack([self.run.array(POWER, step) for step in steps])) if len(steps) > 1 else None

    def _number(self, result: str, field: str) -> float | None:
        value = self.results.get(result, {}).get(field)
        return None if value is None else float(value)


def read(store: Path | str, run_ids: Sequence[str]) -> list[Recorded]:
    """Open runs and read what a report needs of them; a run is labeled by its seed where that tells it apart."""
    runs = [open_run(store, run_id) for run_id in run_ids]
    seeds = [(run.config.get("bench"), run.config.get("role"), run.seed) for run in runs]
    main = next((bench for bench, role, _ in seeds if role != "circuit"), seeds[0][0])
    recorded = []
    for run, seed in zip(runs, seeds, strict=True):
        bench, _, number = seed
        label = f"seed {number}" if bench == main else f"{bench} seed {number}"
        unique = number is not None and seeds.count(seed) == 1
        series, results = run.all_series(), run.results()
        recorded.append(Recorded(run=run, label=label if unique else run.id, series=series, results=results))
    return recorded


def waiting(runs: Sequence[Recorded], what: str) -> SurvivalCurve | None:
    """How long runs take to memorize or generalize; a run that has not got there is censored at its last step.

    Args:
        runs: The runs.
        what: `"memorization"` or `"generalization"`.

    Returns:
        The Kaplan–Meier curve, or `None` when no run was judged.
    """
    judged = [run for run in runs if what in run.results]
    if not judged:
        return None
    arrivals = [run.memorization if what == "memorization" else run.generalization for run in judged]
    times = [run.last_step if step is None else step for run, step in zip(judged, arrivals, strict=True)]
    broken = sum(run.verdict == "unstable" and step is None for run, step in zip(judged, arrivals, strict=True))
    doubt = f"{broken} unstable runs count as waiting until they broke off, as if that had nothing to do with waiting"
    return _with(kaplan_meier(times, [step is not None for step in arrivals]), (doubt,) if broken else ())


def delays(runs: Sequence[Recorded]) -> SurvivalCurve | None:
    """How many times later generalization comes than memorization; runs that wait still are censored."""
    ratios, reached = [], []
    for run in runs:
        result = run.results.get("delay", {})
        ratio = result.get("lower_bound") if result.get("estimate") is None else result["estimate"]
        if ratio is not None:
            ratios.append(float(ratio))
            reached.append(result.get("estimate") is not None)
    if not ratios:
        return None
    doubts = []
    if len(ratios) < len(runs):
        doubts.append(f"{len(runs) - len(ratios)} runs that never memorized have no delay and are left out")
    if not all(reached):
        doubts.append("a run that waits still is censored at a ratio that depends on its own memorization step")
    return _with(kaplan_meier(ratios, reached), doubts)


def _with(curve: SurvivalCurve, doubts: Sequence[str]) -> SurvivalCurve:
    return dataclasses.replace(curve, caveats=(*curve.caveats, *doubts))


def typical(runs: Sequence[Recorded]) -> Recorded:
    """The run in the middle: the one whose generalization step is the (lower) median; else the first."""
    there = sorted((run for run in runs if run.generalization is not None), key=lambda run: run.generalization or 0)
    return there[(len(there) - 1) // 2] if there else runs[0]
