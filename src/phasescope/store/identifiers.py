"""Ids of recordings and runs: what they may look like, and where in a store they may lead."""

from __future__ import annotations

import os
import re
import secrets
import stat
from datetime import UTC, datetime
from pathlib import Path

from phasescope.errors import CorruptRunError, RunNotFoundError

# Everything that reaches the file system is one such name, never a joined path.
RECORDING_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
RUN_ID = re.compile(rf"(?P<recording>{RECORDING_ID.pattern})(?:\.(?P<index>0|[1-9][0-9]{{0,6}}))?")

MANIFEST, DATABASE, LOCK = "run.json", "data.sqlite", "writer.lock"
FILES = (MANIFEST, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", LOCK)


def new_recording_id(study: str) -> str:
    """A fresh id that sorts by time: the study, the date and time in UTC, and six random digits."""
    word = re.sub(r"[^A-Za-z0-9]+", "-", study).strip("-").lower()[:40] or "run"
    return f"{word}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def run_id(recording_id: str, index: int, n_runs: int) -> str:
    """Id of one run: the recording's own when it holds a single run, else followed by the place on the run axis."""
    return recording_id if n_runs == 1 else f"{recording_id}.{index}"


def split_run_id(name: str) -> tuple[str, int | None] | None:
    """Recording and place on the run axis, or `None` if this can be no id."""
    found = RUN_ID.fullmatch(name)
    if found is None:
        return None
    return found["recording"], None if found["index"] is None else int(found["index"])


def recording_path(root: Path, recording_id: str) -> Path:
    """Directory of a recording, checked to be a plain directory of plain files inside the store.

    Raises:
        RunNotFoundError: If there is none of that name.
        CorruptRunError: If it, or a file in it, is a link or something else that could lead out of the store.
    """
    path = root / recording_id
    if RECORDING_ID.fullmatch(recording_id) is None or not os.path.lexists(path):
        raise RunNotFoundError(f"no recording named {recording_id!r} in {root}")
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise CorruptRunError(f"{recording_id} is a link or a file; only directories inside the store are opened")
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name in FILES and not entry.is_file(follow_symlinks=False):
                    raise CorruptRunError(
                        f"{recording_id}: {entry.name} is not a plain file; links out of the store are not followed"
                    )
    except OSError as error:
        raise CorruptRunError(f"{recording_id} cannot be read: {error.strerror}") from error
    return path


def recording_names(root: Path) -> list[str]:
    """Names in the store that are recordings, whole or damaged; other people's folders are passed over.

    Raises:
        OSError: If the store cannot be listed.
    """
    names = []
    with os.scandir(root) as entries:
        for entry in entries:
            if RECORDING_ID.fullmatch(entry.name) is None:
                continue
            if entry.is_symlink():
                wanted = os.path.isdir(entry.path)
            elif entry.is_dir():
                wanted = _looks_recorded(entry.path)
            else:
                wanted = False
            if wanted:
                names.append(entry.name)
    return sorted(names)


def _looks_recorded(directory: str) -> bool:
    if os.path.lexists(os.path.join(directory, MANIFEST)):
        return True
    try:
        inside = os.listdir(directory)
    except OSError:
        return True  # unreadable: listed with the reason rather than hidden
    return not inside or any(name in FILES for name in inside)
