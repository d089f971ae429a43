"""Tail index of eigenvalues by the length of the tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import MUTED, TEST, TRAIN, blank, finish, log_axis, number

if TYPE_CHECKING:
    from phasescope.measures.eigenvalue_tail_index import EigenvalueTailIndex


def draw_eigenvalue_tail_index(result: EigenvalueTailIndex) -> go.Figure:
    """α by the share of the eigenvalues taken as the tail, and with both its intervals where it was asked for."""
    figure = blank()
    shares = np.asarray(result.tail_shares)
    figure.add_trace(
        go.Scatter(
            x=shares,
            y=result.indices,
            mode="lines+markers",
            line={"color": TRAIN, "width": 1.5},
            marker={"size": 5},
            name="α by length of the tail",
            hovertemplate="tail of %{x:.3~g}: α = %{y:.4~g}<extra></extra>",
        )
    )
    for (low, high), hue, width, name, shift in (
        (result.interval, TEST, 3, "95 %, resampled matrices", 1.0),
        (result.independent_interval, MUTED, 1.5, "95 %, were eigenvalues independent", 1.02),
    ):
        figure.add_trace(
            go.Scatter(
                x=[result.tail_share * shift],
                y=[result.estimate],
                mode="markers",
                marker={"color": hue, "size": 9 if width > 2 else 5},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - result.estimate],
                    "arrayminus": [result.estimate - low],
                    "color": hue,
                    "thickness": width,
                },
                name=name,
                hovertemplate="α = %{y:.4~g}<extra>%{fullData.name}</extra>",
            )
        )
    log_axis(figure.layout.xaxis, 0.9 * float(shares.min()), 1.1 * float(shares.max()))
    figure.update_xaxes(title_text="share of the eigenvalues taken as the tail")
    figure.update_yaxes(title_text="tail index α")
    low, high = result.interval
    first, last = result.entry_index_interval
    summary = (
        f"Tail index α = {number(result.estimate)} (95 % interval {number(low)} to {number(high)}) from "
        f"{result.n_tail:,} eigenvalues of {result.n_matrices} {'matrix' if result.n_matrices == 1 else 'matrices'}; "
        f"entries of index μ = {number(result.entry_index)} ({number(first)} to {number(last)})."
    )
    return finish(figure, title="Tail index of the eigenvalues", summary=summary, caveats=result.caveats)
