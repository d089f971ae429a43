"""Train one ensemble into one recording, so that it can be killed at any step and go on as if nothing had happened."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from phasescope.errors import CorruptRunError
from phasescope.store.runs import RecordingWriter
from phasescope.training.ensemble import Ensemble
from phasescope.training.evaluation import EvaluationSchedule, LearningWatch, SnapshotSchedule, watched
from phasescope.training.settings import RunSettings, TrainingSettings

CHECKPOINT_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an ensemble stands: means over the runs evaluated last."""

    step: int
    loss: float
    train_accuracy: float
    test_accuracy: float


@dataclass(slots=True)
class _RunState:
    """What the loop remembers of one run between evaluations."""

    evaluations: EvaluationSchedule
    snapshots: SnapshotSchedule
    learning: LearningWatch

    @classmethod
    def fresh(cls, training: TrainingSettings) -> _RunState:
        return cls(
            EvaluationSchedule(training.evaluations_per_decade),
            SnapshotSchedule(training.snapshots_per_decade),
            LearningWatch(training.threshold),
        )

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> _RunState:
        return cls(
            EvaluationSchedule(**state["evaluations"]),
            SnapshotSchedule(**state["snapshots"]),
            LearningWatch(**state["learning"]),
        )


def train(
    recording: RecordingWriter,
    training: TrainingSettings,
    runs: Sequence[RunSettings],
    *,
    device: torch.device | str = "cpu",
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Train all runs to their end and record their series and parameter snapshots.

    A recording that holds a checkpoint is continued from it: the parameters, moments, schedules and the composition of
    the batch are restored, so on the same machine with the same threads the curves are the same to the last bit.

    A run whose loss stops being finite is recorded up to there, marked by an event `non_finite`, and leaves the batch;
    the others go on.

    Args:
        recording: Open recording with one run per entry of `runs`.
        training: What the runs share.
        runs: What may differ.
        device: Where to compute.
        progress: Called after each evaluation.
    """
    ensemble = Ensemble(training, runs, device=device)
    states = [_RunState.fresh(training) for _ in runs]
    checkpoint = recording.read_checkpoint()
    if checkpoint is not None:
        step, arrays, saved = checkpoint
        try:
            ensemble.restore(arrays, saved["ensemble"])
            states = [_RunState.restored(state) for state in saved["runs"]]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CorruptRunError(f"{recording.id}: its checkpoint does not fit its settings ({error})") from error
        recording.rewind(step)
    last_checkpoint = time.monotonic()
    while ensemble.active:
        step = ensemble.step_count
        due = [i for i, run in enumerate(ensemble.active) if states[run].evaluations.next_step == step]
        if due:
            finished = _look(recording, ensemble, states, due, progress)
            ensemble.retire(finished)
            if ensemble.active and time.monotonic() - last_checkpoint >= CHECKPOINT_INTERVAL_S:
                saved = {"ensemble": ensemble.state(), "runs": [dataclasses.asdict(state) for state in states]}
                recording.write_checkpoint(step, ensemble.arrays(), saved)
                last_checkpoint = time.monotonic()
        if ensemble.active:
            ensemble.step()
    recording.commit()


def _look(
    recording: RecordingWriter,
    ensemble: Ensemble,
    states: Sequence[_RunState],
    due: Sequence[int],
    progress: Callable[[Progress], None] | None,
) -> list[int]:
    """Evaluate the slices that are due, record what was seen, and return the slices that are finished."""
    step, training = ensemble.step_count, ensemble.training
    evaluations = ensemble.evaluate(due)
    nonfinite = ensemble.nonfinite_step.tolist()
    finished = []
    for i, values in zip(due, evaluations, strict=True):
        run, state = ensemble.active[i], states[ensemble.active[i]]
        recording.append(run, step, values)
        reached = state.learning.see(step, values)
        broken = nonfinite[i] >= 0 or not math.isfinite(values["train/loss"])
        over = broken or step >= training.steps or state.learning.settled(step, training.settle)
        if state.snapshots.due(step) or reached or over:
            for name, array in ensemble.snapshot(i).items():
                recording.write_array(run, f"params/{name}", step, array)
        if broken:
            at = nonfinite[i] if nonfinite[i] >= 0 else step
            recording.write_event(run, step, "non_finite", f"the training loss stopped being finite at step {at}")
        if over:
            finished.append(i)
        state.evaluations.advance(step, values, last_step=training.steps)
    if progress is not None:
        told = [values | watched(values) for values in evaluations]
        means = (
            sum(values.get(name, math.nan) for values in told) / len(told)
            for name in ("train/loss", "train/accuracy", "test/accuracy")
        )
        progress(Progress(step, *means))
    return finished
