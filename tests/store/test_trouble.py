"""A disk that is full, a store that may not be written, a file system without shared memory: one sentence each."""

import errno
import os
import sqlite3

import pytest

from phasescope.errors import StoreError
from phasescope.store import batch, connections, filesystem, manifest, recordings
from phasescope.store.runs import create_recording, list_runs, open_run, resume_recording


def fill_disk(writer):
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")


def gather(writer, steps):
    """Rows that wait for the next commit, however long gathering them takes."""
    for step in steps:
        writer._batch.add_scalars(0, step, {"loss": 0.5})


def test_a_full_disk_keeps_what_was_committed_and_goes_on_when_there_is_room(record, tmp_path):
    writer = record()
    writer.append(0, 1, {"loss": 1.0})
    writer.commit()
    fill_disk(writer)
    gather(writer, range(2, 3_000))
    with pytest.raises(StoreError, match="no space left on the disk"):
        writer.commit()
    assert open_run(tmp_path, writer.id).series("loss").steps.tolist() == [1]
    writer._connection.execute("PRAGMA max_page_count = 1000000")
    writer.commit()
    assert len(open_run(tmp_path, writer.id).series("loss")) == 2_999
    assert writer.dropped == 0
    writer.close()


def test_memory_stays_bounded_while_the_disk_is_full(record, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "MAX_ROWS", 100)
    writer = record()
    fill_disk(writer)
    gather(writer, range(3_000))
    with pytest.raises(StoreError):
        writer.commit()
    assert writer.dropped == 2_900
    writer._connection.execute("PRAGMA max_page_count = 1000000")
    writer.close()
    assert open_run(tmp_path, writer.id).series("loss").steps.tolist() == list(range(2_900, 3_000))


def test_closing_on_a_full_disk_lets_go_of_the_recording(record, tmp_path):
    writer = record()
    writer.append(0, 1, {"loss": 1.0})
    writer.commit()
    fill_disk(writer)
    gather(writer, range(2, 3_000))
    with pytest.raises(StoreError, match="no space left"):
        writer.close()
    assert list_runs(tmp_path)[0].status == "interrupted"
    assert len(open_run(tmp_path, writer.id).series("loss")) == 1


def test_an_error_of_the_caller_is_not_hidden_by_trouble_at_closing(record):
    writer = record()
    fill_disk(writer)
    gather(writer, range(3_000))
    with pytest.raises(ZeroDivisionError) as caught, writer:
        raise ZeroDivisionError
    assert "could not be closed: no space left" in caught.value.__notes__[0]


def test_no_space_for_the_manifest(record, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with record() as writer:
        pass
    before = (writer.path / "run.json").read_text()
    monkeypatch.setattr(manifest.os, "fsync", full)
    with pytest.raises(StoreError, match="no space left on the disk of grokking-"):
        resume_recording(tmp_path, writer.id)
    monkeypatch.undo()
    assert (writer.path / "run.json").read_text() == before
    assert sorted(os.listdir(writer.path)) == ["data.sqlite", "run.json", "writer.lock"]
    assert open_run(tmp_path, writer.id).status == "finished"
    resume_recording(tmp_path, writer.id).close()


def test_a_recording_that_cannot_begin_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(connection, n_runs):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(recordings.schema, "create", broken)
    with pytest.raises(StoreError, match="disk I/O error"):
        create_recording(tmp_path, study="s", config={}, runs=[{"seed": 0}])
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"the store .*file.* cannot be written"):
        create_recording(tmp_path / "file" / "runs", study="s", config={}, runs=[{"seed": 0}])
    if os.path.isdir("/proc"):
        with pytest.raises(StoreError, match="cannot be written"):
            create_recording("/proc/runs", study="s", config={}, runs=[{"seed": 0}])


def test_a_network_file_system_gets_a_rollback_journal_and_says_so(record, tmp_path, monkeypatch):
    monkeypatch.setattr(filesystem, "is_network", lambda path: True)
    with record(2) as writer:
        writer.append(1, 1, {"loss": 1.0})
        writer.commit()
        assert writer._connection.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
        assert open_run(tmp_path, writer.run_ids[1]).status == "running"
    run = open_run(tmp_path, writer.run_ids[1])
    assert run.series("loss").values.tolist() == [1.0]
    assert [event.kind for event in run.events()] == ["store"]
    assert "no write-ahead log" in run.events()[0].message


def test_the_type_of_a_file_system_is_read_from_the_mounts(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda / ext4 rw 0 0\n"
        "server:/home /home nfs4 rw 0 0\n"
        "tmpfs /home/with\\040space tmpfs rw 0 0\n"
        "server:/x /homes cifs rw 0 0\n"
        "short\n"
    )
    kinds = {
        "/home/a/runs": "nfs4",
        "/home": "nfs4",
        "/home/with space/runs": "tmpfs",
        "/homely": "ext4",
        "/homes/b": "cifs",
        "/etc": "ext4",
    }
    for path, kind in kinds.items():
        assert filesystem.filesystem_type(type(tmp_path)(path), mounts) == kind
    assert filesystem.filesystem_type(tmp_path, tmp_path / "none") is None


def test_what_sqlite_complains_about_becomes_one_sentence():
    def sentence(code, translate):
        error = sqlite3.OperationalError("raw words")
        error.sqlite_errorname = code
        return str(translate(error, "grok-1"))

    assert "resume the recording" in sentence("SQLITE_READONLY_ROLLBACK", connections.reading_error)
    assert "did not come free" in sentence("SQLITE_BUSY", connections.reading_error)
    assert "may not be read" in sentence("SQLITE_CANTOPEN", connections.reading_error)
    assert "damaged" in sentence("SQLITE_CORRUPT", connections.reading_error)
    assert "1 GB" in sentence("SQLITE_TOOBIG", connections.writing_error)
    assert "blocked by another process" in sentence("SQLITE_BUSY", connections.writing_error)
    assert "cannot be written: raw words" in sentence("SQLITE_READONLY", connections.writing_error)
