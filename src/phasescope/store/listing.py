"""What is in a store: one line per run, and which runs a name means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from phasescope.errors import CorruptRunError, PhasescopeError, RunNotFoundError, StoreError, unknown_name
from phasescope.store import queries
from phasescope.store.connections import reading
from phasescope.store.identifiers import (
    DATABASE,
    LOCK,
    MANIFEST,
    recording_names,
    recording_path,
    run_id,
    split_run_id,
)
from phasescope.store.locks import is_held
from phasescope.store.manifest import Manifest, Outcome, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One line of the list of runs."""

    id: str
    recording_id: str
    index: int = 0
    group: str = ""
    study: str = ""
    status: str  # running | finished | failed | interrupted | corrupt
    steps: int = 0  # last step recorded
    seed: int | None = None
    created: str = ""  # ISO 8601, UTC
    verdict: str | None = None
    message: str = ""


def list_runs(root: str | Path) -> list[RunSummary]:
    """All runs of a store, oldest first; a directory that cannot be read is one line with status *corrupt*.

    Args:
        root: The store.

    Returns:
        One summary per run.

    Raises:
        StoreError: If there is no store, or it cannot be listed.
    """
    root = Path(root)
    found: list[RunSummary] = []
    for name in _names(root):
        try:
            found.extend(_summaries(recording_path(root, name)))
        except PhasescopeError as error:
            found.append(RunSummary(id=name, recording_id=name, status="corrupt", message=str(error)))
    return sorted(found, key=lambda run: (run.created, run.recording_id, run.index))


def resolve(root: str | Path, name: str) -> list[str]:
    """Ids of the runs that a name means: a run, all runs of a recording, or all runs of a group.

    Args:
        root: The store.
        name: Id of a run or a recording, or a group.

    Returns:
        Run ids, at least one.

    Raises:
        RunNotFoundError: If nothing has that name; the message names the closest.
        CorruptRunError: If it is there and cannot be read.
        StoreError: If there is no store.
    """
    root = Path(root)
    names = _names(root)
    parts = split_run_id(name)
    if parts is not None and os.path.lexists(root / parts[0]):
        recording_id, index = parts
        n_runs = len(read_manifest(recording_path(root, recording_id) / MANIFEST).settings)
        ids = [run_id(recording_id, at, n_runs) for at in range(n_runs)]
        if index is None:
            return ids
        if name in ids:
            return [name]
        raise RunNotFoundError(f"the recording {recording_id} holds no run {name!r}; it holds {_span(ids)}")
    known: set[str] = set()
    members: list[tuple[str, list[str]]] = []
    for recording_id in names:
        try:
            manifest = read_manifest(recording_path(root, recording_id) / MANIFEST)
        except PhasescopeError:
            known.add(recording_id)
            continue
        n_runs = len(manifest.settings)
        ids = [run_id(recording_id, at, n_runs) for at in range(n_runs)]
        known |= {recording_id, manifest.group, *ids}
        if manifest.group == name:
            members.append((manifest.created, ids))
    if members:
        return [run for _, ids in sorted(members) for run in ids]
    raise RunNotFoundError(f"{unknown_name('run', name, known)} (store: {root})")


def outcomes_of(path: Path, manifest: Manifest) -> tuple[Outcome, ...]:
    """What the runs of a recording have come to: from `run.json` once it is closed, before that from the database."""
    if manifest.status != "running":
        _check_database(path)
        return manifest.outcomes
    with reading(path) as connection:
        return queries.outcomes(connection, len(manifest.settings))


def status_of(path: Path, manifest: Manifest, outcome: Outcome) -> str:
    """Status of one run: its own once it has ended, else that of its recording, which dies with its writer."""
    if outcome.status != "running":
        return outcome.status
    if manifest.status != "running":
        return manifest.status
    return "running" if is_held(path / LOCK) else "interrupted"


def _summaries(path: Path) -> list[RunSummary]:
    manifest = read_manifest(path / MANIFEST)
    outcomes = outcomes_of(path, manifest)
    summaries = []
    for index, (settings, outcome) in enumerate(zip(manifest.settings, outcomes, strict=True)):
        seed = settings.get("seed")
        summaries.append(
            RunSummary(
                id=run_id(path.name, index, len(outcomes)),
                recording_id=path.name,
                index=index,
                group=manifest.group,
                study=manifest.study,
                status=status_of(path, manifest, outcome),
                steps=outcome.steps,
                seed=seed if isinstance(seed, int) else None,
                created=manifest.created,
                verdict=outcome.verdict,
                message=outcome.message or manifest.message,
            )
        )
    return summaries


def _check_database(path: Path) -> None:
    """See in a hundred bytes whether the database of a closed recording is there, is one, and is whole.

    Not for one that is being written: closing any file handle of this process on a database would drop the locks that
    SQLite holds on it in this process.
    """
    try:
        with open(path / DATABASE, "rb") as file:
            header = file.read(100)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise CorruptRunError(f"{path.name} has no data.sqlite, so its curves are lost") from error
    except OSError as error:
        raise CorruptRunError(f"{path.name}: data.sqlite cannot be read: {error.strerror}") from error
    if len(header) < 100 or not header.startswith(b"SQLite format 3\x00"):
        raise CorruptRunError(f"{path.name}: data.sqlite is not an SQLite database")
    page_size = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page_size == 1 else page_size)
    if size < expected and not (path / f"{DATABASE}-wal").exists():
        raise CorruptRunError(f"{path.name}: data.sqlite is cut off: {size} of {expected} bytes are there")


def _names(root: Path) -> list[str]:
    try:
        return recording_names(root)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(f"there is no store at {root}; nothing has been recorded there") from error
    except OSError as error:
        raise StoreError(f"the store {root} cannot be read: {error.strerror}") from error


def _span(ids: list[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
