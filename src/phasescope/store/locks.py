"""The lock of a recording's writer: held on `writer.lock` and released by the system when the process dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import weakref
from pathlib import Path

from phasescope.errors import StoreError

PATIENCE_S = 1.0  # a reader asking whether the lock is held blocks it for microseconds


class WriterLock:
    """An exclusive lock on a file; `release` gives it back, and so does the end of the process."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._descriptor: int | None = os.open(path, flags, 0o666)
        except OSError as error:
            raise StoreError(f"{path.parent} cannot be written: {error.strerror}") from error
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    self._close()
                    raise StoreError(
                        f"another process is writing {path.parent.name}; wait for it or end it, then try again"
                    ) from error
                time.sleep(0.01)
            except OSError as error:
                self._close()
                raise StoreError(f"{path.parent} cannot be locked on its file system: {error.strerror}") from error
        _held.add(self)

    def release(self) -> None:
        """Let others write; calling it again does nothing."""
        _held.discard(self)
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


def _close_in_child() -> None:
    # A forked child (a data loader's worker) would keep the lock alive after its parent was killed.
    for lock in list(_held):
        with contextlib.suppress(OSError):
            lock._close()


os.register_at_fork(after_in_child=_close_in_child)
