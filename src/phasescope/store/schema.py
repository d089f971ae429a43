"""The tables of a recording's `data.sqlite`, their version, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from phasescope.errors import CorruptRunError, SchemaTooNewError

SCHEMA = """\
-- One row per run of the recording, written when the recording is made.
CREATE TABLE run (
    run     INTEGER PRIMARY KEY,            -- 0 … R−1, the position along the run axis
    status  TEXT NOT NULL,                  -- running | finished | failed
    step    INTEGER NOT NULL,               -- last training step recorded; 0 before the first
    message TEXT NOT NULL                   -- why it failed or ended; empty when there is nothing to say
);

-- Names of the scalar series; all runs of a recording share them.
CREATE TABLE series (
    series  INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,           -- for example train/loss
    unit    TEXT NOT NULL                   -- for example nats; empty for a pure number
);

-- Scalars as they arrive: the newest points of every series, and all points of a short one.
CREATE TABLE scalar (
    run     INTEGER NOT NULL,
    series  INTEGER NOT NULL,
    step    INTEGER NOT NULL,               -- training step
    value   REAL,                           -- NULL is NaN
    PRIMARY KEY (run, series, step)
) WITHOUT ROWID;

-- Sealed scalars: a thousand or more points of one series in two blobs, read 25 times faster than rows.
-- A point that is also in `scalar` counts as it stands there.
CREATE TABLE chunk (
    run        INTEGER NOT NULL,
    series     INTEGER NOT NULL,
    first_step INTEGER NOT NULL,
    last_step  INTEGER NOT NULL,
    steps      BLOB NOT NULL,               -- little-endian int64, increasing
    vals       BLOB NOT NULL,               -- little-endian float64, as many
    PRIMARY KEY (run, series, first_step)
) WITHOUT ROWID;

-- Arrays along training: snapshots of parameters, spectra, embeddings.
CREATE TABLE array (
    run     INTEGER NOT NULL,
    name    TEXT NOT NULL,                  -- for example params/embedding
    step    INTEGER NOT NULL,
    dtype   TEXT NOT NULL,                  -- NumPy's name, little-endian: <f4, <i8, |b1, …
    shape   TEXT NOT NULL,                  -- JSON list of lengths
    data    BLOB NOT NULL,                  -- the elements in C order
    PRIMARY KEY (run, name, step)
);

-- What was concluded about a run: a verdict, its transitions, its delay.
CREATE TABLE result (
    run      INTEGER NOT NULL,
    name     TEXT NOT NULL,
    step     INTEGER NOT NULL,              -- last step recorded when it was written; going back before it drops it
    document TEXT NOT NULL,                 -- JSON object
    PRIMARY KEY (run, name)
);

-- What happened on the way: a resumption, a loss that became NaN, a caveat of the store itself.
CREATE TABLE event (
    event   INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    message TEXT NOT NULL
);

-- Where to go on after an interruption; only the newest checkpoint is kept.
CREATE TABLE checkpoint (
    step   INTEGER PRIMARY KEY,
    state  TEXT NOT NULL,                   -- JSON object
    arrays BLOB NOT NULL                    -- safetensors
);
"""

# Each takes the connection of the writer and turns version i + 1 into i + 2; never changed once released.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = ()


def version() -> int:
    """Version of the schema this phasescope writes; kept in `PRAGMA user_version`."""
    return 1 + len(MIGRATIONS)


def create(connection: sqlite3.Connection, n_runs: int) -> None:
    """Make the tables in an empty database, with one row per run."""
    connection.executescript(f"BEGIN;\n{SCHEMA}\nPRAGMA user_version = {version()};")
    connection.executemany("INSERT INTO run VALUES (?, 'running', 0, '')", [(run,) for run in range(n_runs)])
    connection.commit()


def migrate(connection: sqlite3.Connection, origin: str) -> None:
    """Bring an older database to the current version, one transaction per step; the writer calls it once.

    Args:
        connection: Read-write connection in autocommit mode (`isolation_level=None`).
        origin: What to call the database in an error.

    Raises:
        SchemaTooNewError: If a newer phasescope wrote it.
        CorruptRunError: If it carries no version.
    """
    found = _known_version(connection, origin)
    for number, step in enumerate(MIGRATIONS[found - 1 :], start=found + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def check(connection: sqlite3.Connection, origin: str) -> None:
    """Refuse a database that is too new, or that holds anything but plain tables.

    Views, triggers, virtual tables and generated columns are where a stranger's file could make the reader compute;
    phasescope makes none, so a file that has one did not come from phasescope.

    Args:
        connection: Connection of a reader.
        origin: What to call the database in an error.

    Raises:
        SchemaTooNewError: If a newer phasescope wrote it.
        CorruptRunError: If it was not written by phasescope.
    """
    _known_version(connection, origin)
    objects: Sequence[tuple[object, object, object]] = connection.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE NOT (type = 'index' AND sql IS NULL)"
    ).fetchall()
    for kind, name, sql in objects:
        if kind != "table" or not str(sql).startswith("CREATE TABLE "):
            raise CorruptRunError(f"{origin} holds the {kind} {name!r}, which phasescope does not make; not opened")
    generated = connection.execute(
        "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c "
        "WHERE s.type = 'table' AND c.hidden <> 0"
    ).fetchone()
    if generated is not None:
        raise CorruptRunError(f"{origin} holds the generated column {generated[1]!r}; not opened")


def _known_version(connection: sqlite3.Connection, origin: str) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > version():
        raise SchemaTooNewError(
            f"{origin} has schema {found}, and this phasescope reads up to {version()}; "
            "it was written by a newer phasescope, so upgrade: pip install --upgrade phasescope"
        )
    if found < 1:
        raise CorruptRunError(f"{origin} has no schema version, so it is no database of phasescope")
    return found
