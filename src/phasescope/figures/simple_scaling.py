"""Moment exponents against their order, and how far they are from a straight line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from phasescope.figures.theme import MUTED, TEST, blank, finish, number

if TYPE_CHECKING:
    from phasescope.measures.simple_scaling import SimpleScaling


def draw_simple_scaling(result: SimpleScaling) -> go.Figure:
    """Deviation of the moment exponents from the chord between the lowest and the highest order."""
    figure = blank()
    figure.add_hline(y=0, line={"color": MUTED, "width": 1})
    figure.add_trace(
        go.Scatter(
            x=result.orders,
            y=result.deviations,
            mode="lines+markers",
            error_y={"type": "data", "array": 1.96 * result.deviation_errors, "color": TEST},
            line={"color": TEST, "width": 2},
            marker={"color": TEST, "size": 8},
            customdata=result.exponents,
            hovertemplate="order %{x}: σ = %{customdata:.4~g}, off the chord by %{y:.3~g}<extra></extra>",
            showlegend=False,
        )
    )
    figure.update_xaxes(title_text="order q of the moment ⟨s^q⟩")
    figure.update_yaxes(title_text="σ(q) minus its chord")
    low, high = result.interval
    summary = (
        f"Curvature of σ(q) {number(result.estimate)} (95 % interval {number(low)} to {number(high)}, "
        f"p = {number(result.p_value)}): {result.verdict}, from systems of {len(result.system_sizes)} sizes. "
        "Bars: 95 % intervals; simple scaling lies on zero."
    )
    return finish(figure, title="Moment exponents, off a straight line", summary=summary, caveats=result.caveats)
