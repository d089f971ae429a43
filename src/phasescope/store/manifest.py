"""`run.json`: what a recording is and what its runs have come to, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phasescope import __version__
from phasescope.errors import CorruptRunError, SchemaTooNewError
from phasescope.results import plain
from phasescope.store.documents import parse_object

FORMAT = 1
MAX_BYTES = 64 * 1024 * 1024
STATUSES = frozenset({"running", "finished", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run has come to."""

    status: str = "running"  # running | finished | failed
    steps: int = 0  # last step recorded
    message: str = ""
    verdict: str | None = None  # label of the result "verdict", once there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The contents of `run.json`."""

    study: str
    group: str
    created: str  # ISO 8601, UTC
    status: str  # of the recording: running | finished | failed
    message: str
    config: dict[str, Any]
    settings: tuple[dict[str, Any], ...]  # one per run, each with its seed
    outcomes: tuple[Outcome, ...]  # one per run; while the recording runs, the database knows better
    environment: dict[str, Any]
    durability: str = "normal"
    writer: str = field(default=__version__)  # version of phasescope that wrote the file

    def to_json(self) -> str:
        """The document as it stands in the file."""
        runs = [
            {
                "settings": settings,
                "status": outcome.status,
                "steps": outcome.steps,
                "message": outcome.message,
                "verdict": outcome.verdict,
            }
            for settings, outcome in zip(self.settings, self.outcomes, strict=True)
        ]
        document = {
            "format": FORMAT,
            "phasescope": self.writer,
            "study": self.study,
            "group": self.group,
            "created": self.created,
            "status": self.status,
            "message": self.message,
            "durability": self.durability,
            "environment": self.environment,
            "config": self.config,
            "runs": runs,
        }
        return json.dumps(plain(document), indent=1, allow_nan=False) + "\n"


def now() -> str:
    """The time as it is written in `run.json`: ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def flush(path: Path) -> None:
    """Wait until a file or the names in a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace `run.json` in one step: a reader sees the old one or the new one.

    Raises:
        OSError: If the file cannot be written; the old one stays then.
    """
    temporary = path.with_name(f".run-{secrets.token_hex(8)}.json")
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(manifest.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        flush(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def read_manifest(path: Path) -> Manifest:
    """Read `run.json` of anybody's run; every field is checked.

    Raises:
        SchemaTooNewError: If a newer phasescope wrote it.
        CorruptRunError: If it is missing, malformed, or holds something else than a recording.
    """
    name = path.parent.name
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CorruptRunError(f"{name} has no run.json, so it is no recording or has lost what describes it") from error
    except OSError as error:
        raise CorruptRunError(f"{name}: run.json cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise CorruptRunError(f"{name}: run.json is larger than {MAX_BYTES // 2**20} MiB; not read")
    return _from_document(parse_object(raw, f"{name}: run.json"), name)


def _from_document(document: dict[str, Any], name: str) -> Manifest:
    def take(mapping: dict[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
        value = mapping.get(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise CorruptRunError(f"{name}: run.json has no usable {key!r} ({type(value).__name__} found)")
        return value

    found = take(document, "format", int)
    if found > FORMAT:
        raise SchemaTooNewError(
            f"{name}: run.json has format {found}, and this phasescope reads up to {FORMAT}; "
            "it was written by a newer phasescope, so upgrade: pip install --upgrade phasescope"
        )
    runs = take(document, "runs", list)
    if not runs or not all(isinstance(run, dict) for run in runs):
        raise CorruptRunError(f"{name}: run.json lists no runs")
    outcomes = tuple(
        Outcome(
            status=take(run, "status", str),
            steps=take(run, "steps", int),
            message=take(run, "message", str),
            verdict=take(run, "verdict", (str, type(None))),
        )
        for run in runs
    )
    status = take(document, "status", str)
    if {status, *(outcome.status for outcome in outcomes)} - STATUSES:
        raise CorruptRunError(f"{name}: run.json has a status that is none of {sorted(STATUSES)}")
    durability = take(document, "durability", str)
    return Manifest(
        study=take(document, "study", str),
        group=take(document, "group", str),
        created=take(document, "created", str),
        status=status,
        message=take(document, "message", str),
        config=take(document, "config", dict),
        settings=tuple(take(run, "settings", dict) for run in runs),
        outcomes=outcomes,
        environment=take(document, "environment", dict),
        durability="full" if durability == "full" else "normal",
        writer=take(document, "phasescope", str),
    )
