"""Avalanche profiles of many durations on one curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from phasescope.figures.theme import INK, TEST, blank, finish, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.shape_collapse import ShapeCollapse


def draw_shape_collapse(result: ShapeCollapse) -> go.Figure:
    """Mean profiles of groups of durations, scaled by T^γ, over the common shape with its band."""
    figure = blank()
    u, band = np.asarray(result.positions), np.asarray(result.shape_band)
    for edge, fill in ((band[:, 1], None), (band[:, 0], "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=u,
                y=edge,
                mode="lines",
                line={"width": 0, "color": TEST},
                fill=fill,
                fillcolor=translucent(TEST, 0.18),
                name="edge of the 95 % band",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=u, y=result.shape, mode="lines", line={"color": INK, "width": 2.5}, name="shape of long avalanches"
        )
    )
    hues = sample_colorscale("Viridis", np.linspace(0.05, 0.85, max(len(result.group_durations), 2)))
    shortest_first = zip(result.group_durations, result.group_profiles, hues, strict=False)
    for duration, profile, hue in shortest_first:
        figure.add_trace(
            go.Scatter(
                x=result.group_positions,
                y=profile,
                mode="lines+markers",
                line={"width": 1, "color": hue},
                marker={"size": 4, "color": hue},
                name=f"T ≈ {number(duration)}",
            )
        )
    figure.update_layout(legend_traceorder="normal")  # a filled band would turn it around
    figure.update_xaxes(title_text="t / T", range=[0, 1])
    figure.update_yaxes(title_text="activity / T<sup>γ</sup>", rangemode="tozero")
    low, high = result.interval
    summary = (
        f"γ {number(result.estimate)} (95 % interval {number(low)} to {number(high)}) from "
        f"{number(result.n)} avalanches of {result.t_min} to {result.t_max} bins; "
        f"one shape for all durations: p = {number(result.p_value)}; skewness {number(result.skewness)}."
    )
    return finish(figure, title="Collapse of avalanche shapes", summary=summary, caveats=result.caveats)
