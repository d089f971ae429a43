"""Units of work on processes.

Only this file sees: a worker whose death takes the others along, messages of one unit credited to another, and workers
that outlive a killed parent.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from phasescope.errors import PhasescopeError
from phasescope.training.engine import THREAD_VARIABLES, run_units


def work(unit, send):
    send(f"hello from {unit}")
    if unit == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if unit == "err":
        raise PhasescopeError("the disk is full")
    if unit == "bug":
        raise ZeroDivisionError("1/0")
    send(f"done {unit}")


@pytest.mark.parametrize("n_processes", [0, 2])
def test_every_unit_ends_and_says_how(n_processes):
    units = ["a", "err", "b", "bug", "c"] + (["die", "d"] if n_processes else [])
    heard = {unit: [] for unit in units}
    outcomes = run_units(work, units, n_processes=n_processes, on_message=lambda unit, text: heard[unit].append(text))
    errors = {outcome.unit: outcome.error for outcome in outcomes}
    assert list(errors) == units
    for unit in ("a", "b", "c"):
        assert errors[unit] == ""
        assert heard[unit] == [f"hello from {unit}", f"done {unit}"]
    assert errors["err"] == "the disk is full"
    assert "ZeroDivisionError" in errors["bug"]
    if n_processes:
        assert errors["die"] == "its process ended with exit code -9"
        assert heard["d"] == ["hello from d", "done d"]


def threads(unit, send):
    import torch

    send([torch.get_num_threads(), *(os.environ[name] for name in THREAD_VARIABLES)])


def test_a_worker_has_the_threads_it_was_given_and_the_parent_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    heard = []
    run_units(threads, ["a"], n_processes=1, n_threads=1, on_message=lambda unit, message: heard.append(message))
    assert heard == [[1, "1", "1", "1", "1"]]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_negative_number_of_processes_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        run_units(work, ["a"], n_processes=-1)


PARENT = """
import os, sys, time
sys.path.insert(0, {folder!r})
from test_engine_child import chatter
from phasescope.training.engine import run_units
if __name__ == "__main__":
    run_units(chatter, ["x"], n_processes=1, on_message=lambda unit, pid: print(pid, flush=True))
"""
CHILD = """
import os, time
def chatter(unit, send):
    while True:
        send(os.getpid())
        time.sleep(0.05)
"""


def test_workers_follow_a_killed_parent(tmp_path):
    (tmp_path / "test_engine_child.py").write_text(CHILD)
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(folder=str(tmp_path)))
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker went on after its parent was killed")
