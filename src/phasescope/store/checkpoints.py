"""Checkpoints: arrays as safetensors and the rest as JSON, so that nothing in them can run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from phasescope.errors import CorruptRunError
from phasescope.results import plain
from phasescope.store.documents import parse_object


def write_checkpoint(
    step: int, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]
) -> list[tuple[str, tuple[Any, ...]]]:
    """Statements that replace the checkpoint by this one."""
    blob = safetensors.numpy.save({name: np.array(array, order="C") for name, array in arrays.items()})
    # Unlike a result, a state must come back exactly, so infinities and NaN stay what they are.
    document = json.dumps(dict(state), default=plain)
    return [
        ("DELETE FROM checkpoint", ()),
        ("INSERT INTO checkpoint VALUES (?, ?, ?)", (step, document, blob)),
    ]


def read_checkpoint(
    connection: sqlite3.Connection, origin: str
) -> tuple[int, dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Step, arrays and state of the newest checkpoint, or `None`.

    Raises:
        CorruptRunError: If there is one and it cannot be read.
    """
    row = connection.execute("SELECT step, state, arrays FROM checkpoint ORDER BY step DESC LIMIT 1").fetchone()
    if row is None:
        return None
    step, state, blob = row
    try:
        arrays = safetensors.numpy.load(blob)
    except (safetensors.SafetensorError, TypeError, ValueError, KeyError) as error:
        raise CorruptRunError(f"the checkpoint of {origin} cannot be read: {error}") from error
    return step, arrays, parse_object(state, f"the state in the checkpoint of {origin}")
