"""A run from a stranger: opening it never executes, follows, allocates or crashes; the list shows it as corrupt."""

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from phasescope.errors import CorruptRunError, PhasescopeError, RunNotFoundError, SchemaTooNewError, StoreError
from phasescope.store import connections
from phasescope.store.runs import create_recording, list_runs, open_run, resolve, resume_recording


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    root = tmp_path_factory.mktemp("template")
    for study in ("stranger", "bystander"):
        with create_recording(root, study=study, config={}, runs=[{"seed": 0}]) as writer:
            writer.append(0, 1, {"loss": 1.0})
    return root


@pytest.fixture
def stranger(template, tmp_path):
    """A finished recording, and one beside it that stays whole."""
    root = tmp_path / "runs"
    shutil.copytree(template, root)
    return next(root.glob("stranger-*"))


def the_list_shows_it_as_corrupt(path, complaint):
    by_id = {run.recording_id: run for run in list_runs(path.parent)}
    assert by_id[path.name].status == "corrupt"
    assert complaint in by_id[path.name].message
    assert sorted(run.status for run in by_id.values()) == ["corrupt", "finished"]
    with pytest.raises(PhasescopeError, match=complaint):
        open_run(path.parent, path.name)


def edit(path, **changes):
    document = json.loads((path / "run.json").read_text()) | changes
    (path / "run.json").write_text(json.dumps(document))


def edit_database(path, script):
    connection = sqlite3.connect(path / "data.sqlite")
    connection.executescript(script)
    connection.close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "no usable 'format'"),
        (b"[" * 200_000, "not valid JSON"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "nested deeper"),
        (b'{"format": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
    ids=["empty", "torn", "binary", "list", "null", "bare", "deep", "deep object", "long number"],
)
def test_a_malformed_manifest(stranger, content, complaint):
    (stranger / "run.json").write_bytes(content)
    the_list_shows_it_as_corrupt(stranger, complaint)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "1"},
        {"format": True},
        {"study": 7},
        {"group": None},
        {"config": []},
        {"environment": "linux"},
        {"runs": []},
        {"runs": [1]},
        {"runs": {}},
        {"runs": [{"settings": {}, "status": "finished", "steps": "many", "message": "", "verdict": None}]},
        {"runs": [{"settings": [], "status": "finished", "steps": 1, "message": "", "verdict": None}]},
        {"runs": [{"settings": {}, "status": "finished", "steps": 1, "message": "", "verdict": 3}]},
        {"status": "exploded"},
        {"created": 0},
    ],
    ids=str,
)
def test_wrong_types_in_the_manifest(stranger, changes):
    edit(stranger, **changes)
    the_list_shows_it_as_corrupt(stranger, "run.json")


def test_a_manifest_from_a_newer_phasescope(stranger):
    edit(stranger, format=99)
    the_list_shows_it_as_corrupt(stranger, "written by a newer phasescope")
    with pytest.raises(SchemaTooNewError, match="pip install --upgrade"):
        open_run(stranger.parent, stranger.name)


def test_a_database_from_a_newer_phasescope(stranger):
    edit_database(stranger, "PRAGMA user_version = 99")
    run = open_run(stranger.parent, stranger.name)
    with pytest.raises(SchemaTooNewError, match="reads up to"):
        run.series("loss")
    with pytest.raises(SchemaTooNewError):
        resume_recording(stranger.parent, stranger.name)
    assert run.status == "finished"


def test_seeds_and_environments_of_odd_types_are_passed_over(stranger):
    document = json.loads((stranger / "run.json").read_text())
    document["runs"][0]["settings"]["seed"] = {"a": 1}
    document["environment"] |= {"HOME": "/root", "torch": ["2"], "numpy": "2.0"}
    (stranger / "run.json").write_text(json.dumps(document))
    run = open_run(stranger.parent, stranger.name)
    assert run.seed is None
    assert "HOME" not in run.environment
    assert "torch" not in run.environment
    assert run.environment["numpy"] == "2.0"


@pytest.mark.parametrize("name", ["run.json", "data.sqlite", "writer.lock", "data.sqlite-wal"])
def test_links_out_of_the_store_are_not_followed(stranger, tmp_path_factory, name):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / name
    if (stranger / name).exists():
        shutil.move(stranger / name, elsewhere)
    else:
        elsewhere.write_bytes(b"")
    (stranger / name).symlink_to(elsewhere)
    the_list_shows_it_as_corrupt(stranger, "not a plain file")


def test_a_pipe_in_place_of_a_file_does_not_hang(stranger):
    (stranger / "run.json").unlink()
    os.mkfifo(stranger / "run.json")
    the_list_shows_it_as_corrupt(stranger, "not a plain file")


def test_a_linked_directory_is_listed_and_not_opened(stranger, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "run"
    shutil.move(stranger, elsewhere)
    stranger.symlink_to(elsewhere)
    the_list_shows_it_as_corrupt(stranger, "link")


@pytest.mark.parametrize(
    "name", ["../other", "..", ".", "/etc", "a/b", "a\x00b", "%2e%2e", "x" * 300, "", ".hidden", "a.b", "a.1.2", "-rf"]
)
def test_a_name_that_is_no_id_reaches_no_file(stranger, name):
    with pytest.raises(RunNotFoundError):
        open_run(stranger.parent, name)
    with pytest.raises(RunNotFoundError):
        resume_recording(stranger.parent, name)


def test_missing_cut_off_and_foreign_databases(stranger):
    whole = (stranger / "data.sqlite").read_bytes()
    (stranger / "data.sqlite").write_bytes(whole[: len(whole) // 2])
    the_list_shows_it_as_corrupt(stranger, "cut off")
    (stranger / "data.sqlite").write_bytes(b"\x00" * 4096)
    the_list_shows_it_as_corrupt(stranger, "not an SQLite database")
    (stranger / "data.sqlite").unlink()
    the_list_shows_it_as_corrupt(stranger, "no data.sqlite")
    (stranger / "data.sqlite").write_bytes(whole)
    (stranger / "run.json").unlink()
    the_list_shows_it_as_corrupt(stranger, "no run.json")


def test_a_database_that_is_damaged_inside(stranger):
    whole = bytearray((stranger / "data.sqlite").read_bytes())
    whole[100:4096] = os.urandom(3996)
    (stranger / "data.sqlite").write_bytes(whole)
    with pytest.raises(CorruptRunError, match="damaged"):
        open_run(stranger.parent, stranger.name).series("loss")
    edit(stranger, status="running")  # then the list asks the database
    the_list_shows_it_as_corrupt(stranger, "damaged")


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT 0, 0, i, i FROM n"


@pytest.mark.parametrize(
    "script",
    [
        f"DROP TABLE scalar; CREATE VIEW scalar(run, series, step, value) AS {ENDLESS};",
        "CREATE TRIGGER t AFTER INSERT ON scalar BEGIN DELETE FROM run; END;",
        "CREATE INDEX i ON scalar (abs(value));",
        "ALTER TABLE run RENAME TO r; CREATE TABLE run (run, status, step, message AS (hex(status)));",
        "CREATE VIRTUAL TABLE f USING fts5(x);",
    ],
    ids=["view", "trigger", "index", "generated column", "virtual table"],
)
def test_a_database_that_could_make_the_reader_compute_is_refused(stranger, script):
    edit_database(stranger, script)
    with pytest.raises(CorruptRunError, match="not opened"):
        open_run(stranger.parent, stranger.name).series_names()
    with pytest.raises(CorruptRunError, match="not opened"):
        resume_recording(stranger.parent, stranger.name)


@pytest.mark.parametrize(
    "script",
    [
        "DROP TABLE scalar",
        "ALTER TABLE scalar RENAME COLUMN value TO v",
        "UPDATE series SET name = x'00ff'",
        "UPDATE series SET name = CAST(x'ff' AS TEXT)",
        "UPDATE scalar SET value = 'much'",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -3",
    ],
)
def test_odd_tables_and_odd_values_are_corrupt(stranger, script):
    edit_database(stranger, script)
    with pytest.raises(CorruptRunError):
        open_run(stranger.parent, stranger.name).all_series()


@pytest.mark.parametrize(
    "script",
    [
        "DELETE FROM run",
        "UPDATE run SET step = 'x'",
        "UPDATE run SET status = 'dead'",
        "UPDATE run SET message = x'00'",
    ],
)
def test_odd_outcomes_of_an_open_recording_are_corrupt(stranger, script):
    edit(stranger, status="running")
    edit_database(stranger, script)
    by_id = {run.recording_id: run for run in list_runs(stranger.parent)}
    assert by_id[stranger.name].status == "corrupt"


def test_readers_cannot_write(stranger):
    with connections.reading(stranger) as connection:
        for pragma, value in (("query_only", 1), ("trusted_schema", 0)):
            assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == value
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM run")


def test_reading_leaves_no_trace_in_a_finished_recording(stranger):
    before = {path.name: path.stat().st_mtime_ns for path in stranger.iterdir()}
    list_runs(stranger.parent)
    open_run(stranger.parent, stranger.name).all_series()
    assert {path.name: path.stat().st_mtime_ns for path in stranger.iterdir()} == before


@pytest.fixture
def shared():
    """A directory that other users can reach and read."""
    with tempfile.TemporaryDirectory(prefix="phasescope-test-") as directory:
        root = Path(directory)
        root.chmod(0o755)
        yield root


@contextlib.contextmanager
def as_nobody():
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user who may not write")
@pytest.mark.parametrize(
    ("how", "status", "n_points"),
    [("finished", "finished", 300), ("killed", "interrupted", 300), ("killed, its log lost", "interrupted", 0)],
)
def test_a_run_in_a_directory_that_may_not_be_written_opens(record, shared, how, status, n_points):
    writer = record(root=shared)
    for step in range(300):
        writer.append(0, step, {"loss": 1.0})
    writer.commit()
    path = writer.path
    if how != "finished":  # what a kill leaves behind, without the shared memory
        path = shared / "killed"
        left = {"run.json", "writer.lock", "data.sqlite"} | ({"data.sqlite-wal"} if how == "killed" else set())
        shutil.copytree(writer.path, path, ignore=lambda _, names: set(names) - left)
    writer.close()
    path.chmod(0o555)
    with as_nobody():
        assert not os.access(path, os.W_OK, effective_ids=True)
        run = open_run(shared, path.name)
        assert (run.status, sum(len(series) for series in run.all_series().values())) == (status, n_points)
        assert status in [summary.status for summary in list_runs(shared)]
        with pytest.raises(StoreError, match="cannot be written"):
            resume_recording(shared, path.name)
        with pytest.raises(StoreError, match="cannot be written"):
            create_recording(shared, study="s", config={}, runs=[{"seed": 0}])


def test_folders_and_files_that_are_no_recordings_are_passed_over(stranger):
    root = stranger.parent
    (root / "report.html").write_text("")
    (root / "figures").mkdir()
    (root / "figures" / "a.png").write_bytes(b"")
    (root / ".new-abc").mkdir()
    assert len(list_runs(root)) == 2
    assert resolve(root, stranger.name) == [stranger.name]
