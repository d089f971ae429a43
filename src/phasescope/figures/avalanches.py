"""Avalanches: how large and how long they are, their exponents, and the relation between these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.theme import GREEN, MUTED, TEST, TRAIN, blank, finish, log_axis, number, thin

if TYPE_CHECKING:
    from phasescope.measures.avalanche_exponents import AvalancheExponents
    from phasescope.measures.avalanches import Avalanches
    from phasescope.measures.crackling import CracklingRelation

FloatArray = NDArray[np.float64]
_DOMAINS = ([0.0, 0.27], [0.37, 0.63], [0.73, 1.0])


def draw_avalanches(result: Avalanches) -> go.Figure:
    """Share of the avalanches that are at least as large, and at least as long, as x."""
    figure = blank()
    limits: list[tuple[float, float]] = []
    for name, values, hue in (("size", result.sizes, TRAIN), ("duration (bins)", result.durations, TEST)):
        x, share = survival(np.asarray(values, dtype=np.float64)[np.asarray(values) > 0])
        limits.append((float(x[0]), float(x[-1])))
        figure.add_trace(
            go.Scatter(
                x=x,
                y=share,
                mode="lines",
                line={"color": hue, "width": 2, "shape": "vh"},
                name=name,
                hovertemplate=f"%{{y:.3~g}} have a {name} of at least %{{x:.4~g}}<extra></extra>",
            )
        )
    log_axis(figure.layout.xaxis, 0.9 * min(low for low, _ in limits), 1.2 * max(high for _, high in limits))
    log_axis(figure.layout.yaxis, 0.5 / len(result.sizes), 1.5)
    figure.update_xaxes(title_text="size, or duration in bins: x")
    figure.update_yaxes(title_text="share at least x")
    n_cut = int(np.count_nonzero(result.censored))
    cut = f" {number(n_cut)} of them were cut and count with what was seen." if n_cut else ""
    summary = (
        f"{number(len(result.sizes))} avalanches, the largest of size {number(float(np.max(result.sizes)))}, the "
        f"longest of {number(float(np.max(result.durations)))} bins.{cut}"
    )
    return finish(figure, title="Sizes and durations of avalanches", summary=summary, caveats=result.caveats)


def survival(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct values, rising, and the share of values at least as large; thinned to what a screen can show."""
    x, counts = np.unique(values, return_counts=True)
    share = np.cumsum(counts[::-1])[::-1] / values.size
    return thin(x, share, logarithmic=True)


def draw_avalanche_exponents(result: AvalancheExponents) -> go.Figure:
    """Densities of size and duration, and mean size by duration, each with the law fitted to it over its range."""
    figure = blank(height=420)
    panels = (
        ("size S", "density", "τ", result.size_points, result.size_curve, result.size_exponent, TRAIN),
        ("duration T", "density", "α", result.duration_points, result.duration_curve, result.duration_exponent, TEST),
        ("duration T", "mean size", "γ", *_means(result), result.mean_size_exponent, GREEN),
    )
    for i, (x_label, y_label, symbol, points, curve, exponent, hue) in enumerate(panels):
        axis = "" if i == 0 else str(i + 1)
        shared = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
        figure.add_trace(
            go.Scatter(
                x=points[:, 0],
                y=points[:, 1],
                mode="markers",
                marker={"color": hue, "size": 6, "opacity": 0.7},
                name=f"{y_label} of {x_label}",
                showlegend=False,
                hovertemplate=f"{x_label} %{{x:.4~g}}: %{{y:.3~g}}<extra></extra>",
                **shared,
            )
        )
        figure.add_trace(
            go.Scatter(
                x=curve[:, 0],
                y=curve[:, 1],
                mode="lines",
                line={"color": hue, "width": 2.5},
                name=f"{symbol} = {number(exponent)}",
                hoverinfo="skip",
                **shared,
            )
        )
        ends = {"anchor": f"y{axis}", "domain": _DOMAINS[i], "title": {"text": x_label}}
        figure.update_layout({f"xaxis{axis}": ends, f"yaxis{axis}": {"anchor": f"x{axis}", "title": {"text": y_label}}})
        x_axis, y_axis = figure.layout[f"xaxis{axis}"], figure.layout[f"yaxis{axis}"]
        log_axis(x_axis, 0.7 * float(points[:, 0].min()), 1.4 * float(points[:, 0].max()))
        log_axis(y_axis, 0.5 * float(points[:, 1].min()), 2 * float(points[:, 1].max()))
        for one in (x_axis, y_axis):
            one.update(tickformat="", exponentformat="power", tickfont={"size": 10})
    figure.update_layout(showlegend=True)
    parts = (
        ("τ", result.size_exponent, result.size_exponent_interval),
        ("α", result.duration_exponent, result.duration_exponent_interval),
        ("γ", result.mean_size_exponent, result.mean_size_exponent_interval),
    )
    words = ", ".join(f"{name} {number(value)} ({number(low)} to {number(high)})" for name, value, (low, high) in parts)
    summary = (
        f"Exponents with 95 % intervals: {words}. Lines are drawn over the ranges the exponents were read from, "
        "corrections to scaling included; points are logarithmic bins."
    )
    return finish(figure, title="Exponents of avalanches", summary=summary, caveats=result.caveats)


def _means(result: AvalancheExponents) -> tuple[FloatArray, FloatArray]:
    return np.asarray(result.mean_size_points), np.asarray(result.mean_size_curve)


def draw_crackling_relation(result: CracklingRelation) -> go.Figure:
    """Both sides of (α − 1)/(τ − 1) = γ, with their intervals."""
    figure = blank(height=240)
    rows = (
        ("(α − 1)/(τ − 1)", result.predicted, result.predicted_interval, TRAIN),
        ("γ measured", result.measured, result.measured_interval, GREEN),
    )
    for name, value, (low, high), hue in rows:
        figure.add_trace(
            go.Scatter(
                x=[value],
                y=[name],
                mode="markers",
                marker={"color": hue, "size": 11},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - value if np.isfinite(high) else 0.0],
                    "arrayminus": [value - low if np.isfinite(low) else 0.0],
                    "color": hue,
                    "thickness": 2,
                },
                name=name,
                showlegend=False,
            )
        )
    figure.update_xaxes(title_text="exponent of mean size given duration")
    figure.update_yaxes(autorange="reversed")
    figure.add_vline(x=result.measured, line={"color": MUTED, "width": 1, "dash": "dot"})
    low, high = result.interval
    summary = (
        f"The two sides differ by {number(result.estimate)} (95 % interval {number(low)} to {number(high)}, "
        f"p = {number(result.p_value)}): the crackling-noise relation is "
        f"{'rejected' if result.p_value <= 0.05 else 'not rejected'}."
    )
    return finish(figure, title="Crackling-noise relation", summary=summary, caveats=result.caveats)
