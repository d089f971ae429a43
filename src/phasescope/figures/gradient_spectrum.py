"""Eigenvalues of the covariance of gradients, against gradients that share no direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import GREEN, MIRRORED, TEST, TRAIN, blank, finish, log_axis, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.gradient_spectrum import GradientSpectrum

SMALLEST = 1e-9  # of the largest eigenvalue; what is below is rounding


def draw_gradient_spectrum(result: GradientSpectrum) -> go.Figure:
    """Eigenvalues by rank beside the median of the null, and how far its largest one reaches."""
    figure = blank()
    eigenvalues, null = np.asarray(result.eigenvalues)[::-1], np.asarray(result.null_median)[::-1]
    rank = np.arange(1, eigenvalues.size + 1)
    kept, shown = eigenvalues > SMALLEST * eigenvalues[0], null > SMALLEST * eigenvalues[0]
    kind = "sign-flipped" if result.null == "sign_flip" else "permuted"
    low, high = float(np.min(result.null_largest)), float(np.max(result.null_largest))
    figure.add_shape(
        type="rect",
        name="largest of the null",
        x0=0,
        x1=1,
        xref="paper",
        y0=low,
        y1=high,
        fillcolor=translucent(MIRRORED, 0.25),
        line_width=0,
        layer="below",
    )
    figure.add_trace(
        go.Scatter(
            x=rank[shown],
            y=null[shown],
            mode="lines",
            line={"color": MIRRORED, "width": 2, "dash": "dash"},
            name=f"{kind} gradients, median",
            hoverinfo="skip",
        )
    )
    beyond = rank <= result.n_outliers
    for wanted, hue, symbol, name in (
        (kept & ~beyond, TRAIN, "circle", "eigenvalues"),
        (kept & beyond, TEST, "diamond", "common directions"),
    ):
        if wanted.any():
            figure.add_trace(
                go.Scatter(
                    x=rank[wanted],
                    y=eigenvalues[wanted],
                    mode="markers",
                    marker={"color": hue, "size": 7, "symbol": symbol},
                    name=name,
                    hovertemplate="eigenvalue %{x}: %{y:.4~g}<extra></extra>",
                )
            )
    values = np.concatenate([eigenvalues[kept], null[shown], np.asarray(result.null_largest)])
    if result.marchenko_pastur_edge is not None:
        values = np.append(values, result.marchenko_pastur_edge)
        figure.add_trace(
            go.Scatter(
                x=[rank[0], rank[-1]],
                y=[result.marchenko_pastur_edge] * 2,
                mode="lines",
                line={"color": GREEN, "width": 1.2, "dash": "dot"},
                name="Marchenko–Pastur edge",
                hoverinfo="skip",
            )
        )
    log_axis(figure.layout.xaxis, 0.85, 1.15 * rank[-1])
    log_axis(figure.layout.yaxis, 0.7 * float(values.min()), 1.5 * float(values.max()))
    figure.update_xaxes(title_text="rank")
    figure.update_yaxes(title_text="eigenvalue (squared unit of the gradient)")
    summary = (
        f"{result.n_gradients:,} gradients of {result.n_parameters:,} parameters: {result.verdict} "
        f"(p = {number(result.p_value)}). Band: the largest eigenvalue of {len(result.null_largest)} draws of the "
        f"null. The largest holds {number(100 * result.top_share)} % of the variance; effective rank "
        f"{number(result.effective_rank)}, participation ratio {number(result.participation_ratio)}; the mean gradient "
        f"has {number(100 * result.mean_share)} % of the squared norm."
    )
    return finish(figure, title="Spectrum of gradients", summary=summary, caveats=result.caveats)
