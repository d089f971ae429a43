"""Runs as one table for other programs: a row per run and step, a column per series."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import MissingExtraError, StoreError
from phasescope.store.runs import Run
from phasescope.store.series import KEYS, column


def columns(runs: Sequence[Run]) -> list[str]:
    """Names of the series of all the runs, in the order they first appear."""
    names = dict.fromkeys(name for run in runs for name in run.series_names())
    return [column(name) for name in names]


def write_csv(runs: Sequence[Run], file: IO[str]) -> int:
    """Write the table as CSV; a cell is empty where nothing was recorded, numbers keep all their digits.

    Args:
        runs: The runs.
        file: Text file, opened with `newline=""`.

    Returns:
        Number of rows after the header.
    """
    names = columns(runs)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*KEYS, *names])
    n_rows = 0
    for run in runs:
        steps, table = _table(run)
        present = {name: (recorded, values) for name, recorded, values in table}
        for at, step in enumerate(steps.tolist()):
            cells = [
                repr(float(present[name][1][at])) if name in present and present[name][0][at] else "" for name in names
            ]
            writer.writerow([run.id, "" if run.seed is None else run.seed, step, *cells])
            n_rows += 1
    return n_rows


def write_parquet(runs: Sequence[Run], path: Path) -> int:
    """Write the table as Parquet; null where nothing was recorded. Needs the extra `parquet`.

    Args:
        runs: The runs.
        path: The file to write.

    Returns:
        Number of rows.

    Raises:
        MissingExtraError: If pyarrow is not installed.
        StoreError: If the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("pyarrow", "parquet", "writing Parquet") from error
    schema = pa.schema(
        [("run", pa.string()), ("seed", pa.int64()), ("step", pa.int64())]
        + [(name, pa.float64()) for name in columns(runs)]
    )
    n_rows = 0
    try:
        with pq.ParquetWriter(path, schema) as writer:
            for run in runs:
                steps, table = _table(run)
                filled: dict[str, Any] = {
                    "run": pa.array([run.id] * len(steps), pa.string()),
                    "seed": pa.array([run.seed] * len(steps), pa.int64()),
                    "step": pa.array(steps),
                } | {name: pa.array(values, mask=~recorded) for name, recorded, values in table}
                empty = pa.nulls(len(steps), pa.float64())
                writer.write_table(pa.table([filled.get(name, empty) for name in schema.names], schema=schema))
                n_rows += len(steps)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    return n_rows


def _table(run: Run) -> tuple[NDArray[np.int64], Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float64]]]]:
    """All steps of a run, and per series where it was recorded and what."""
    series = run.all_series()
    steps = np.unique(np.concatenate([np.zeros(0, np.int64), *(curve.steps for curve in series.values())]))

    def spread() -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float64]]]:
        for name, curve in series.items():
            at = np.searchsorted(steps, curve.steps)
            recorded = np.zeros(len(steps), dtype=np.bool_)
            values = np.full(len(steps), np.nan)
            recorded[at] = True
            values[at] = curve.values
            yield column(name), recorded, values

    return steps, spread()
