import sqlite3
from pathlib import Path

import pytest

from phasescope.store import schema
from phasescope.store.runs import create_recording


@pytest.fixture
def record(tmp_path):
    """Begin a recording in the test's own store."""

    begun = []

    def begin(n_runs=1, *, root=tmp_path, config=None, group=None, **options):
        writer = create_recording(
            root,
            study="grokking",
            config={"lr": 1e-3} if config is None else config,
            runs=[{"seed": 10 + run, "weight_decay": float(run)} for run in range(n_runs)],
            group=group,
            threads=1,
            device="cpu",
            **options,
        )
        begun.append(writer)
        return writer

    yield begin
    for writer in begun:
        writer.abandon()


@pytest.fixture(params=["memory", "disk"])
def database(request, tmp_path: Path):
    """A database with the tables of a recording of two runs, in memory and on disk alike."""
    where = ":memory:" if request.param == "memory" else tmp_path / "data.sqlite"
    connection = sqlite3.connect(where, isolation_level=None)
    schema.create(connection, 2)
    yield connection
    connection.close()
