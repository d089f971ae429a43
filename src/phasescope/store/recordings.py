"""How a recording begins, and how it is taken up again."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from phasescope.errors import StoreError
from phasescope.results import plain
from phasescope.store import schema
from phasescope.store.connections import writing_error
from phasescope.store.environment import describe_environment
from phasescope.store.identifiers import DATABASE, LOCK, MANIFEST, new_recording_id, recording_path
from phasescope.store.locks import WriterLock
from phasescope.store.manifest import Manifest, Outcome, flush, now, read_manifest, write_manifest
from phasescope.store.writer import RecordingWriter


def create_recording(
    root: str | Path,
    *,
    study: str,
    config: Mapping[str, Any],
    runs: Sequence[Mapping[str, Any]],
    group: str | None = None,
    threads: int | None = None,
    device: str | None = None,
    durability: Literal["normal", "full"] = "normal",
) -> RecordingWriter:
    """Begin a recording: a directory of its own in the store, with one row per run.

    Args:
        root: The store; made if it does not exist.
        study: What the recording is part of, for example `"grokking"`; the id begins with it.
        config: Settings that all runs share, as JSON.
        runs: One mapping per run with its `seed` and whatever else sets it apart.
        group: Ties together the recordings of one call of a study; the recording's own id by default.
        threads: Threads of the numerical libraries, for the record.
        device: Device of the computation, for the record.
        durability: `"normal"` loses nothing committed when the process is killed; `"full"` nothing when the power
            fails, at one disk flush per commit.

    Returns:
        The writer, which holds the recording until it is closed.

    Raises:
        ValueError: If there is no run, or one without a seed.
        StoreError: If the store cannot be written.

    Example:
        >>> import tempfile
        >>> from phasescope.store.runs import open_run
        >>> root = tempfile.mkdtemp()
        >>> with create_recording(root, study="demo", config={"lr": 0.1}, runs=[{"seed": 0}]) as writer:
        ...     writer.append(0, 1, {"train/loss": 0.5})
        >>> open_run(root, writer.run_ids[0]).series("train/loss").values
        array([0.5])
    """
    settings = [plain(dict(run)) for run in runs]
    if not settings:
        raise ValueError("runs is empty; a recording holds at least one run")
    if any("seed" not in run for run in settings):
        raise ValueError("a run has no 'seed'; give every run the seed it was made with")
    if durability not in ("normal", "full"):
        raise ValueError(f"durability is {durability!r}; it is 'normal' or 'full'")
    root = Path(root)
    recording_id = new_recording_id(study)
    manifest = Manifest(
        study=study,
        group=recording_id if group is None else group,
        created=now(),
        status="running",
        message="",
        config=plain(dict(config)),
        settings=tuple(settings),
        outcomes=tuple(Outcome() for _ in settings),
        environment=describe_environment(threads=threads, device=device),
        durability=durability,
    )
    manifest.to_json()  # what cannot be written as JSON is refused before anything is on disk
    path, lock = _lay_out(root, recording_id, manifest)
    try:
        writer = RecordingWriter(path, manifest, lock)
    except BaseException:
        lock.release()
        raise
    if writer.caveat is not None:
        for run in range(len(settings)):
            writer.write_event(run, 0, "store", writer.caveat)
    return writer


def resume_recording(root: str | Path, recording_id: str) -> RecordingWriter:
    """Take up a recording that was interrupted, failed or finished, as its new and only writer.

    An older schema is migrated. Read the checkpoint and `rewind` to its step before going on. Resume only what you
    trust: unlike reading, this writes to the recording's files.

    Args:
        root: The store.
        recording_id: The recording.

    Returns:
        The writer.

    Raises:
        RunNotFoundError: If there is no such recording.
        StoreError: If another process holds it, or it cannot be written.
        CorruptRunError: If it cannot be read.
        SchemaTooNewError: If a newer phasescope wrote it.
    """
    path = recording_path(Path(root), recording_id)
    read_manifest(path / MANIFEST)  # a stranger's directory gets no lock file
    lock = WriterLock(path / LOCK)
    try:
        manifest = dataclasses.replace(read_manifest(path / MANIFEST), status="running", message="")
        writer = RecordingWriter(path, manifest, lock)
    except BaseException:
        lock.release()
        raise
    try:
        write_manifest(path / MANIFEST, manifest)
        _note_resumption(writer, manifest)
        writer.commit()
    except BaseException as error:
        writer.abandon()
        if isinstance(error, OSError):
            raise writing_error(error, recording_id) from error
        raise
    return writer


def _lay_out(root: Path, recording_id: str, manifest: Manifest) -> tuple[Path, WriterLock]:
    """Make the directory aside and move it into place, so that nobody ever sees half a recording."""
    staging = root / f".new-{recording_id}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        write_manifest(staging / MANIFEST, manifest)
        with contextlib.closing(sqlite3.connect(staging / DATABASE)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # one flush at the end is enough for a new file
            schema.create(connection, len(manifest.settings))
        flush(staging / DATABASE)
        lock = WriterLock(staging / LOCK)
        try:
            path = staging.rename(root / recording_id)
        except BaseException:
            lock.release()
            raise
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, sqlite3.Error):
            raise writing_error(error, str(root)) from error
        if isinstance(error, OSError):
            raise StoreError(f"the store {root} cannot be written: {error.strerror}") from error
        raise
    return path, lock


def _note_resumption(writer: RecordingWriter, manifest: Manifest) -> None:
    before = manifest.environment
    here = describe_environment(threads=before.get("threads"), device=before.get("device"))
    changed = [f"{name} {before.get(name)} → {here[name]}" for name in here if before.get(name) != here[name]]
    message = "resumed" + (f" in another environment: {', '.join(changed)}" if changed else "")
    for run, outcome in enumerate(manifest.outcomes):
        if outcome.steps or writer.read_checkpoint() is not None:  # else it was laid down and is begun only now
            writer.write_event(run, outcome.steps, "resumed", message)
