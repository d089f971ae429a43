"""The cut-off of avalanche sizes against system size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import MUTED, TRAIN, blank, finish, log_axis, number

if TYPE_CHECKING:
    from phasescope.measures.cut_off_growth import CutOffGrowth


def draw_cut_off_growth(result: CutOffGrowth) -> go.Figure:
    """⟨s²⟩/⟨s⟩ of every system, and a line of the slope between the two largest."""
    figure = blank()
    x, y = np.asarray(result.system_sizes), np.asarray(result.cut_offs)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y[-1] * (x / x[-1]) ** result.estimate,
            mode="lines",
            line={"color": MUTED, "width": 1.5, "dash": "dash"},
            name=f"slope {number(result.estimate)}",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"color": TRAIN, "size": 9},
            error_y={"type": "data", "array": 1.96 * np.asarray(result.cut_off_errors), "color": TRAIN},
            name="cut-off",
            hovertemplate="system %{x}: ⟨s²⟩/⟨s⟩ = %{y:.4~g}<extra></extra>",
        )
    )
    log_axis(figure.layout.xaxis, 0.8 * float(x.min()), 1.25 * float(x.max()))
    log_axis(figure.layout.yaxis, 0.5 * float(y.min()), 2 * float(y.max()))
    figure.update_xaxes(title_text="system size")
    figure.update_yaxes(title_text="⟨s²⟩ / ⟨s⟩ (events)")
    low, high = result.interval
    summary = (
        f"The cut-off {result.verdict} with the system: its exponent between the two largest is "
        f"{number(result.estimate)} (95 % interval {number(low)} to {number(high)}). Bars: 95 % intervals."
    )
    return finish(figure, title="Growth of the largest avalanches", summary=summary, caveats=result.caveats)
