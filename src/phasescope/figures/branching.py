"""The decay of regression slopes with the lag, and the branching ratio read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import MUTED, TEST, TRAIN, blank, finish, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.branching import BranchingRatio


def draw_branching_ratio(result: BranchingRatio) -> go.Figure:
    """Slopes r_k by lag, the fitted b·m^k with m at both ends of its interval, and what the first lag alone says."""
    figure = blank()
    lags = np.asarray(result.lags)
    low, high = result.interval
    for m, fill in ((high, None), (low, "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=lags,
                y=result.amplitude * m**lags,
                mode="lines",
                line={"width": 0, "color": TEST},
                fill=fill,
                fillcolor=translucent(TEST, 0.18),
                name="fit at an end of the interval",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=lags,
            y=result.slopes,
            mode="markers",
            marker={"color": TRAIN, "size": 5},
            name="regression slopes r_k",
            hovertemplate="lag %{x}: %{y:.4~g}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=lags,
            y=result.amplitude * result.estimate**lags,
            mode="lines",
            line={"color": TEST, "width": 2},
            name=f"b·m^k, m = {number(result.estimate, 5)}",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=lags,
            y=result.naive**lags,
            mode="lines",
            line={"color": MUTED, "width": 1.5, "dash": "dot"},
            name=f"r_1^k, the naive m = {number(result.naive)}",
        )
    )
    figure.update_xaxes(title_text="lag k (bins)")
    figure.update_yaxes(title_text="slope of activity[t + k] on activity[t]")
    summary = (
        f"Branching ratio m = {number(result.estimate, 5)} (95 % interval {number(low, 5)} to {number(high, 5)}), "
        f"correlation time {number(result.correlation_time)} bins, amplitude b = {number(result.amplitude)}; the first "
        f"lag alone says {number(result.naive)}."
    )
    return finish(figure, title="Branching ratio by multistep regression", summary=summary, caveats=result.caveats)
