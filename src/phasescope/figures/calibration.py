"""How well the estimators do on systems whose answer is known: coverage of every interval, share of every decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from phasescope.figures.theme import GREEN, MUTED, TEST, TRAIN, blank, finish, number

if TYPE_CHECKING:
    from phasescope.studies.criticality.calibration import Calibration

NOMINAL = 95.0
_ROW = 22  # CSS pixels of a row


def draw_calibration(result: Calibration) -> go.Figure:
    """Coverage of each 95 % interval, and below it the size or power of each decision, with their own intervals."""
    n_estimates, n_decisions = len(result.estimates), len(result.decisions)
    figure = blank(height=120 + _ROW * max(n_estimates + n_decisions, 4))
    if n_estimates:
        labels = [f"{one.case}, {one.quantity}" for one in result.estimates]
        shares = [(one.coverage, one.coverage_interval) for one in result.estimates]
        _dots(figure, labels, shares, TRAIN, "coverage")
    for is_true, name, hue in ((False, "size: taken though false", TEST), (True, "power: taken where true", GREEN)):
        rows = [one for one in result.decisions if one.is_true == is_true]
        if rows:
            labels = [f"{one.case}: {one.decision}" for one in rows]
            _dots(figure, labels, [(one.share, one.share_interval) for one in rows], hue, name)
    figure.add_vline(x=NOMINAL, line={"color": MUTED, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="share of the data sets (%)", range=[-2, 102])
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont={"size": 11})
    outside = [one for one in result.estimates if not one.coverage_interval[0] <= 0.95 <= one.coverage_interval[1]]
    summary = (
        f"{n_estimates} intervals and {n_decisions} decisions on systems whose answer is known. "
        f"{n_estimates - len(outside)} of the coverages agree with 95 %"
    )
    lowest = min((one.coverage for one in result.estimates), default=None)
    summary += "." if lowest is None else f"; the lowest is {number(100 * lowest)} %."
    return finish(figure, title="Calibration", summary=summary, caveats=result.caveats)


def _dots(figure: go.Figure, labels: Sequence[str], shares: Sequence[tuple[float, Any]], hue: str, name: str) -> None:
    figure.add_trace(
        go.Scatter(
            x=[100 * share for share, _ in shares],
            y=list(labels),
            mode="markers",
            marker={"color": hue, "size": 8},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (interval[1] - share) for share, interval in shares],
                "arrayminus": [100 * (share - interval[0]) for share, interval in shares],
                "color": hue,
                "thickness": 1.5,
            },
            name=name,
        )
    )
