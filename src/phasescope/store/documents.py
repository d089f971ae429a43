"""JSON from a file that anybody may have written."""

from __future__ import annotations

import json
from typing import Any

from phasescope.errors import CorruptRunError

MAX_DEPTH = 64  # of nested lists and objects; what prints them is recursive


def parse_object(raw: object, origin: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        raw: Text or UTF-8 bytes.
        origin: What to call it in an error.

    Returns:
        The object.

    Raises:
        CorruptRunError: If it is malformed, nested too deeply, or something else than an object.
    """
    if not isinstance(raw, (str, bytes)):
        raise CorruptRunError(f"{origin} is not a text")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CorruptRunError(f"{origin} is not valid JSON") from error
    if not isinstance(value, dict):
        raise CorruptRunError(f"{origin} is not a JSON object")
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return value
    raise CorruptRunError(f"{origin} is nested deeper than {MAX_DEPTH} levels; not read")
