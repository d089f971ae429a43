"""From the columns of a table to curves: which column is the step, which are curves, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import PhasescopeError, unknown_name
from phasescope.store.series import Series, newest

# In order of preference; compared without case, and after the last slash.
STEP_NAMES = (
    *("step", "_step", "steps", "global_step", "training_step", "train_step", "iteration", "iterations", "iter", "it"),
    *("n_iter", "update", "updates", "batch", "epoch", "epochs"),
)
CLOCKS = ("wall time", "wall_time", "walltime", "time", "timestamp", "elapsed", "elapsed_time", "runtime")
RUN_NAMES = ("run", "run_id", "run_name")

# What W&B adds of its own: bounds of its smoothing, and its clock.
BOOKKEEPING = re.compile(r"(__MIN|__MAX)$|(^| - )_(step|runtime|timestamp|wandb\b.*)$")

MAX_STEP = 2.0**53  # beyond, float64 no longer tells neighboring integers apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The curves of a log."""

    source: str
    series: dict[str, Series]
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column of a table: a number per row where there was one."""

    values: NDArray[np.float64]  # (n_rows,)
    present: NDArray[np.bool_]  # (n_rows,) False where the cell was empty
    texts: tuple[str, ...] | None = None  # the cells, of a column that is not all numbers


def curves(columns: Mapping[str, Column], *, step_column: str | None, source: str) -> Log:
    """Every numeric column as a curve over the step column.

    Args:
        columns: The table by column name; all columns of one length.
        step_column: The column of the steps; found by its usual names if `None`.
        source: What to call the table in an error.

    Returns:
        The curves; a table with a column of run names gives each run's curves under `run - name`.

    Raises:
        PhasescopeError: If there is no step column, or no curve.
    """
    step_name = _step_column(columns, step_column, source)
    steps, usable, caveats = _steps(columns[step_name], step_name, source)
    groups = _groups(columns, frozenset({step_name}))
    series: dict[str, Series] = {}
    repeated = left_out = 0
    disordered = False
    for name, column in columns.items():
        if name in groups.skipped or BOOKKEEPING.search(name) or _plain(name) in (*STEP_NAMES, *CLOCKS):
            continue
        if column.texts is not None:
            left_out += 1
            caveats.append(_not_numeric(name, column.texts))
            continue
        for label, rows in groups.rows:
            chosen = usable & column.present & rows
            disordered |= bool(np.any(np.diff(steps[chosen]) < 0))
            curve_steps, values = newest(steps[chosen], column.values[chosen])
            if len(values) == 0:
                continue
            repeated = max(repeated, int(chosen.sum()) - len(values))
            full_name = f"{label} - {name}" if label else name
            series[full_name] = Series(name=full_name, steps=curve_steps, values=values)
    if disordered:
        caveats.append(f"the rows were not in order of {step_name!r} and were sorted")
    if repeated:
        caveats.append(f"{repeated} rows repeat a step of an earlier row; of each step the last row was kept")
    if not series:
        why = f": {caveats[-1]}" if left_out else ""
        raise PhasescopeError(f"{source} holds no numeric column besides the steps in {step_name!r}{why}")
    return Log(source=source, series=series, caveats=tuple(caveats))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Groups:
    rows: list[tuple[str, NDArray[np.bool_]]]  # name of the run, its rows
    skipped: frozenset[str]  # columns that are no curves


def _groups(columns: Mapping[str, Column], skipped: frozenset[str]) -> _Groups:
    n_rows = len(next(iter(columns.values())).present)
    for name, column in columns.items():
        if name.casefold() in RUN_NAMES and column.texts is not None:
            labels = list(dict.fromkeys(column.texts))
            texts = np.array(column.texts)
            rows = [(label if len(labels) > 1 else "", texts == label) for label in labels]
            return _Groups(rows=rows, skipped=skipped | {name, "seed"})
    return _Groups(rows=[("", np.ones(n_rows, dtype=np.bool_))], skipped=skipped)


def _step_column(columns: Mapping[str, Column], wanted: str | None, source: str) -> str:
    if wanted is not None:
        if wanted not in columns:
            raise PhasescopeError(f"{source}: {unknown_name('column', wanted, columns)}")
        return wanted
    by_name: dict[str, str] = {}
    for name, column in columns.items():
        if column.texts is None:
            by_name.setdefault(_plain(name), name)
    for usual in STEP_NAMES:
        if usual in by_name:
            return by_name[usual]
    first, column = next(iter(columns.items()))
    unnamed = first.strip() in ("", "column 1") or first.startswith("Unnamed")
    if unnamed and column.texts is None and column.present.all() and bool(np.all(np.diff(column.values) > 0)):
        return first
    listed = ", ".join(repr(name) for name in list(columns)[:12])
    raise PhasescopeError(f"{source} has no column of training steps that I know; name it with --step-column: {listed}")


def _plain(name: str) -> str:
    return name.strip().casefold().rsplit("/", 1)[-1]


def _steps(column: Column, name: str, source: str) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[str]]:
    """Whole steps, the rows that have one, and caveats about the rest."""
    if column.texts is not None:
        raise PhasescopeError(f"{source} cannot be laid out by {name!r}: {_not_numeric(name, column.texts)}")
    usable = column.present & np.isfinite(column.values) & (column.values >= 0) & (column.values < MAX_STEP)
    if not usable.any():
        raise PhasescopeError(f"{source}: column {name!r} holds no training step")
    fractions = np.flatnonzero(usable & (column.values != np.floor(np.where(usable, column.values, 0.0))))
    if fractions.size:
        raise PhasescopeError(
            f"{source}: column {name!r} holds fractions ({column.values[fractions[0]]:g}); "
            "choose a column of whole steps with --step-column"
        )
    caveats = []
    n_bad = int((~usable).sum())
    if n_bad:
        caveats.append(f"{n_bad} of {usable.size} rows have no usable step in {name!r} and were left out")
    steps = np.where(usable, column.values, 0.0).astype(np.int64)
    return steps, usable, caveats


def _not_numeric(name: str, texts: Sequence[str]) -> str:
    for row, text in enumerate(texts):
        if parse_number(text) is None and text.strip():
            return f"column {name!r} was left out, since {text[:40]!r} in row {row + 1} is not a number"
    return f"column {name!r} was left out, since it is empty"


def parse_number(text: str) -> float | None:
    """The number a cell holds, or `None`; `True` and `False` count as 1 and 0."""
    text = text.strip()
    if text in ("True", "true", "False", "false"):
        return float(text in ("True", "true"))
    try:
        return float(text)
    except ValueError:
        return None


def column_of_texts(cells: Sequence[str], *, decimal_comma: bool = False) -> Column:
    """A column from its cells; it is numeric if every cell is a number or empty, and one is a number."""
    numbers = np.full(len(cells), np.nan)
    present = np.zeros(len(cells), dtype=np.bool_)
    numeric = True
    for row, cell in enumerate(cells):
        text = cell.replace(",", ".") if decimal_comma else cell
        if text.strip().casefold() in ("", "none", "null", "na", "n/a"):
            continue
        number = parse_number(text)
        if number is None:
            numeric = False
            break
        numbers[row], present[row] = number, True
    texts = None if numeric and present.any() else tuple(cells)
    return Column(values=numbers, present=present, texts=texts)
