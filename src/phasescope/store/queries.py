"""What is asked of a recording's database; every function takes a connection and changes nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import CorruptRunError
from phasescope.store import arrays
from phasescope.store.documents import parse_object
from phasescope.store.manifest import STATUSES, Outcome
from phasescope.store.series import Event, Series, newest

_POINT = np.dtype([("step", "i8"), ("value", "f8")])


def series_names(connection: sqlite3.Connection, run: int) -> list[str]:
    """Names of the series that hold at least one point of this run, in the order they first appeared."""
    rows = connection.execute(
        "SELECT name FROM series AS s WHERE "
        "EXISTS (SELECT 1 FROM scalar WHERE run = :run AND series = s.series) OR "
        "EXISTS (SELECT 1 FROM chunk WHERE run = :run AND series = s.series) ORDER BY series",
        {"run": run},
    )
    return [_text(name) for (name,) in rows]


def series(connection: sqlite3.Connection, run: int, name: str) -> Series | None:
    """All points of one series, or `None` if no run of the recording has one of that name."""
    found = connection.execute("SELECT series, unit FROM series WHERE name = ?", (name,)).fetchone()
    if found is None:
        return None
    key = (run, found[0])
    sealed = [
        arrays.points(steps, values, origin=f"series {name!r}")
        for steps, values in connection.execute(
            "SELECT steps, vals FROM chunk WHERE run = ? AND series = ? ORDER BY first_step", key
        )
    ]
    rows = connection.execute("SELECT step, value FROM scalar WHERE run = ? AND series = ? ORDER BY step", key)
    try:
        # NULL is NaN; a stranger's text in place of a number ends here.
        hot = np.fromiter(((step, np.nan if value is None else value) for step, value in rows), dtype=_POINT)
    except (TypeError, ValueError) as error:
        raise CorruptRunError(f"series {name!r} holds something else than numbers") from error
    steps, values = newest(
        np.concatenate([*(steps for steps, _ in sealed), hot["step"]]).astype(np.int64, copy=False),
        np.concatenate([*(values for _, values in sealed), hot["value"]]).astype(np.float64, copy=False),
    )
    return Series(name=name, unit=_text(found[1]), steps=steps, values=values)


def array_names(connection: sqlite3.Connection, run: int) -> list[str]:
    """Names of the arrays of a run, in alphabetical order."""
    rows = connection.execute("SELECT DISTINCT name FROM array WHERE run = ? ORDER BY name", (run,))
    return [_text(name) for (name,) in rows]


def array_steps(connection: sqlite3.Connection, run: int, name: str) -> list[int]:
    """Steps at which an array was recorded, increasing."""
    rows = connection.execute("SELECT step FROM array WHERE run = ? AND name = ? ORDER BY step", (run, name))
    return [_integer(step) for (step,) in rows]


def array(connection: sqlite3.Connection, run: int, name: str, step: int | None) -> NDArray[Any] | None:
    """An array at a step, or at its last one; `None` if there is none."""
    where = "run = ? AND name = ?" + ("" if step is None else " AND step = ?")
    row = connection.execute(
        f"SELECT dtype, shape, data FROM array WHERE {where} ORDER BY step DESC LIMIT 1",
        (run, name) if step is None else (run, name, step),
    ).fetchone()
    if row is None:
        return None
    dtype, shape, data = row
    return arrays.decode(dtype, shape, data, origin=f"array {name!r}")


def results(connection: sqlite3.Connection, run: int) -> dict[str, dict[str, Any]]:
    """All results of a run by name."""
    rows = connection.execute("SELECT name, document FROM result WHERE run = ? ORDER BY rowid", (run,))
    return {_text(name): parse_object(document, f"result {name!r}") for name, document in rows}


def events(connection: sqlite3.Connection, run: int) -> list[Event]:
    """What happened on the way, in order."""
    rows = connection.execute("SELECT step, kind, message FROM event WHERE run = ? ORDER BY event", (run,))
    return [Event(step=_integer(step), kind=_text(kind), message=_text(message)) for step, kind, message in rows]


def outcomes(connection: sqlite3.Connection, n_runs: int) -> tuple[Outcome, ...]:
    """What each of the runs has come to, in order of the run axis.

    Raises:
        CorruptRunError: If the database does not hold these runs.
    """
    rows = connection.execute(
        "SELECT run.status, run.step, run.message, result.document FROM run "
        "LEFT JOIN result ON result.run = run.run AND result.name = 'verdict' ORDER BY run.run"
    )
    found = []
    for status, step, message, document in rows:
        if status not in STATUSES:
            raise CorruptRunError(f"a run has the status {status!r}, which is none of {sorted(STATUSES)}")
        label = None if document is None else parse_object(document, "result 'verdict'").get("label")
        found.append(
            Outcome(
                status=status,
                steps=_integer(step),
                message=_text(message),
                verdict=label if isinstance(label, str) else None,
            )
        )
    if len(found) != n_runs:
        raise CorruptRunError(f"run.json lists {n_runs} runs and data.sqlite {len(found)}")
    return tuple(found)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise CorruptRunError(f"found {type(value).__name__} where a text belongs")
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        raise CorruptRunError(f"found {type(value).__name__} where a step belongs")
    return value
