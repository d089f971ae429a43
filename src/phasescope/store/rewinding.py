"""Going back to an earlier step of a recording, as after an interruption."""

from __future__ import annotations

import sqlite3

from phasescope.store import arrays


def rewind(connection: sqlite3.Connection, step: int) -> None:
    """Drop what was recorded beyond `step`, in one transaction.

    Args:
        connection: Read-write connection in autocommit mode.
        step: Last training step to keep.

    Raises:
        sqlite3.Error: If the transaction failed; nothing is dropped then.
    """
    execute = connection.execute
    execute("BEGIN IMMEDIATE")
    try:
        cut = execute("SELECT run, series, first_step, steps, vals FROM chunk WHERE last_step > ?", (step,)).fetchall()
        for run, series, first_step, step_bytes, value_bytes in cut:
            steps, values = arrays.points(step_bytes, value_bytes, origin="the recording")
            kept = steps <= step
            connection.executemany(  # a row that corrects the chunk is newer than the chunk
                "INSERT OR IGNORE INTO scalar VALUES (?, ?, ?, ?)",
                [(run, series, *point) for point in zip(steps[kept].tolist(), values[kept].tolist(), strict=True)],
            )
            execute("DELETE FROM chunk WHERE run = ? AND series = ? AND first_step = ?", (run, series, first_step))
        execute("UPDATE event SET step = ? WHERE step > ? AND kind = 'resumed'", (step, step))  # history stays
        for table in ("scalar", "array", "event", "result"):
            execute(f"DELETE FROM {table} WHERE step > ?", (step,))
        execute("UPDATE run SET status = 'running', message = '', step = ? WHERE step > ?", (step, step))
        execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            execute("ROLLBACK")
        raise
