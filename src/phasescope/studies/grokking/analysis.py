"""What happened in one run: crossings, delay, verdict, transitions, and whether the sharpness is a mirage."""

from __future__ import annotations

import numpy as np

from phasescope.measures.delay import delay, generalization_step, memorization_step
from phasescope.measures.mirage import mirage
from phasescope.measures.verdict import verdict
from phasescope.store.runs import MIN_POINTS, RecordingWriter, Run
from phasescope.training.ensemble import run_data
from phasescope.training.settings import RunSettings, TrainingSettings

# Series whose transitions are located for the report; all others are a call of `run.find_transitions` away.
TRANSITION_SERIES = ("train/accuracy", "test/accuracy", "test/loss", "fourier/restricted_loss")

# Series behind the mirage panel, under the names the measure knows them by.
MIRAGE_SERIES = {
    "accuracy": "test/accuracy",
    "cross_entropy": "test/loss",
    "brier": "test/brier",
    "margin": "test/margin",
    "log_odds": "test/log_odds",
}

NOTHING_TO_GENERALIZE_TO = "every row was for training, so there is nothing to generalize to"


def chance_level(training: TrainingSettings) -> float:
    """Accuracy of always giving the most frequent answer: 1/p for a + b, (2p − 1)/p² for a × b with its zeros."""
    if training.labels == "random":
        return 1 / training.modulus
    labels = training.build_task().labels
    return float(np.bincount(labels).max() / len(labels))


def record_verdict(
    recording: RecordingWriter,
    index: int,
    run: Run,
    training: TrainingSettings,
    settings: RunSettings,
    *,
    rng: np.random.Generator,
) -> None:
    """Judge one run by its recorded curves and write crossings, delay, verdict, transitions and mirage.

    The headline is accuracy on unmirrored test rows; where the split leaves none, all test rows stand in for them.

    Args:
        recording: Where to write.
        index: Position of the run in the recording.
        run: The same run, opened for reading.
        training: Settings the run shares with its ensemble.
        settings: Its own settings.
        rng: Source of randomness for intervals and p-values.
    """
    data = run_data(training.build_task(), training, settings)
    subset = "test" if data.subsets["test"].any() else "test_all"
    n_test = int(data.subsets[subset].sum())
    train = run.series("train/accuracy")
    memorization = memorization_step(train.steps, train.values, threshold=training.threshold)
    recording.write_result(index, "memorization", memorization.to_dict())
    if n_test == 0:
        recording.write_result(index, "verdict", {"label": None, "reason": NOTHING_TO_GENERALIZE_TO, "caveats": []})
        return
    test = run.series(f"{subset}/accuracy")
    generalization = generalization_step(test.steps, test.values, threshold=training.threshold)
    label = verdict(
        train.steps,
        train.values,
        test.values,
        chance=chance_level(training),
        n_test=n_test,
        train_loss=run.series("train/loss").values,
        threshold=training.threshold,
    )
    recording.write_result(index, "generalization", generalization.to_dict())
    recording.write_result(index, "delay", delay(memorization, generalization).to_dict())
    recording.write_result(index, "verdict", label.to_dict())
    series = run.all_series()
    if len(test) < MIN_POINTS:
        return
    searched = [name for name in TRANSITION_SERIES if name in series and len(series[name]) >= MIN_POINTS]
    transitions = run.find_transitions(rng=rng, names=searched)
    recording.write_result(index, "transitions", {"items": [transition.to_dict() for transition in transitions]})
    curves = {metric: series[name].values for metric, name in MIRAGE_SERIES.items() if name in series}
    recording.write_result(index, "mirage", mirage(test.steps, curves, n_items=n_test).to_dict())
