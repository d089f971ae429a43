"""Tables: shown in a report, and carried inside it as CSV."""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.curves import Curve
from phasescope.figures.theme import number

Cell = str | float | int | bool | None
LONG = 48  # characters from which text may run over several lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns and rows; `None` is an empty cell."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""

    def to_html(self, *, max_rows: int | None = None) -> str:
        """The table as HTML, every cell escaped; of more than `max_rows` rows, evenly spaced ones are shown."""
        rows, note = self.rows, self.caption
        if max_rows is not None and len(rows) > max_rows:
            rows = [rows[index] for index in np.linspace(0, len(rows) - 1, max_rows).round().astype(int)]
            note = f"{note} {max_rows} of {len(self.rows):,} rows, evenly spaced.".strip()
        caption = f"<caption>{html.escape(note)}</caption>" if note else ""
        head = "".join(
            f'<th scope="col"{_number_class(row[index] for row in rows)}>{html.escape(column)}</th>'
            for index, column in enumerate(self.columns)
        )
        body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_csv(self) -> str:
        """The table as CSV. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([_plain(column) for column in self.columns])
        writer.writerows([[_plain(cell) for cell in row] for row in self.rows])
        return text.getvalue()

    def to_data_uri(self) -> str:
        """The CSV as a `data:` address, so that a page can offer it without a second file."""
        content = base64.b64encode(self.to_csv().encode("utf-8", "replace")).decode("ascii")
        return f"data:text/csv;charset=utf-8;base64,{content}"


def digest(curves: Sequence[Curve], *, n_rows: int = 13) -> Table:
    """Curves at a few steps, evenly spaced in log-time: the median over the curves of a name, and their range.

    Between evaluations a curve is taken as straight; beyond its last one it is left out.
    """
    lasts = [float(curve.steps[-1]) for curve in curves if len(curve.steps) and curve.steps[-1] > 0]
    if not lasts:
        return Table(columns=("step",), rows=[])
    steps = np.unique(np.geomspace(1, max(lasts), n_rows).round())
    names = list(dict.fromkeys(curve.name for curve in curves))
    rows: list[list[Cell]] = [[int(step)] for step in steps]
    for name in names:
        family = [curve for curve in curves if curve.name == name and len(curve.steps)]
        seen = np.array([np.interp(steps, curve.steps, curve.values, right=np.nan) for curve in family])
        for row, column in zip(rows, seen.T, strict=True):
            known = column[np.isfinite(column)]
            row.append(float(np.median(known)) if known.size else None)
            if len(curves) > len(names):
                row.append(f"{number(known.min())} … {number(known.max())}" if known.size > 1 else "–")
    columns = ["step"]
    for name in names:
        columns += [f"{name}, median", "range"] if len(curves) > len(names) else [name]
    return Table(columns=columns, rows=rows, caption="Read off the curves; every point is in the CSV file.")


def table_of(figure: go.Figure) -> Table:
    """The points drawn in a figure as a table: one row per point, named by its trace."""
    rows: list[list[Cell]] = []
    for trace in figure.data:
        name = html.unescape(trace.name or "")
        run = html.unescape(trace.meta) if isinstance(trace.meta, str) else ""
        if trace.type == "heatmap":
            grid = np.asarray(trace.z, dtype=np.float64)
            for row, y in enumerate(trace.y):
                rows += [
                    [name, run, _value(x), _value(y), _value(grid[row, column])] for column, x in enumerate(trace.x)
                ]
        elif trace.x is not None and trace.y is not None:
            rows += [[name, run, _value(x), _value(y), None] for x, y in zip(trace.x, trace.y, strict=False)]
    columns = ["curve", "run", _title(figure.layout.xaxis) or "x", _title(figure.layout.yaxis) or "y", "value"]
    used = [any(row[index] not in (None, "") for row in rows) or index in (2, 3) for index in range(5)]
    return Table(
        columns=[column for column, kept in zip(columns, used, strict=True) if kept],
        rows=[[cell for cell, kept in zip(row, used, strict=True) if kept] for row in rows],
    )


def _title(axis: go.layout.XAxis | go.layout.YAxis) -> str:
    return html.unescape(axis.title.text or "").replace("<br>", " ")


def _value(value: object) -> Cell:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, (int, str)) else None if value is None else str(value)


def _cell(cell: Cell) -> str:
    if isinstance(cell, (str, bool)):
        text = str(cell)
        kind = ' class="long"' if len(text) > LONG else ""
        return f"<td{kind}>{html.escape(text)}</td>"
    return f'<td class="number">{number(cell, 4)}</td>'


def _number_class(cells: Iterable[Cell]) -> str:
    """Headings of numbers stand above them, at the right."""
    return "" if any(isinstance(cell, (str, bool)) for cell in cells) else ' class="number"'


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    return repr(cell)
