"""Between a live training and the store: trouble with the disk is told once and never stops the training."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping
from types import TracebackType

import torch

from phasescope.errors import StoreError
from phasescope.store.writer import RecordingWriter

_COMMIT_INTERVAL_S = 0.2  # below the writer's own, so that commits happen here and what is unwritten is known


class Sink:
    """Hands the rows of one run to its writer, and counts those that never reach the disk."""

    def __init__(self, writer: RecordingWriter, units: Mapping[str, str]) -> None:
        self._writer = writer
        self._units = units  # by the first word of a series' name
        self._described: set[str] = set()
        self._database = writer.path / "data.sqlite"
        self._is_gone = False
        self._lost = 0
        self._unwritten = 0
        self._dropped_before = 0  # the writer's count when it last wrote
        self._has_warned = False
        self._has_failed = False
        self._committed_at = time.monotonic()

    @property
    def dropped_rows(self) -> int:
        """Values that were recorded and could not be kept."""
        return self._lost + self._writer.dropped

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Hand over the values of one step."""
        if time.monotonic() - self._committed_at >= _COMMIT_INTERVAL_S:
            self.commit()
        if self._is_gone:
            self._lost += len(values)
            return
        self._unwritten += len(values)
        try:
            for series in values:
                if series not in self._described:
                    self._described.add(series)
                    self._writer.describe(series, self._units.get(series.partition("/")[0], ""))
            self._writer.append(0, step, values)
        except (StoreError, OSError) as error:
            self._warn(error)

    def event(self, step: int, kind: str, message: str) -> None:
        """Hand over an event."""
        if not self._is_gone:
            try:
                self._writer.write_event(0, step, kind, message)
            except (StoreError, OSError) as error:
                self._warn(error)

    @contextlib.contextmanager
    def surviving(self, step: int) -> Iterator[None]:
        """Run a reading, without gradients; if it fails, say so once and let the training go on."""
        try:
            with torch.no_grad():
                yield
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                message = f"reading after step {step} failed: {type(error).__name__}: {error}"
                self.event(step, "reading_failed", message)
                warnings.warn(
                    f"phasescope: {message}. Training goes on without it; later failures are not shown",
                    RuntimeWarning,
                    stacklevel=2,
                )

    def commit(self) -> None:
        """Have everything handed over so far written; what fails is kept by the writer and tried again."""
        self._committed_at = time.monotonic()
        if self._is_gone or self._is_missing():
            return
        try:
            self._writer.commit()
        except (StoreError, OSError) as error:
            self._warn(error)
        else:
            self._unwritten = 0
            self._dropped_before = self._writer.dropped

    def close(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """End the recording as the writer does at the end of a `with` block; what cannot be written now is lost."""
        self.commit()
        failed = self._unwritten > 0
        try:
            self._writer.__exit__(kind, error, traceback)
        except (StoreError, OSError) as trouble:
            self._warn(trouble)
        if failed:
            self._lost += self._unwritten - (self._writer.dropped - self._dropped_before)
        if self.dropped_rows:
            warnings.warn(
                f"{self.dropped_rows} values of the run {self._writer.id} could not be written and are lost; "
                "those written before are safe unless the directory was deleted",
                RuntimeWarning,
                stacklevel=2,
            )

    def _is_missing(self) -> bool:
        # A deleted database swallows writes without an error as long as it is open.
        self._is_gone = not self._database.exists()
        if self._is_gone:
            self._lost += self._unwritten
            self._unwritten = 0
            self._warn(f"{self._database} was deleted")
        return self._is_gone

    def _warn(self, trouble: Exception | str) -> None:
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"phasescope cannot write the run {self._writer.id}: {trouble}. Training goes on; rows that stay "
                "unwritten are counted in scope.dropped_rows",
                RuntimeWarning,
                stacklevel=2,
            )
