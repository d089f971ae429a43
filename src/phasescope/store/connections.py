"""How a recording's database is opened: one writer, and readers that cannot change anything."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from phasescope.errors import CorruptRunError, PhasescopeError, StoreError
from phasescope.store import filesystem, schema
from phasescope.store.identifiers import DATABASE

WAIT_S = 10.0
UNREADABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")


def open_writer(path: Path, durability: str) -> tuple[sqlite3.Connection, str | None]:
    """Open the one read-write connection; the caller holds the writer's lock.

    Args:
        path: The database.
        durability: `"normal"` loses nothing when the process dies; `"full"` nothing when the power does.

    Returns:
        The connection, in autocommit mode and usable from any thread, and a caveat if it is not in WAL mode.
    """
    connection = sqlite3.connect(
        _uri(path, "rw"), uri=True, isolation_level=None, timeout=WAIT_S, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        schema.check(connection, path.parent.name)
        schema.migrate(connection, path.parent.name)
        caveat = None
        mode = None
        if not filesystem.is_network(path):
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode == "wal":
            connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
            connection.execute(f"PRAGMA journal_size_limit = {64 * 2**20}")
        else:
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            caveat = (
                "the file system allows no write-ahead log (it is a network file system or has no shared memory), "
                "so a rollback journal is used: commits are slower and wait for readers"
            )
    except BaseException:
        connection.close()
        raise
    return connection, caveat


def close_writer(connection: sqlite3.Connection) -> None:
    """Close, and fold the log into the database so that it opens from any medium as one file."""
    with contextlib.suppress(sqlite3.OperationalError):  # a reader is looking, or the disk is full: the log stays
        connection.execute("PRAGMA busy_timeout = 200")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


@contextlib.contextmanager
def reading(directory: Path) -> Iterator[sqlite3.Connection]:
    """One consistent view of a recording's database: everything read inside belongs to the same moment.

    Args:
        directory: The recording.

    Yields:
        A connection that can change nothing, inside one read transaction.

    Raises:
        CorruptRunError: If the database is missing, damaged, or not one that phasescope wrote.
        SchemaTooNewError: If a newer phasescope wrote it.
        StoreError: If it is there and may not be read.
    """
    origin = directory.name
    with contextlib.ExitStack() as stack:
        try:
            connection = _connect_reader(directory / DATABASE, stack)
            schema.check(connection, origin)
            yield connection
        except sqlite3.Error as error:
            raise reading_error(error, origin) from error
        except (OverflowError, UnicodeDecodeError) as error:
            raise CorruptRunError(f"{origin}: data.sqlite holds values that are none of phasescope's") from error


def _connect_reader(path: Path, stack: contextlib.ExitStack) -> sqlite3.Connection:
    try:
        return _begin(path, "mode=ro", stack)
    except sqlite3.OperationalError as error:
        if not _names(error).startswith(UNREADABLE) or not os.access(path, os.R_OK):
            raise
    # The directory cannot be written, so the log's shared memory cannot be made. Without a log the file is all there
    # is; with one, and no shared memory made by a writer, nobody is writing, and a private copy shows the same.
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or log.stat().st_size == 0:
        return _begin(path, "mode=ro&immutable=1", stack)
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="phasescope-"))) / path.name
    shutil.copyfile(path, copy)
    shutil.copyfile(log, copy.with_name(log.name))
    return _begin(copy, "mode=ro", stack)


def _begin(path: Path, how: str, stack: contextlib.ExitStack) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{_uri(path)}?{how}", uri=True, isolation_level=None, timeout=WAIT_S, check_same_thread=False
    )
    try:
        for pragma in ("query_only = 1", "trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the view begins with the first read
    except BaseException:
        connection.close()
        raise
    stack.callback(connection.close)
    return connection


def reading_error(error: sqlite3.Error, origin: str) -> PhasescopeError:
    """The sentence for what SQLite found while reading."""
    name = _names(error)
    if name.startswith("SQLITE_READONLY_ROLLBACK"):
        return StoreError(
            f"{origin} was cut off in the middle of a commit, and only its writer can undo that: resume the recording"
        )
    if name.startswith("SQLITE_BUSY"):
        return StoreError(f"{origin} is being written and did not come free within {WAIT_S:.0f} s; try again")
    if name.startswith(UNREADABLE):
        return StoreError(f"{origin}: data.sqlite is missing or may not be read")
    return CorruptRunError(f"{origin}: data.sqlite is damaged or was not written by phasescope ({error})")


def writing_error(error: sqlite3.Error | OSError, origin: str) -> StoreError:
    """The sentence for what went wrong while writing."""
    name = _names(error)
    if name.startswith("SQLITE_FULL") or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return StoreError(f"no space left on the disk of {origin}; what was committed before stays readable")
    if name.startswith(UNREADABLE):
        return StoreError(f"{origin} cannot be written: {error}")
    if name.startswith("SQLITE_BUSY"):
        return StoreError(f"{origin} was blocked by another process for {WAIT_S:.0f} s; nothing was written")
    if name.startswith("SQLITE_TOOBIG"):
        return StoreError(f"{origin}: one value exceeds SQLite's limit of 1 GB; record it in smaller pieces")
    return StoreError(f"{origin} cannot be written: {getattr(error, 'strerror', None) or error}")


def _names(error: BaseException) -> str:
    return str(getattr(error, "sqlite_errorname", "") or "")


def _uri(path: Path, mode: str | None = None) -> str:
    address = "file:" + quote(os.path.abspath(path))
    return address if mode is None else f"{address}?mode={mode}"
