"""Trouble of ours, and how a mistyped name is answered.

A wrong call raises `ValueError` or `TypeError`. What is raised from here is trouble outside the call: a missing run, an
unreadable directory, a disk that is full. The command line prints the message and exits with `exit_code`, without a
traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PhasescopeError(Exception):
    """Base of everything phasescope raises on its own account."""

    exit_code = 1


class RunNotFoundError(PhasescopeError):
    """No run, recording or group of that name is in the store."""


class CorruptRunError(PhasescopeError):
    """A run directory exists and cannot be read."""


class SchemaTooNewError(PhasescopeError):
    """A run was written by a newer phasescope than this one."""


class StoreError(PhasescopeError):
    """The store cannot be written: no permission, no space, or another process holds it."""


class MissingExtraError(PhasescopeError):
    """An optional dependency is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed; run: pip install 'phasescope[{extra}]'")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Sentence for a name that does not exist, with the nearest ones that do.

    Args:
        kind: What the name should have named, for example `"bench"`.
        name: What arrived.
        known: The names that exist.

    Returns:
        One sentence; the three closest names when any is close, else all of them (twelve at most).
    """
    names = sorted(known)
    by_folded = {candidate.casefold(): candidate for candidate in names}
    close = [by_folded[match] for match in difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.5)]
    if close:
        return f"no {kind} named {name!r}; closest names: {close}"
    if not names:
        return f"no {kind} named {name!r}; there is none"
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"no {kind} named {name!r}; known names: {listed}"
