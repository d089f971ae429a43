"""How every figure looks: palette, type, axes, and the helpers that keep labels harmless and traces light.

A hue means one thing throughout: blue is training data, vermilion is test data. Every hue comes with a dash or a marker
of its own, so that nothing is told by color alone. The hues are those of Okabe and Ito, darkened where thin lines on
white need it.

`finish` gives a figure its title and, in `layout.meta`, its one-sentence summary and its caveats; a report moves these
into its own text, a notebook shows them in the figure.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

TRAIN, TEST, MIRRORED = "#0b62a4", "#c8501a", "#8a8f98"
GREEN, PURPLE, SKY, AMBER = "#0a7d5a", "#8d4a86", "#3a93c4", "#b57a00"
INK, MUTED, RULE, BAND = "#1c2530", "#5b6673", "#dfe3e8", "#e9dcc0"

#: Hue and dash of the n-th curve where neither training nor test data is meant.
STYLES = (
    (TRAIN, "solid"),
    (TEST, "dash"),
    (GREEN, "dot"),
    (PURPLE, "dashdot"),
    (AMBER, "longdash"),
    (SKY, "longdashdot"),
)
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")

#: Cyclic color scale for residues: its end is its beginning, and its lightness stays in the middle.
CYCLIC = (
    (0.0, "#c93a7c"),
    (0.167, "#e0561f"),
    (0.333, "#c79200"),
    (0.5, "#2a9650"),
    (0.667, "#148fb0"),
    (0.833, "#5a5fd0"),
    (1.0, "#c93a7c"),
)
#: Diverging color scale: sand for less, white for even, blue for more, which is what is looked for.
DIVERGING = (
    (0.0, "#c3ac82"),
    (0.25, "#e6dac2"),
    (0.5, "#fbfaf7"),
    (0.75, "#6fa9c9"),
    (1.0, "#0b3c6f"),
)

FONT = '-apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, "Liberation Sans", sans-serif'
MAX_POINTS = 2000
HEIGHT = 380  # of a figure with its title, in CSS pixels
TITLE, LEGEND, NO_LEGEND = 36, 56, 26  # room above the plot, in CSS pixels

_AXIS = {
    "showline": True,
    "linecolor": "#9aa3ad",
    "linewidth": 1,
    "gridcolor": "#edf0f3",
    "zeroline": False,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": "#9aa3ad",
    "tickfont": {"color": MUTED, "size": 12},
    "title": {"font": {"color": INK, "size": 13}, "standoff": 8},
    "automargin": True,
    "exponentformat": "power",
    "hoverformat": ".4~g",
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "title": {"font": {"size": 16, "color": INK}, "x": 0, "xref": "paper", "xanchor": "left", "y": 0.97},
        "paper_bgcolor": "rgba(255,255,255,0)",
        "plot_bgcolor": "rgba(255,255,255,0)",
        "colorway": [hue for hue, _ in STYLES],
        "margin": {"l": 64, "r": 16, "t": TITLE + LEGEND, "b": 56},
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "white", "bordercolor": RULE, "font": {"family": FONT, "size": 12, "color": INK}},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.07,
            "xanchor": "left",
            "yanchor": "bottom",
            "bgcolor": "rgba(255,255,255,0)",
            "font": {"size": 12, "color": INK},
            "itemsizing": "trace",
            "itemwidth": 36,
            "tracegroupgap": 0,
        },
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "coloraxis": {"colorbar": {"outlinewidth": 0, "thickness": 12}},
        "annotationdefaults": {"font": {"size": 12, "color": MUTED}, "showarrow": False},
    },
)


def blank(**layout: Any) -> go.Figure:
    """An empty figure in the house style; `layout` goes to Plotly's layout."""
    figure = go.Figure()
    figure.update_layout(**({"template": TEMPLATE, "height": HEIGHT} | layout))
    return figure


def log_axis(axis: go.layout.XAxis | go.layout.YAxis, low: float, high: float) -> None:
    """Make an axis logarithmic from `low` to `high`, with ticks few enough to be read and written out in full."""
    span = math.log10(high / low)
    dtick: int | str = max(1, round(span / 6)) if span >= 2 else "D2"
    axis.update(type="log", range=[math.log10(low), math.log10(high)], dtick=dtick, tickformat=",~g")
    if low < 1e-3:  # too many zeros to write out; Plotly sets powers a quarter larger
        axis.update(tickformat="", exponentformat="power", tickfont={"size": 10})


def escape(text: object, *, limit: int = 80) -> str:
    """The text as a Plotly label: shown literally, since Plotly would read `<b>` or `<a href>` as markup.

    Args:
        text: Anything; its `str` is shown.
        limit: Longest text, in characters; the rest becomes an ellipsis.

    Returns:
        One line with `&`, `<` and `>` as entities.
    """
    line = " ".join(str(text).split())
    if len(line) > limit:
        line = line[: limit - 1] + "…"
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def translucent(hue: str, opacity: float) -> str:
    """A `#rrggbb` hue as `rgba(...)`."""
    red, green, blue = (int(hue[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def thin(
    x: ArrayLike, y: ArrayLike, *, logarithmic: bool = False, max_points: int = MAX_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `max_points` points of a curve, keeping the smallest and the largest value of every bin.

    Args:
        x: Ascending positions, shape `(n_points,)`.
        y: Values, shape `(n_points,)`; a bin without a finite value keeps its first point, so a gap stays a gap.
        logarithmic: Whether the bins are equal in log x rather than in number of points.
        max_points: Most points to keep; a curve with fewer comes back unchanged.

    Returns:
        The kept points `(x, y)`, in their order.
    """
    positions, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if positions.size <= max_points:
        return positions, values
    n_bins = max_points // 2
    if logarithmic:
        place = np.log10(np.maximum(positions, 1.0))
        edges = np.linspace(place[0], place[-1], n_bins + 1)[1:-1]
        bins = np.searchsorted(edges, place, side="right")
    else:
        bins = np.arange(positions.size) * n_bins // positions.size
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    keep: list[int] = []
    for start, stop in zip(starts, [*starts[1:], positions.size], strict=True):
        piece = values[start:stop]
        if np.isfinite(piece).any():
            keep += sorted({int(start + np.nanargmin(piece)), int(start + np.nanargmax(piece))})
        else:
            keep.append(int(start))
    return positions[keep], values[keep]


def finish(figure: go.Figure, *, title: str, summary: str, caveats: Sequence[str] = ()) -> go.Figure:
    """Give a figure its title, its one-sentence summary and its caveats, and return it.

    Args:
        figure: The figure, changed in place.
        title: What is shown, plain text.
        summary: One sentence for a reader who does not see the figure, plain text.
        caveats: Sentences printed below the figure, plain text.

    Returns:
        The same figure; `parts` takes it apart again.
    """
    height, bottom = int(figure.layout.height), int(figure.layout.margin.b or TEMPLATE.layout.margin.b)
    meta = {"title": title, "summary": summary, "caveats": list(caveats), "height": height, "bottom": bottom}
    figure.update_layout(title_text=escape(title, limit=120), meta=meta)
    if figure.layout.showlegend is None:
        figure.update_layout(showlegend=sum(trace.showlegend is not False for trace in figure.data) > 1)
    figure.update_layout(margin_t=TITLE + (LEGEND if figure.layout.showlegend else NO_LEGEND))
    lines = [line for caveat in caveats for line in textwrap.wrap(f"caveat: {caveat}", width=100)]
    if lines:
        figure.add_annotation(
            name="caveats",
            text="<br>".join(escape(line, limit=120) for line in lines),
            align="left",
            x=0,
            xref="paper",
            xanchor="left",
            y=0,
            yref="paper",
            yanchor="top",
            yshift=6 - bottom,
            font={"size": 11.5, "color": MUTED},
            showarrow=False,
        )
        room = 17 * len(lines) + 8
        figure.update_layout(margin_b=bottom + room, height=height + room)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A finished figure taken apart: the bare plot, and the texts a page sets in its own type."""

    plot: go.Figure  # no title, no caveats, no size: it fills the place it is given
    title: str
    summary: str
    caveats: tuple[str, ...]
    height: int  # of the plot, in CSS pixels


def parts(figure: go.Figure) -> Parts:
    """Take a figure made by `finish` apart; a figure from elsewhere comes back with what its layout says."""
    meta = figure.layout.meta if isinstance(figure.layout.meta, dict) else {}
    top = LEGEND if figure.layout.showlegend else NO_LEGEND
    plot = go.Figure(figure)
    plot.layout.annotations = [note for note in plot.layout.annotations if note.name != "caveats"]
    height = int(meta.get("height", figure.layout.height or HEIGHT)) - TITLE
    plot.update_layout(title_text="", meta=None, height=None, width=None, autosize=True)
    plot.update_layout(margin={"t": top} | ({"b": meta["bottom"]} if "bottom" in meta else {}))
    return Parts(
        plot=plot,
        title=str(meta.get("title", html.unescape(figure.layout.title.text or ""))),
        summary=str(meta.get("summary", "")),
        caveats=tuple(str(caveat) for caveat in meta.get("caveats", ())),
        height=height,
    )


def number(value: float | None, digits: int = 3) -> str:
    """A number for people: `digits` significant figures, thousands separated, powers of ten where needed."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    if abs(value) < 1e-3 or abs(value) >= 1e7:
        mantissa, exponent = f"{value:.{max(digits - 2, 0)}e}".split("e")
        return f"{mantissa}×10{_superscript(int(exponent))}".replace("-", "−")
    return f"{value:.{digits}g}".replace("-", "−")


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
