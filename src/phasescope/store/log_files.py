"""Tables in files: delimited text, Parquet, JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from phasescope.errors import MissingExtraError, PhasescopeError
from phasescope.store.log_columns import Column, column_of_texts, parse_number

MAX_DEPTH = 16  # of nested objects in a line of JSON


def read_columns(path: Path) -> dict[str, Column]:
    """The columns of a table, by the kind of file its name says.

    Raises:
        PhasescopeError: If it cannot be read as that.
        OSError: If the file cannot be read.
    """
    kind = path.suffix.casefold()
    if kind in (".parquet", ".pq"):
        return _parquet(path)
    text = _text(path)
    if kind in (".jsonl", ".ndjson"):
        return _columns_of_records(_json_lines(text, path), path)
    if kind == ".json":
        return _columns_of_records(_json_records(text, path), path)
    return _delimited(text, path)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\x00" not in raw:
            line = 1 + raw[: error.start].count(b"\n")
            raise PhasescopeError(
                f"{path} is not UTF-8: byte 0x{raw[error.start]:02x} in line {line}; save the file as UTF-8"
            ) from error
        raise PhasescopeError(f"{path} is not a text file, and its name says no other kind of log") from error
    if "\x00" in text:
        raise PhasescopeError(f"{path} is not a text file, and its name says no other kind of log")
    if not text.strip():
        raise PhasescopeError(f"{path} is empty")
    return text


def _delimited(text: str, path: Path) -> dict[str, Column]:
    lines = [line for line in text.splitlines() if line.strip()]
    lines[0] = lines[0].lstrip("# ")  # numpy.savetxt writes its header as a comment
    lines = [line for line in lines if not line.startswith("#")]
    delimiter = _delimiter(lines)
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter, skipinitialspace=True))
        if delimiter == " ":
            rows = [[cell for cell in row if cell] for row in rows]
    except csv.Error as error:
        raise PhasescopeError(f"{path} cannot be read as a table: {error}") from error
    header, body = [cell.strip() for cell in rows[0]], rows[1:]
    if all(parse_number(cell.replace(",", ".")) is not None for cell in header):
        header, body = [f"column {number + 1}" for number in range(len(header))], rows
    if not body:
        raise PhasescopeError(f"{path} has a header and no rows")
    for number, row in enumerate(body, start=1):
        if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
            raise PhasescopeError(f"{path}: row {number} has {len(row)} cells and the header {len(header)}")
    columns: dict[str, Column] = {}
    for number, name in enumerate(header):
        unique = name if name not in columns else f"{name} ({number + 1})"
        cells = [row[number] if number < len(row) else "" for row in body]
        columns[unique] = column_of_texts(cells, decimal_comma=delimiter == ";")
    return columns


def _delimiter(lines: list[str]) -> str:
    """The one that cuts the first rows into most cells, as many in each."""
    best, best_count = ",", 1
    for delimiter in (",", "\t", ";", "|", " "):
        reader = csv.reader(lines[:10], delimiter=delimiter, skipinitialspace=True)
        try:
            counts = [len([cell for cell in row if cell or delimiter != " "]) for row in reader]
        except csv.Error:
            continue
        if len(set(counts)) == 1 and counts[0] > best_count:
            best, best_count = delimiter, counts[0]
    return best


def _parquet(path: Path) -> dict[str, Column]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("pyarrow", "parquet", "reading Parquet") from error
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowException as error:
        raise PhasescopeError(f"{path} cannot be read as Parquet: {error}") from error
    columns: dict[str, Column] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_boolean(field.type):
            present = column.is_valid().to_numpy(zero_copy_only=False)
            values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            columns[field.name] = Column(values=np.asarray(values, dtype=np.float64), present=np.asarray(present))
        elif pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            columns[field.name] = column_of_texts([text or "" for text in column.to_pylist()])
    if not columns:
        raise PhasescopeError(f"{path} holds no column of numbers")
    if table.num_rows == 0:
        raise PhasescopeError(f"{path} has columns and no rows")
    return columns


def _json_lines(text: str, path: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PhasescopeError(f"{path}: line {number} is not JSON") from error
        if not isinstance(record, dict):
            raise PhasescopeError(f"{path}: line {number} is not a JSON object")
        yield record


def _json_records(text: str, path: Path) -> Iterable[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _json_lines(text, path)
    records = document.get("log_history") if isinstance(document, dict) else document
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise PhasescopeError(f"{path} is neither a list of records nor a trainer_state.json with a 'log_history'")
    return records


def _columns_of_records(records: Iterable[dict[str, Any]], path: Path) -> dict[str, Column]:
    """Numbers of each record under dotted names; a key that a record lacks is an empty cell."""
    rows = [dict(_numbers(record)) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise PhasescopeError(f"{path} holds no numbers")
    columns = {}
    for name in names:
        present = np.array([name in row for row in rows])
        columns[name] = Column(values=np.array([row.get(name, np.nan) for row in rows]), present=present)
    return columns


def _numbers(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterable[tuple[str, float]]:
    for key, value in record.items():
        if isinstance(value, (bool, int, float)):
            yield prefix + key, _float(value)
        elif isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):  # how W&B writes them
            yield prefix + key, float(value)
        elif isinstance(value, dict) and depth < MAX_DEPTH:
            yield from _numbers(value, f"{prefix}{key}.", depth + 1)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return float("inf") if value > 0 else float("-inf")
