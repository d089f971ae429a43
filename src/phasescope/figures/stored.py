"""A result as the store keeps it (plain containers), seen again with attributes and arrays, ready to be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np


def revive(stored: Mapping[str, Any]) -> Any:
    """Undo `Result.to_dict` as far as a figure needs it.

    Args:
        stored: What `to_dict()` made, after a way through JSON.

    Returns:
        Fields as attributes: lists of numbers are arrays (`None` is NaN), intervals are pairs (`None` is infinite), and
        results inside results are revived too.
    """
    return SimpleNamespace(**{"caveats": ()} | {name: _revived(name, value) for name, value in stored.items()})


def _revived(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return revive(value) if "type" in value else {key: _revived(key, item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if (name == "interval" or name.endswith("_interval") or name == "rise") and len(value) == 2:
        low, high = value
        return (-math.inf if low is None else low, math.inf if high is None else high)
    if any(isinstance(item, Mapping) for item in value):
        return tuple(_revived(name, item) for item in value)
    if any(isinstance(item, str) for item in value) or name == "caveats":
        return tuple(value)
    if value and all(type(item) is int for item in value):
        return np.array(value)
    return np.array(value, dtype=np.float64)
