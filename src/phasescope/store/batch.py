"""Rows on their way to the database: gathered in memory, committed together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from phasescope.results import plain
from phasescope.store import arrays
from phasescope.store.names import checked_name
from phasescope.store.sealing import Sealer

Statement = tuple[str, tuple[Any, ...]]

LARGE_ROWS = 50_000  # commit before the interval is over
LARGE_BYTES = 64 * 2**20
MAX_ROWS = 500_000  # kept while commits fail, about 100 MB
MAX_BYTES = 256 * 2**20


class Batch:
    """What has been recorded and not yet committed."""

    def __init__(self, connection: sqlite3.Connection, last_steps: list[int]) -> None:
        self.last_steps = last_steps  # of each run
        self.dropped = 0
        self._connection = connection
        self._series: dict[str, int] = dict(connection.execute("SELECT name, series FROM series"))
        self._new_series: list[tuple[int, str]] = []
        self._units: dict[int, str] = {}
        self._scalars: list[tuple[int, int, int, float]] = []
        self._statements: list[Statement] = []
        self._bytes = 0
        self._touched: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._scalars or self._statements or self._units)

    @property
    def is_large(self) -> bool:
        """Whether it should be committed without waiting."""
        return len(self._scalars) >= LARGE_ROWS or self._bytes >= LARGE_BYTES

    def add_scalars(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Add the scalars of one run at one step."""
        for name in values:
            if name not in self._series:
                self._new_series_named(name)
        self._scalars += [(run, self._series[name], step, float(value)) for name, value in values.items()]
        self._reached(run, step)

    def describe(self, name: str, unit: str) -> None:
        """Give a series its unit."""
        if name not in self._series:
            self._new_series_named(name)
        self._units[self._series[name]] = unit

    def add_array(self, run: int, name: str, step: int, array: NDArray[Any]) -> None:
        """Add an array of one run at one step."""
        dtype, shape, data = arrays.encode(array)
        self._add("INSERT OR REPLACE INTO array VALUES (?, ?, ?, ?, ?, ?)", (run, name, step, dtype, shape, data))
        self._reached(run, step)

    def add_result(self, run: int, name: str, result: Mapping[str, Any]) -> None:
        """Add a conclusion, dated by the last step of its run."""
        document = json.dumps(plain(dict(result)), allow_nan=False)
        row = (run, name, self.last_steps[run], document)
        self._add("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)", row)

    def add_event(self, run: int, step: int, kind: str, message: str) -> None:
        """Add an event."""
        self._add("INSERT INTO event (run, step, kind, message) VALUES (?, ?, ?, ?)", (run, step, kind, message))

    def set_status(self, run: int, status: str, message: str) -> None:
        """Add a change of a run's status."""
        self._add("UPDATE run SET status = ?, message = ? WHERE run = ?", (status, message, run))

    def add(self, statements: list[Statement]) -> None:
        """Add other statements."""
        for sql, parameters in statements:
            self._add(sql, parameters)

    def commit(self, sealer: Sealer) -> None:
        """Write everything in one transaction and start afresh; on an error nothing is written and all is kept.

        Raises:
            sqlite3.Error: If the transaction failed.
        """
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany("INSERT INTO series VALUES (?, ?, '')", self._new_series)
            self._connection.executemany(
                "UPDATE series SET unit = ? WHERE series = ?", [(unit, number) for number, unit in self._units.items()]
            )
            self._connection.executemany("INSERT OR REPLACE INTO scalar VALUES (?, ?, ?, ?)", self._scalars)
            for sql, parameters in self._statements:
                execute(sql, parameters)
            self._connection.executemany(
                "UPDATE run SET step = ? WHERE run = ?", [(self.last_steps[run], run) for run in self._touched]
            )
            sealer.seal(self._scalars)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            sealer.recount()
            raise
        self._scalars.clear()
        self._statements.clear()
        self._new_series.clear()
        self._units.clear()
        self._touched.clear()
        self._bytes = 0

    def trim(self) -> None:
        """Bound the memory of what could not be committed: the oldest rows go first and are counted."""
        surplus = len(self._scalars) - MAX_ROWS
        if surplus > 0:
            del self._scalars[:surplus]
            self.dropped += surplus
        while self._bytes > MAX_BYTES and self._statements:
            _, parameters = self._statements.pop(0)
            self._bytes -= _size(parameters)
            self.dropped += 1

    def _add(self, sql: str, parameters: tuple[Any, ...]) -> None:
        self._statements.append((sql, parameters))
        self._bytes += _size(parameters)

    def _new_series_named(self, name: str) -> None:
        stored = checked_name(name)
        if stored not in self._series:
            number = 1 + max(self._series.values(), default=-1)
            self._series[stored] = number
            self._new_series.append((number, stored))
        self._series[name] = self._series[stored]

    def _reached(self, run: int, step: int) -> None:
        self.last_steps[run] = max(step, self.last_steps[run])
        self._touched.add(run)


def _size(parameters: tuple[Any, ...]) -> int:
    return 64 + sum(len(value) for value in parameters if isinstance(value, (bytes, str)))
