"""A writer is killed with SIGKILL while it writes: nothing it had committed may be missing, and it can go on.

Only these tests see: rows acknowledged before they are safe, views that mix two moments, and locks that survive.
"""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from phasescope.store import queries
from phasescope.store.connections import reading
from phasescope.store.runs import list_runs, open_run, resume_recording

CHILD = """
import sys
from phasescope.store.runs import create_recording
writer = create_recording(sys.argv[1], study="killed", config={}, runs=[{"seed": 0}, {"seed": 1}])
print(writer.id, flush=True)
step = 0
while True:
    for _ in range(5):
        step += 1
        for run in range(2):
            writer.append(run, step, {"a": step * 0.5, "b": -step, "c": run})
    if step % 500 == 0:
        writer.write_checkpoint(step, {}, {"step": step})
    writer.commit()
    print(step, flush=True)
"""


@pytest.fixture
def child(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()


def test_nothing_committed_is_lost_and_every_view_is_of_one_moment(child, tmp_path):
    process, recording = child
    deadline, views = time.monotonic() + 0.8, 0
    while time.monotonic() < deadline:
        with reading(tmp_path / recording) as connection:
            names = queries.series_names(connection, 0)
            lengths = {len(queries.series(connection, run, name)) for run in range(2) for name in names}
        assert len(lengths) <= 1, "a view shows two moments"
        views += 1
    assert list_runs(tmp_path)[0].status == "running"
    process.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in process.stdout.read().split()]
    process.wait()
    assert views > 5
    assert acknowledged

    first, second = list_runs(tmp_path)
    assert (first.status, second.status) == ("interrupted", "interrupted")
    run = open_run(tmp_path, f"{recording}.1")
    assert run.steps == first.steps >= acknowledged[-1]
    for name, factor in (("a", 0.5), ("b", -1.0)):
        series = run.series(name)
        np.testing.assert_array_equal(series.steps, np.arange(1, run.steps + 1))
        np.testing.assert_array_equal(series.values, series.steps * factor)

    with resume_recording(tmp_path, recording) as writer:
        checkpoint = writer.read_checkpoint()
        assert checkpoint is not None
        step, _, state = checkpoint
        assert state == {"step": step}
        assert step <= run.steps
        writer.rewind(step)
        writer.append(0, step + 1, {"a": 1.0})
    assert open_run(tmp_path, f"{recording}.0").steps == step + 1
    assert open_run(tmp_path, f"{recording}.0").status == "finished"
    assert len(open_run(tmp_path, f"{recording}.1").series("b")) == step
