"""Names, steps and texts as they come in, checked before they are gathered for a commit."""

from __future__ import annotations

import operator

MAX_NAME = 200  # characters


def checked_name(name: str) -> str:
    """The name of a series, array or result.

    Raises:
        ValueError: If it is no text, empty, or longer than 200 characters.
    """
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"a name is a text of 1 to {MAX_NAME} characters; got {name!r:.80}")
    return storable(name)


def checked_step(step: int) -> int:
    """A training step as a plain integer.

    Raises:
        ValueError: If it is negative or beyond 64 bits.
        TypeError: If it is no integer.
    """
    step = operator.index(step)
    if not 0 <= step < 2**63:
        raise ValueError(f"step is {step}; training steps are counted from 0")
    return step


def storable(text: str) -> str:
    """The text without lone halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
