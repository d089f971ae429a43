"""The grokking study: lay down the recordings, train and judge them on all cores, and gather what happened."""

from __future__ import annotations

import dataclasses
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phasescope.errors import PhasescopeError
from phasescope.store.runs import create_recording, open_run, resolve, resume_recording
from phasescope.studies.grokking.analysis import record_verdict
from phasescope.studies.grokking.benches import Bench
from phasescope.studies.grokking.circuit import record_circuit
from phasescope.training.engine import Outcome, Send, run_units
from phasescope.training.ensemble import run_data
from phasescope.training.loop import Progress, train
from phasescope.training.scheduler import batch_sizes
from phasescope.training.settings import RunSettings, TrainingSettings, from_mapping

STUDY = "grokking"


@dataclass(frozen=True, slots=True)
class Unit:
    """One recording to be trained and judged by one process."""

    store: Path
    recording_id: str
    group: str
    bench: str
    n_runs: int
    steps: int  # budget
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the recordings of one study go, and what will fill them."""

    store: Path
    group: str  # name that ties the recordings together
    device: str = "cpu"
    n_processes: int = 1  # that will share the work
    n_threads: int = 1  # of each process


@dataclass(frozen=True, slots=True)
class Members:
    """Run ids of a group, by the part they play in the report."""

    seeds: list[str]
    circuit: list[str]

    @property
    def all(self) -> list[str]:
        """All of them, the seeds first."""
        return self.seeds + self.circuit


def new_group(bench: Bench) -> str:
    """A name for the recordings of one call, unique and sortable by time."""
    return f"grok-{bench.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}".replace(".", "_")


def lay_down(place: Place, bench: Bench, runs: Sequence[RunSettings], *, role: str = "seeds") -> list[Unit]:
    """Create the recordings of a study, empty; `carry_out` fills them, now or after an interruption.

    Args:
        place: Where they go and what will fill them.
        bench: Setting of the runs.
        runs: What may differ between them.
        role: `"seeds"` for the runs the verdict is about, `"circuit"` for one trained beside to show its circuit.

    Returns:
        One unit of work per recording.
    """
    task = bench.training.build_task()
    for run in runs:  # a setting that cannot work is refused before anything is laid down
        run_data(task, bench.training, run)
    units = []
    start = 0
    shared = bench.training.described()
    for size in batch_sizes(bench.training, runs, device=place.device, n_processes=place.n_processes):
        recording = create_recording(
            place.store,
            study=STUDY,
            config={"bench": bench.name, "role": role} | shared,
            runs=[dataclasses.asdict(run) for run in runs[start : start + size]],
            group=place.group,
            threads=place.n_threads,
            device=place.device,
        )
        recording.close("running")
        steps = bench.training.steps
        units.append(Unit(place.store, recording.id, place.group, bench.name, size, steps, place.device))
        start += size
    return units


def unfinished(store: Path, name: str, *, device: str) -> list[Unit]:
    """Units of a group, recording or run that were interrupted or failed.

    Raises:
        PhasescopeError: If there is nothing of that name, or nothing to resume.
    """
    runs = [open_run(store, run_id) for run_id in resolve(store, name)]
    if any(run.study != STUDY for run in runs):
        raise PhasescopeError(f"{name!r} was not recorded by this study, so it cannot be resumed here")
    stopped = {run.recording_id: run for run in runs if run.status in ("interrupted", "failed")}
    if not stopped:
        states = ", ".join(sorted({run.status for run in runs}))
        raise PhasescopeError(f"nothing of {name!r} was interrupted, so there is nothing to resume; it is {states}")
    n_runs = Counter(run.recording_id for run in runs)
    units = []
    for key, run in stopped.items():
        steps = from_mapping(TrainingSettings, run.config).steps
        units.append(Unit(Path(store), key, run.group, str(run.config.get("bench")), n_runs[key], steps, device))
    return units


def group_runs(store: Path, group: str) -> Members:
    """The runs of a group, by the part they play."""
    members = Members([], [])
    for run_id in resolve(store, group):
        run = open_run(store, run_id)
        (members.circuit if run.config.get("role") == "circuit" else members.seeds).append(run_id)
    return members


def execute(unit: Unit, send: Send) -> None:
    """Train one recording from wherever it stands, judge its runs, and close it."""
    with resume_recording(unit.store, unit.recording_id) as recording:
        training = from_mapping(TrainingSettings, recording.config)
        runs = [from_mapping(RunSettings, run) for run in recording.runs]
        train(recording, training, runs, device=unit.device, progress=send)
        for index, settings in enumerate(runs):
            rng = np.random.default_rng([settings.seed, settings.init_seed, settings.split_seed])
            # The circuit first: restricted loss is one of the series whose transitions are located.
            run = open_run(unit.store, recording.run_ids[index])
            record_circuit(recording, index, run, training, settings, rng=rng)
            recording.commit()
            record_verdict(recording, index, run, training, settings, rng=rng)
            recording.set_status(index, "finished")  # judged, not only trained: a kill in between is an interruption
            recording.commit()


def carry_out(
    units: Sequence[Unit],
    *,
    n_processes: int,
    n_threads: int = 1,
    on_progress: Callable[[Unit, Progress], None] | None = None,
) -> list[Outcome]:
    """Execute all units and say how each ended; a failed one leaves the others untouched."""
    return run_units(execute, units, n_processes=n_processes, n_threads=n_threads, on_message=on_progress)


def summaries(store: Path, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    """One row per run, as `phasescope grok --json` prints it; what was never reached is `None`."""
    rows = []
    for run_id in run_ids:
        run = open_run(store, run_id)
        results = run.results()
        last = {name: series.values[-1] for name, series in run.all_series().items()}
        generalization = results.get("generalization", {})
        rows.append(
            {
                "id": run.id,
                "seed": run.seed,
                "memorization_step": results.get("memorization", {}).get("estimate"),
                "generalization_step": generalization.get("estimate"),
                "last_crossing_step": generalization.get("last"),
                "delay": results.get("delay", {}).get("estimate"),
                "final_train_accuracy": last.get("train/accuracy"),
                "final_test_accuracy": last.get("test/accuracy", last.get("test_all/accuracy")),
                "final_test_accuracy_all": last.get("test_all/accuracy"),
                "verdict": results.get("verdict", {}).get("label"),
                "status": run.status,
            }
        )
    return rows


def choose_device(name: str) -> str:
    """`auto` becomes the best device at hand; a named one must exist.

    Raises:
        ValueError: If the named device is not there.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if present[device])
    if not present.get(name.split(":", maxsplit=1)[0], False):
        there = [device for device, is_there in present.items() if is_there]
        raise ValueError(f"no device {name!r} on this machine; there is: {', '.join(there)}")
    return name
