"""Tables for people; names and messages from a stranger's file are shown as what they are, never obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from phasescope.results import brief


def printable(text: str) -> str:
    """The text with control characters, terminal commands and direction marks spelled out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )


def cell(value: Any, style: str = "") -> Text:
    """A value as one safe cell: no markup, no control characters; `None` is a dash."""
    return Text("–" if value is None else printable(brief(value)), style=style)


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; every cell is shown literally, a `Text` keeps its style.

    Args:
        headers: One per column; without any text the table has no line of headers.
        rows: Values of any kind.

    Returns:
        A table for a Rich console.
    """
    made = Table(box=None, pad_edge=False, show_header=any(headers))
    for number, header in enumerate(headers):
        made.add_column(cell(header), overflow="fold", no_wrap=number == 0)  # ids stay whole, to be copied
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else cell(value) for value in row))
    return made
