"""The one writer of a recording: rows are gathered and committed four times a second, or when asked."""

from __future__ import annotations

import dataclasses
import operator
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import StoreError
from phasescope.store import queries
from phasescope.store.batch import Batch
from phasescope.store.checkpoints import read_checkpoint, write_checkpoint
from phasescope.store.connections import close_writer, open_writer, writing_error
from phasescope.store.identifiers import DATABASE, MANIFEST, run_id
from phasescope.store.locks import WriterLock
from phasescope.store.manifest import STATUSES, Manifest, write_manifest
from phasescope.store.names import checked_name, checked_step, storable
from phasescope.store.rewinding import rewind
from phasescope.store.sealing import Sealer

COMMIT_INTERVAL_S = 0.25


class RecordingWriter:
    """Writes one recording; usable from several threads, not from a forked process.

    As a context manager it ends the recording: a normal exit as *finished*, an exception as *failed* with its message,
    an interrupt from the keyboard as *interrupted*. Get one from `create_recording` or `resume_recording`.
    """

    def __init__(self, path: Path, manifest: Manifest, lock: WriterLock) -> None:
        self.path = path
        self.id = path.name
        self.group = manifest.group
        self.config = manifest.config
        self.runs = [dict(settings) for settings in manifest.settings]
        self.run_ids = [run_id(self.id, index, len(self.runs)) for index in range(len(self.runs))]
        self._manifest = manifest
        self._lock = lock
        self._process = os.getpid()
        self._guard = threading.RLock()
        self._closed = False
        self._committed_at = time.monotonic()
        try:
            self._connection, self.caveat = open_writer(path / DATABASE, manifest.durability)
        except sqlite3.Error as error:
            raise writing_error(error, self.id) from error
        try:
            outcomes = queries.outcomes(self._connection, len(self.runs))
            self._batch = Batch(self._connection, [outcome.steps for outcome in outcomes])
            self._sealer = Sealer(self._connection)
        except BaseException as error:
            close_writer(self._connection)
            if isinstance(error, sqlite3.Error):
                raise writing_error(error, self.id) from error
            raise

    @property
    def dropped(self) -> int:
        """Rows given up because the disk took no more and memory is bounded; 0 unless commits have failed."""
        return self._batch.dropped

    def append(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Record scalars of one run at one step; writing a step again replaces it.

        Args:
            run: Place on the run axis, 0 … R−1.
            step: Training step.
            values: Numbers by the name of their series; NaN and infinities are kept.

        Raises:
            StoreError: If a commit was due and failed; the rows are kept for the next one.
        """
        with self._guard:
            self._batch.add_scalars(self._run(run), checked_step(step), values)
            self._commit_if_due()

    def describe(self, name: str, unit: str) -> None:
        """Give a series its unit, for example `"nats"`; figures and tables print it."""
        with self._guard:
            self._require_open()
            self._batch.describe(name, storable(unit))

    def write_array(self, run: int, name: str, step: int, array: NDArray[Any]) -> None:
        """Record an array of numbers or booleans; its bytes are copied before this returns."""
        with self._guard:
            self._batch.add_array(self._run(run), checked_name(name), checked_step(step), np.asarray(array))
            self._commit_if_due()

    def write_result(self, run: int, name: str, result: Mapping[str, Any]) -> None:
        """Record what was concluded about a run, as JSON; writing a name again replaces it."""
        with self._guard:
            self._batch.add_result(self._run(run), checked_name(name), result)
            self._commit_if_due()

    def write_event(self, run: int, step: int, kind: str, message: str) -> None:
        """Record that something happened to a run at a step."""
        with self._guard:
            self._batch.add_event(self._run(run), checked_step(step), storable(kind), storable(message))
            self._commit_if_due()

    def set_status(self, run: int, status: str, message: str = "") -> None:
        """Say that one run has ended before the others, or goes on: running, finished or failed."""
        if status not in STATUSES:
            raise ValueError(f"status is {status!r}; a run is one of {sorted(STATUSES)}")
        with self._guard:
            self._batch.set_status(self._run(run), status, storable(message))
            self._commit_if_due()

    def write_checkpoint(self, step: int, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> None:
        """Keep what is needed to go on from `step`, in one transaction with all rows before it; only the newest stays.

        Args:
            step: Training step the checkpoint belongs to.
            arrays: Parameters, optimizer moments, states of random generators.
            state: The rest, as JSON.
        """
        with self._guard:
            self._require_open()
            self._batch.add(write_checkpoint(checked_step(step), arrays, state))
            self.commit()

    def read_checkpoint(self) -> tuple[int, dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Step, arrays and state of the newest checkpoint, or `None`."""
        with self._guard:
            self._require_open()
            try:
                return read_checkpoint(self._connection, self.id)
            except sqlite3.Error as error:
                raise writing_error(error, self.id) from error

    def rewind(self, step: int) -> None:
        """Drop everything recorded beyond `step`, before going on from a checkpoint.

        Scalars, arrays and events after `step` go, and results written after it; a run that ended after it runs again.
        """
        with self._guard:
            self.commit()
            try:
                rewind(self._connection, checked_step(step))
            except sqlite3.Error as error:
                raise writing_error(error, self.id) from error
            self._batch.last_steps = [min(step, last) for last in self._batch.last_steps]
            self._sealer.recount()

    def commit(self) -> None:
        """Write everything gathered so far in one transaction.

        Raises:
            StoreError: If it failed, for example on a full disk; nothing of it is in the database then, and it is kept
                for the next attempt as far as memory is bounded (`dropped` counts the rest).
        """
        with self._guard:
            self._require_open()
            self._committed_at = time.monotonic()
            if not self._batch:
                return
            try:
                self._batch.commit(self._sealer)
            except sqlite3.Error as error:
                self._batch.trim()
                raise writing_error(error, self.id) from error

    def close(self, status: str = "finished", message: str = "") -> None:
        """Commit, write down what the runs have come to, and let others write; calling it again does nothing.

        Args:
            status: `"finished"`, `"failed"`, or `"running"` for a recording to be gone on with, which then shows as
                *interrupted*.
            message: Why, if there is something to say.
        """
        if status not in STATUSES:
            raise ValueError(f"status is {status!r}; a recording is one of {sorted(STATUSES)}")
        with self._guard:
            if self._closed:
                return
            self._require_open()
            try:
                try:
                    self.commit()
                    outcomes = queries.outcomes(self._connection, len(self.runs))
                finally:
                    close_writer(self._connection)
                manifest = dataclasses.replace(self._manifest, status=status, message=message, outcomes=outcomes)
                write_manifest(self.path / MANIFEST, manifest)
            except (sqlite3.Error, OSError) as error:
                raise writing_error(error, self.id) from error
            finally:
                self._closed = True
                self._lock.release()

    def abandon(self) -> None:
        """Let go without writing anything more; the recording then shows as it last stood."""
        with self._guard:
            if not self._closed:
                self._closed = True
                close_writer(self._connection)
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            if isinstance(error, Exception):
                self.close("failed", f"{type(error).__name__}: {error}")
            else:
                self.close("running", f"stopped by {type(error).__name__}")
        except StoreError as trouble:
            error.add_note(f"and the recording could not be closed: {trouble}")

    def _commit_if_due(self) -> None:
        if self._batch.is_large or time.monotonic() - self._committed_at >= COMMIT_INTERVAL_S:
            self.commit()

    def _run(self, run: int) -> int:
        self._require_open()
        if not 0 <= run < len(self.runs):
            raise ValueError(f"run is {run}; the recording {self.id} holds the runs 0 to {len(self.runs) - 1}")
        return operator.index(run)

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"the recording {self.id} is closed; resume_recording opens it again")
        if os.getpid() != self._process:
            raise StoreError(f"the recording {self.id} belongs to the process that opened it, not to a forked one")
