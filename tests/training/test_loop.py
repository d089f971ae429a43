"""Training into a recording: kill it at any step, go on, and nobody can tell.

Only this file sees: state that is missing from a checkpoint, rows lost or doubled at a resumption, and a broken run
that takes its batch along.
"""

import dataclasses

import numpy as np
import pytest

from phasescope.store.runs import create_recording, open_run, resume_recording
from phasescope.studies.grokking.benches import bench
from phasescope.training import loop
from phasescope.training.loop import train

STEPS = 260


class Killed(BaseException):
    """Stands for SIGKILL: nothing may be tidied up."""


def record(root, training, runs, *, kill_at=None):
    recording = create_recording(
        root, study="test", config=dataclasses.asdict(training), runs=[dataclasses.asdict(run) for run in runs]
    )
    go_on(recording, training, runs, kill_at=kill_at)
    return recording


def go_on(recording, training, runs, *, kill_at=None):
    def watch(progress):
        if kill_at is not None and progress.step >= kill_at:
            raise Killed

    try:
        train(recording, training, runs, progress=watch)
        recording.close()
    except Killed:
        recording.abandon()


def everything(root, recording):
    found = {}
    for run_id in recording.run_ids:
        run = open_run(root, run_id)
        for name, series in run.all_series().items():
            found[run_id[-2:], name] = (series.steps.tolist(), series.values.tobytes())
        for name in run.array_names():
            for step in run.array_steps(name):
                found[run_id[-2:], name, step] = run.array(name, step).tobytes()
    return found


@pytest.fixture
def setting():
    chosen = bench("F1", steps=STEPS, settle=0.2)
    # The second run settles early, so that the batch shrinks on the way.
    return chosen.training, [chosen.run(0), chosen.run(1, fraction=0.9), chosen.run(2, weight_decay=2.0)]


@pytest.mark.parametrize("kills", [[0], [37], [150], [20, 90, 91, 200, 255]])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, setting, monkeypatch, kills):
    training, runs = setting
    whole = record(tmp_path / "whole", training, runs)
    monkeypatch.setattr(loop, "CHECKPOINT_INTERVAL_S", 0.0 if len(kills) > 1 else 0.02)
    recording = record(tmp_path / "killed", training, runs, kill_at=kills[0])
    for kill_at in [*kills[1:], None]:
        assert open_run(tmp_path / "killed", recording.run_ids[2]).status == "interrupted"
        recording = resume_recording(tmp_path / "killed", recording.id)
        go_on(recording, training, runs, kill_at=kill_at)
    assert everything(tmp_path / "killed", recording) == everything(tmp_path / "whole", whole)
    assert open_run(tmp_path / "killed", recording.run_ids[0]).status == "finished"


def test_runs_end_at_their_own_time_and_all_is_recorded(tmp_path, setting):
    training, runs = setting
    recording = record(tmp_path, training, runs)
    easy, hard = open_run(tmp_path, recording.run_ids[1]), open_run(tmp_path, recording.run_ids[0])
    assert easy.series("test/accuracy").values[-1] >= 0.99
    assert easy.steps < STEPS
    assert hard.steps == STEPS
    names = {"train/accuracy", "train/loss", "test/accuracy", "test_mirrored/loss", "test/log_odds", "weight_norm"}
    assert names <= set(hard.series_names())
    first = int(np.argmax(hard.series("train/accuracy").values >= 0.99))
    step = int(hard.series("train/accuracy").steps[first])
    assert step in hard.array_steps("params/output")
    assert hard.array_steps("params/output")[-1] == STEPS


def test_a_run_that_overflows_is_recorded_and_the_others_go_on(tmp_path):
    chosen = bench("F1", steps=120)
    runs = [chosen.run(0), chosen.run(1, learning_rate=1e20), chosen.run(2)]
    recording = record(tmp_path, chosen.training, runs)
    broken = open_run(tmp_path, recording.run_ids[1])
    assert [event.kind for event in broken.events()] == ["non_finite"]
    assert "stopped being finite at step" in broken.events()[0].message
    assert broken.steps < 120
    for index in (0, 2):
        run = open_run(tmp_path, recording.run_ids[index])
        assert run.steps == 120
        assert np.isfinite(run.series("train/loss").values).all()


def test_a_run_is_recorded_alike_whoever_shares_its_batch(tmp_path):
    chosen = bench("F1", steps=150, dtype="float64")
    recording = record(tmp_path / "three", chosen.training, [chosen.run(seed) for seed in (5, 6, 7)])
    alone = record(tmp_path / "one", chosen.training, [chosen.run(6)])
    together = open_run(tmp_path / "three", recording.run_ids[1]).all_series()
    for name, series in open_run(tmp_path / "one", alone.run_ids[0]).all_series().items():
        assert np.array_equal(series.steps, together[name].steps)
        assert np.allclose(series.values, together[name].values, rtol=1e-8, atol=1e-10)
