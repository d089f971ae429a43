"""What every measure returns: an estimate, its interval, the points behind it, and its caveats.

A result is one small frozen dataclass per analysis. Fields follow one naming rule, which the printed block and the
notebook table rely on: `interval` belongs to `estimate`, `<name>_interval` to `<name>`.
"""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from phasescope.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Base of all results; `caveats` says in sentences which assumptions did not hold."""

    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain Python containers, ready for JSON: arrays become lists, non-finite numbers become `None`."""
        return {"type": type(self).__name__} | {
            field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)
        }

    def to_frame(self) -> pd.DataFrame:
        """The points behind the result as a table: one column per one-dimensional array of the common length.

        A result without such arrays becomes one row; the rest is in the table's `attrs`. Needs the extra `frame`.
        """
        pd = pandas()
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        columns = {name: value for name, value in values.items() if isinstance(value, np.ndarray) and value.ndim == 1}
        if columns:
            n_rows = max(len(column) for column in columns.values())
            columns = {name: column for name, column in columns.items() if len(column) == n_rows}
            frame = pd.DataFrame(columns)
        else:
            frame = pd.DataFrame([{name: plain(value) for name, value in values.items() if name != "caveats"}])
        frame.attrs = {name: plain(value) for name, value in values.items() if name not in frame.columns}
        return frame

    def __str__(self) -> str:
        return text_block(type(self).__name__, self._rows(), self.caveats)

    def _repr_html_(self) -> str:
        return html_block(type(self).__name__, self._rows(), self.caveats)

    def _rows(self) -> list[tuple[str, str]]:
        names = [field.name for field in dataclasses.fields(self) if field.name != "caveats"]
        rows = []
        for name in names:
            owner = "estimate" if name == "interval" else name.removesuffix("_interval")
            if owner != name and owner in names:
                continue
            text = brief(getattr(self, name))
            interval_name = "interval" if name == "estimate" else f"{name}_interval"
            if interval_name in names and getattr(self, interval_name) is not None:
                low, high = getattr(self, interval_name)
                text += f"  [{brief(low)}, {brief(high)}]"
            rows.append((name, text))
        return rows


def text_block(title: str, rows: Sequence[tuple[str, str]], caveats: Sequence[str] = ()) -> str:
    """The block that `print` shows: a title, names with their values, and caveats."""
    name_width = max((len(name) for name, _ in rows), default=0)
    lines = [title, *(f"  {name:<{name_width}}  {text}" for name, text in rows)]
    return "\n".join(lines + [f"  caveat: {caveat}" for caveat in caveats])


def html_block(title: str, rows: Sequence[tuple[str, str]], caveats: Sequence[str] = ()) -> str:
    """The same block for a notebook, every string escaped."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
        for name, text in rows
    )
    doubts = "".join(f"<p><em>caveat: {html.escape(caveat)}</em></p>" for caveat in caveats)
    return f"<table><caption>{html.escape(title)}</caption>{cells}</table>{doubts}"


def pandas() -> Any:
    """The pandas module, for `to_frame()`.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        return import_module("pandas")
    except ImportError as error:
        raise MissingExtraError("pandas", "frame", "to_frame()") from error


def brief(value: Any) -> str:
    """One short line for a value: numbers to four significant digits, arrays by shape and range."""
    if isinstance(value, (bool, np.bool_)) or value is None:
        return str(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.4g}"
    if isinstance(value, np.ndarray):
        if value.size == 0:
            return f"array of shape {value.shape}"
        if value.size <= 6 and value.ndim == 1:
            return "[" + ", ".join(brief(item) for item in value.tolist()) + "]"
        if np.issubdtype(value.dtype, np.number) and not np.issubdtype(value.dtype, np.complexfloating):
            finite = value[np.isfinite(value)]
            if finite.size:
                return f"array of shape {value.shape}, {brief(finite.min())} … {brief(finite.max())}"
        return f"array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        if len(value) <= 6:
            return ", ".join(brief(item) for item in value)
        return f"{len(value)} items"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {brief(item)}" for key, item in list(value.items())[:6])
    if isinstance(value, Result):
        return type(value).__name__
    return str(value)


def plain(value: Any) -> Any:
    """The value in Python's own containers, with `None` for what JSON has no number for."""
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value
