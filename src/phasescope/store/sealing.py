"""Long series are sealed: a thousand points and more leave the table of rows for two blobs, in the same transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

import numpy as np

CHUNK = 1_000  # points

Key = tuple[int, int]  # run, series


class Sealer:
    """Knows how many points of each series are still rows, and seals them when there are enough."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: Counter[Key] = Counter()
        self._last_sealed: dict[Key, int] = {}
        self.recount()

    def recount(self) -> None:
        """Ask the database, after a rollback or after going back."""
        counted = self._connection.execute("SELECT run, series, count(*) FROM scalar GROUP BY run, series")
        self._rows = Counter({(run, series): count for run, series, count in counted})
        sealed = self._connection.execute("SELECT run, series, max(last_step) FROM chunk GROUP BY run, series")
        self._last_sealed = {(run, series): last for run, series, last in sealed}

    def seal(self, written: Iterable[tuple[int, int, int, float]]) -> None:
        """Seal the series that have grown enough; called inside the transaction that wrote the rows.

        Args:
            written: The rows `(run, series, step, value)` of this transaction.
        """
        grown = Counter([row[:2] for row in written])
        self._rows.update(grown)
        for key in grown:
            if self._rows[key] >= CHUNK:
                self._seal(key)

    def _seal(self, key: Key) -> None:
        # Rows at or before the last chunk correct points in it, so they stay rows: reading lets them win.
        where = "run = ? AND series = ? AND step > ?"
        bounds = (*key, self._last_sealed.get(key, -1))
        rows = self._connection.execute(
            f"SELECT step, value FROM scalar WHERE {where} ORDER BY step", bounds
        ).fetchall()
        if len(rows) < CHUNK:
            self._rows[key] = len(rows)
            return
        steps = np.array([step for step, _ in rows], dtype="<i8")
        values = np.array([np.nan if value is None else value for _, value in rows], dtype="<f8")
        self._connection.execute(
            "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?)",
            (*key, int(steps[0]), int(steps[-1]), steps.tobytes(), values.tobytes()),
        )
        self._connection.execute(f"DELETE FROM scalar WHERE {where}", bounds)
        self._last_sealed[key] = int(steps[-1])
        self._rows[key] = 0
