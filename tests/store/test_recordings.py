"""A recording from its first row to its last: what it holds, how it ends, how it goes on."""

import contextlib
import json
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from phasescope.errors import RunNotFoundError, StoreError
from phasescope.store import writer as writing
from phasescope.store.environment import ALLOWED
from phasescope.store.runs import create_recording, list_runs, open_run, resolve, resume_recording


def test_each_run_of_a_recording_opens_as_a_run(record, tmp_path):
    with record(3, group="one-call") as writer:
        for run in range(3):
            writer.append(run, 5, {"test/accuracy": run / 10})
        assert writer.run_ids == [f"{writer.id}.{run}" for run in range(3)]
    run = open_run(tmp_path, writer.run_ids[2])
    assert (run.id, run.recording_id, run.index, run.group) == (f"{writer.id}.2", writer.id, 2, "one-call")
    assert run.config == {"lr": 1e-3, "seed": 12, "weight_decay": 2.0}
    assert (run.study, run.status, run.seed, run.steps) == ("grokking", "finished", 12, 5)
    assert run.series("test/accuracy").values.tolist() == [0.2]
    assert np.asarray(run.series("test/accuracy")).tolist() == [0.2]


def test_a_single_run_has_the_id_of_its_recording(record, tmp_path):
    with record() as writer:
        writer.append(0, 1, {"loss": 1.0})
    assert writer.run_ids == [writer.id]
    assert open_run(tmp_path, writer.id).steps == 1
    assert resolve(tmp_path, writer.id) == [writer.id]


def test_rows_are_committed_by_themselves_after_a_quarter_second(record, tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(writing.time, "monotonic", lambda: clock[0])
    with record() as writer:
        writer.append(0, 1, {"loss": 1.0})
        assert open_run(tmp_path, writer.id).series_names() == []
        clock[0] += 0.3
        writer.append(0, 2, {"loss": 0.5})
        assert len(open_run(tmp_path, writer.id).series("loss")) == 2
        writer.append(0, 3, {"loss": 0.2})
        assert len(open_run(tmp_path, writer.id).series("loss")) == 2
        writer.commit()
        assert len(open_run(tmp_path, writer.id).series("loss")) == 3


def test_units_results_and_events_come_back(record, tmp_path):
    with record(2) as writer:
        writer.describe("train/loss", "nats")
        writer.append(1, 3, {"train/loss": 0.5})
        writer.write_result(1, "verdict", {"label": "grokking", "delay": np.float64(9.5), "bound": math.inf})
        writer.write_result(1, "verdict", {"label": "memorization"})
        writer.write_event(1, 3, "alert", "the loss is </script> NaN")
    run = open_run(tmp_path, writer.run_ids[1])
    assert run.series("train/loss").unit == "nats"
    assert run.result("verdict") == {"label": "memorization"}
    assert [(event.step, event.kind, event.message) for event in run.events()] == [
        (3, "alert", "the loss is </script> NaN")
    ]
    assert open_run(tmp_path, writer.run_ids[0]).results() == {}
    assert [summary.verdict for summary in list_runs(tmp_path)] == [None, "memorization"]


def test_unknown_names_are_answered_with_the_nearest(record, tmp_path):
    with record() as writer:
        writer.append(0, 1, {"test/accuracy": 1.0})
        writer.write_array(0, "plane", 1, np.zeros(2))
        writer.write_result(0, "verdict", {"label": "grokking"})
    run = open_run(tmp_path, writer.id)
    with pytest.raises(RunNotFoundError, match=r"no series named 'test/acuracy'.*'test/accuracy'"):
        run.series("test/acuracy")
    with pytest.raises(RunNotFoundError, match=r"no array named 'plan'.*'plane'"):
        run.array("plan")
    with pytest.raises(RunNotFoundError, match="not recorded at step 9; nearest: 1"):
        run.array("plane", step=9)
    with pytest.raises(RunNotFoundError, match=r"no result named 'verdct'.*'verdict'"):
        run.result("verdct")
    with pytest.raises(RunNotFoundError, match=f"no run named '{writer.id[:-1]}'.*{writer.id}"):
        open_run(tmp_path, writer.id[:-1])
    with pytest.raises(RunNotFoundError, match="holds no run"):
        open_run(tmp_path, f"{writer.id}.5")


def test_a_name_that_means_several_runs_is_not_opened(record, tmp_path):
    with record(2) as writer:
        pass
    with pytest.raises(RunNotFoundError, match=r"names 2 runs; open one of them: .*\.0"):
        open_run(tmp_path, writer.id)


def test_a_group_means_the_runs_of_all_its_recordings(record, tmp_path):
    with record(2, group="study-7") as first, record(group="study-7") as second, record(group="other"):
        pass
    assert resolve(tmp_path, "study-7") == [*first.run_ids, *second.run_ids]


def stop_inside(writer, error):
    with pytest.raises(type(error)), writer:  # noqa: PT012
        writer.append(0, 4, {"loss": 1.0})
        raise error


def test_an_exception_inside_makes_a_failed_run_that_keeps_its_message_and_rows(record, tmp_path):
    writer = record()
    stop_inside(writer, ZeroDivisionError("learning rate over zero"))
    run = open_run(tmp_path, writer.id)
    assert (run.status, run.message, run.steps) == ("failed", "ZeroDivisionError: learning rate over zero", 4)


def test_an_interrupt_from_the_keyboard_makes_an_interrupted_run(record, tmp_path):
    writer = record()
    stop_inside(writer, KeyboardInterrupt())
    assert open_run(tmp_path, writer.id).status == "interrupted"
    with resume_recording(tmp_path, writer.id) as again:
        again.append(0, 5, {"loss": 0.5})
    assert open_run(tmp_path, writer.id).status == "finished"


def test_one_run_can_end_before_the_others(record, tmp_path):
    with record(3) as writer:
        writer.set_status(0, "failed", "the loss became NaN at step 7")
        writer.set_status(1, "finished")
        writer.commit()
        assert [run.status for run in list_runs(tmp_path)] == ["failed", "finished", "running"]
    assert [run.status for run in list_runs(tmp_path)] == ["failed", "finished", "finished"]
    assert list_runs(tmp_path)[0].message == "the loss became NaN at step 7"
    with pytest.raises(ValueError, match="status is 'done'"):
        record().set_status(0, "done")


def test_rewinding_drops_what_came_after_and_lets_ended_runs_go_on(record, tmp_path):
    with record(2) as writer:
        for step in (10, 20, 30):
            writer.append(0, step, {"loss": float(step)})
            writer.write_array(0, "plane", step, np.array([step]))
            writer.write_event(0, step, "alert", str(step))
        writer.append(1, 15, {"loss": 1.5})
        writer.set_status(1, "finished")
        writer.write_result(1, "verdict", {"label": "confusion"})
        writer.write_result(0, "verdict", {"label": "grokking"})
        writer.set_status(0, "failed", "NaN")
        writer.rewind(20)
        writer.commit()
        first, second = (open_run(tmp_path, run) for run in writer.run_ids)
        assert first.series("loss").steps.tolist() == [10, 20]
        assert first.array_steps("plane") == [10, 20]
        assert [event.step for event in first.events()] == [10, 20]
        assert first.results() == {}
        assert (first.status, first.message, first.steps) == ("running", "", 20)
        assert (second.status, second.steps) == ("finished", 15)
        assert second.result("verdict") == {"label": "confusion"}


def test_a_checkpoint_comes_back_exactly_and_only_the_newest_is_kept(record, tmp_path):
    arrays = {"w": np.array([0.1, np.nan], np.float32), "rng": np.array([2**64 - 1], np.uint64), "t": np.array(7)}
    with record() as writer:
        assert writer.read_checkpoint() is None
        writer.append(0, 5, {"loss": 1.0})
        writer.write_checkpoint(5, {"w": np.zeros(3)}, {})
        assert len(open_run(tmp_path, writer.id).series("loss")) == 1, "rows before a checkpoint are in its transaction"
        writer.write_checkpoint(9, arrays, {"best": math.inf, "np": np.int64(3), "nested": {"a": [1.5, None]}})
    with resume_recording(tmp_path, writer.id) as again:
        step, found, state = again.read_checkpoint()
    assert step == 9
    assert state == {"best": math.inf, "np": 3, "nested": {"a": [1.5, None]}}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_resuming_and_writing_the_same_again_changes_nothing(record, tmp_path):
    with record() as writer:
        for step in range(1_200):
            writer.append(0, step, {"loss": math.sin(step)})
    before = open_run(tmp_path, writer.id).series("loss")
    with resume_recording(tmp_path, writer.id) as again:
        assert again.run_ids == writer.run_ids
        assert again.config == writer.config
        again.rewind(500)
        for step in range(400, 1_200):
            again.append(0, step, {"loss": math.sin(step)})
    after = open_run(tmp_path, writer.id).series("loss")
    np.testing.assert_array_equal(before.steps, after.steps)
    assert before.values.tobytes() == after.values.tobytes()
    assert [event.kind for event in open_run(tmp_path, writer.id).events()] == ["resumed"]


def test_a_resumption_elsewhere_says_what_is_different(record, tmp_path):
    with record() as writer:
        writer.append(0, 5, {"train/loss": 1.0})
    document = json.loads((writer.path / "run.json").read_text())
    document["environment"]["numpy"] = "1.0.0"
    (writer.path / "run.json").write_text(json.dumps(document))
    resume_recording(tmp_path, writer.id).close()
    assert "numpy 1.0.0 → " in open_run(tmp_path, writer.id).events()[0].message


def test_two_writers_are_refused(record, tmp_path, monkeypatch):
    monkeypatch.setattr("phasescope.store.locks.PATIENCE_S", 0.05)
    with record() as writer:
        with pytest.raises(StoreError, match="another process is writing"):
            resume_recording(tmp_path, writer.id)
        writer.append(0, 1, {"loss": 1.0})
    resume_recording(tmp_path, writer.id).close()


def test_a_closed_recording_takes_no_more(record):
    writer = record()
    writer.close()
    writer.close()
    with pytest.raises(StoreError, match="closed"):
        writer.append(0, 1, {"loss": 1.0})
    with pytest.raises(StoreError, match="closed"):
        writer.commit()


def test_a_forked_process_neither_writes_nor_keeps_the_recording(record, tmp_path):
    writer = record()
    pipe_out, pipe_in = os.pipe()
    child = os.fork()
    if child == 0:  # a data loader's worker that outlives its parent
        os.close(pipe_in)
        try:
            with contextlib.suppress(StoreError):
                writer.close()
            writer.append(0, 1, {"loss": 1.0})
        except StoreError:
            os.read(pipe_out, 1)
            os._exit(0)
        os._exit(1)
    os.close(pipe_out)
    writer.append(0, 2, {"loss": 1.0})
    writer.close("running")
    status = open_run(tmp_path, writer.id).status
    os.write(pipe_in, b".")
    os.close(pipe_in)
    assert os.waitpid(child, 0)[1] == 0, "the child was allowed to write"
    assert status == "interrupted", "the child kept the lock"


def test_looking_at_a_run_does_not_take_the_lock_of_its_writer_in_the_same_process(record, tmp_path):
    # The system drops all of a process's locks on a file when it closes any handle on it.
    writer = record()
    list_runs(tmp_path)
    open_run(tmp_path, writer.id)
    attempt = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)"
    database = writer.path / "data.sqlite"
    done = subprocess.run([sys.executable, "-c", attempt, database], capture_output=True, text=True, check=False)
    assert "BlockingIOError" in done.stderr


def test_files_follow_the_umask(record, tmp_path):
    before = os.umask(0o077)
    try:
        with record() as writer:
            writer.append(0, 1, {"loss": 1.0})
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o077 for path in (writer.path, *writer.path.iterdir())}
    assert modes == {0}


def test_several_threads_may_write(record, tmp_path):
    with record(4) as writer:

        def work(run):
            for step in range(500):
                writer.append(run, step, {"loss": run + step})

        threads = [threading.Thread(target=work, args=(run,)) for run in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for run, name in enumerate(writer.run_ids):
        np.testing.assert_array_equal(open_run(tmp_path, name).series("loss").values, run + np.arange(500.0))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0, -1, {"loss": 1.0}), "step is -1"),
        ((0, 2**63, {"loss": 1.0}), "counted from 0"),
        ((1, 1, {"loss": 1.0}), "runs 0 to 0"),
        ((0, 1, {"": 1.0}), "1 to 200 characters"),
        ((0, 1, {"x" * 201: 1.0}), "1 to 200 characters"),
    ],
)
def test_a_wrong_append_is_refused_and_spoils_nothing(record, tmp_path, arguments, complaint):
    with record() as writer:
        with pytest.raises(ValueError, match=complaint):
            writer.append(*arguments)
        writer.append(0, 1, {"loss": 0.5})
    assert open_run(tmp_path, writer.id).series("loss").values.tolist() == [0.5]


@pytest.mark.parametrize("name", ["</script><img src=x>", "a'b\"c; DROP TABLE scalar", "Δ loss", "\ud800", "[red]x[/]"])
def test_names_may_hold_anything_printable_or_not(record, tmp_path, name):
    with record(config={"task": name}) as writer:
        writer.append(0, 1, {name: 0.5})
        writer.set_status(0, "failed", name)
    run = open_run(tmp_path, writer.id)
    stored = name.encode("utf-8", "replace").decode()
    assert run.series_names() == [stored]
    assert run.series(stored).values.tolist() == [0.5]
    assert run.message == stored


def test_a_run_needs_a_seed_and_settings_that_can_be_written(tmp_path):
    with pytest.raises(ValueError, match="no 'seed'"):
        create_recording(tmp_path, study="s", config={}, runs=[{}])
    with pytest.raises(ValueError, match="runs is empty"):
        create_recording(tmp_path, study="s", config={}, runs=[])
    with pytest.raises(TypeError):
        create_recording(tmp_path, study="s", config={"f": object()}, runs=[{"seed": 0}])
    with pytest.raises(ValueError, match="durability"):
        create_recording(tmp_path, study="s", config={}, runs=[{"seed": 0}], durability="some")
    assert list(tmp_path.iterdir()) == []


def test_the_recorded_environment_is_an_allow_list(record, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "secret-token")
    with record() as writer:
        pass
    text = (writer.path / "run.json").read_text()
    for private in ("secret-token", os.uname().nodename, os.path.expanduser("~"), str(tmp_path)):
        assert private == "/" or private not in text
    assert set(json.loads(text)["environment"]) == ALLOWED
    environment = open_run(tmp_path, writer.id).environment
    assert (environment["threads"], environment["device"]) == (1, "cpu")


def test_full_durability_flushes_every_commit_and_survives_resuming(record, tmp_path):
    def synchronous(writer):
        return writer._connection.execute("PRAGMA synchronous").fetchone()[0]

    with record() as normal, record(durability="full") as full:
        assert (synchronous(normal), synchronous(full)) == (1, 2)
    with resume_recording(tmp_path, full.id) as again:
        assert synchronous(again) == 2


def test_a_finished_recording_is_three_plain_files(record):
    with record() as writer:
        writer.append(0, 1, {"loss": 1.0})
        assert (writer.path / "data.sqlite-wal").exists()
    assert sorted(path.name for path in writer.path.iterdir()) == ["data.sqlite", "run.json", "writer.lock"]
    assert os.listdir(writer.path.parent) == [writer.id]
