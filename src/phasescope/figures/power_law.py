"""Power-law fits: the survival function with the law, and the exponent over where the law might begin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.theme import (
    AMBER,
    GREEN,
    MUTED,
    PURPLE,
    SKY,
    STYLES,
    TEST,
    TRAIN,
    blank,
    finish,
    log_axis,
    number,
    translucent,
)

if TYPE_CHECKING:
    from phasescope.measures.exponent_difference import ExponentDifference
    from phasescope.measures.power_law import PowerLaw

_OTHERS = ((GREEN, "dot"), (AMBER, "longdash"), (PURPLE, "dashdot"), (MUTED, "longdashdot"))  # in the order of the laws


def draw_power_law(result: PowerLaw) -> go.Figure:
    """Share of the data at least as large as x, the fitted law, and α with its interval over candidates for x_min."""
    figure = blank(height=560)
    low, high = float(result.values.min()), float(result.values.max())
    shown = result.survival > 0
    figure.add_trace(
        go.Scatter(
            x=result.values[shown],
            y=result.survival[shown],
            mode="markers",
            marker={"color": TRAIN, "size": 5, "opacity": 0.7},
            name="data",
            hovertemplate="%{y:.3~g} of the data are at least %{x:.4~g}<extra></extra>",
        )
    )
    x = np.geomspace(result.x_min, result.x_max or high, 200)
    if result.discrete:
        x = np.unique(np.round(x))
    height = _height(result)
    edges = [height * _survival(result, alpha, x) for alpha in result.interval]
    for edge, fill in ((edges[0], None), (edges[1], "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=x,
                y=_positive(edge),
                mode="lines",
                line={"width": 0, "color": TEST},
                fill=fill,
                fillcolor=translucent(TEST, 0.16),
                name="law at the ends of the interval",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=_positive(height * _survival(result, result.estimate, x)),
            mode="lines",
            line={"width": 2, "color": TEST, "dash": "dash"},
            name=f"power law, α = {number(result.estimate)}",
            hoverinfo="skip",
        )
    )
    _alternatives(figure, result, x, height)
    figure.add_trace(
        go.Scatter(
            x=result.scan_x_min,
            y=result.scan_alpha,
            xaxis="x2",
            yaxis="y2",
            mode="lines",
            line={"width": 1.5, "color": TRAIN},
            customdata=result.scan_distance,
            hovertemplate="x_min %{x:.4~g}: α %{y:.3~f}, distance %{customdata:.3~g}<extra></extra>",
            name="α by x_min",
            showlegend=False,
        )
    )
    _start(figure, result)
    _axes(figure, result, low, high)
    figure.update_layout(showlegend=True)
    finish(figure, title="Power-law fit", summary=_summary(result), caveats=result.caveats)
    figure.update_layout(margin={"t": 100})  # six names take two lines
    return figure


def _alternatives(figure: go.Figure, result: PowerLaw, x: NDArray[np.float64], height: float) -> None:
    """The other laws, each fitted to the same tail; those that are the power law itself have no line of their own."""
    from phasescope.measures.tail_survival import law_survival

    lowest = 0.2 * float(result.survival[result.survival > 0].min())
    for one, (hue, dash) in zip(result.comparisons, _OTHERS, strict=False):
        parameters = {name: value for name, value in (_of(one, "parameters") or {}).items() if value is not None}
        if not parameters or not all(math.isfinite(value) for value in parameters.values()):
            continue
        y = height * law_survival(
            _of(one, "law"), parameters, x, x_min=result.x_min, x_max=result.x_max, discrete=result.discrete
        )
        figure.add_trace(
            go.Scatter(
                x=x,
                y=np.where(y > lowest, y, np.nan),
                mode="lines",
                line={"width": 1.2, "color": hue, "dash": dash},
                name=f"{_words(one)}, R = {number(_of(one, 'log_ratio'))}",
                hovertemplate=f"{_words(one)}: p = {number(_of(one, 'p_value'))}<extra></extra>",
            )
        )


def _of(comparison: Any, name: str) -> Any:
    """A field of a comparison, also where a stored result holds it as a dictionary."""
    return comparison.get(name) if isinstance(comparison, dict) else getattr(comparison, name, None)


def _words(comparison: Any) -> str:
    return str(_of(comparison, "law")).replace("_", " ")


def _start(figure: go.Figure, result: PowerLaw) -> None:
    """x_min and its interval across both panels, the interval of α across the lower one."""
    if result.x_min_interval[0] < result.x_min_interval[1]:
        figure.add_shape(
            type="rect",
            name="x_min interval",
            x0=result.x_min_interval[0],
            x1=result.x_min_interval[1],
            y0=0,
            y1=1,
            yref="paper",
            fillcolor=translucent(SKY, 0.12),
            line_width=0,
            layer="below",
        )
    figure.add_shape(
        type="line",
        name="x_min",
        x0=result.x_min,
        x1=result.x_min,
        y0=0,
        y1=1,
        yref="paper",
        line={"color": MUTED, "width": 1, "dash": "dot"},
    )
    figure.add_shape(
        type="rect",
        name="interval",
        x0=0,
        x1=1,
        xref="paper",
        y0=result.interval[0],
        y1=result.interval[1],
        yref="y2",
        fillcolor=translucent(TEST, 0.16),
        line_width=0,
        layer="below",
    )


def _axes(figure: go.Figure, result: PowerLaw, low: float, high: float) -> None:
    log_axis(figure.layout.xaxis, 0.9 * low, 1.1 * high)
    log_axis(figure.layout.yaxis, 0.5 * float(result.survival[result.survival > 0].min()), 1.5)
    span = [result.estimate, *result.interval]
    margin = max(0.5, 1.5 * (max(span) - min(span)))
    figure.update_layout(
        xaxis={"anchor": "y", "showticklabels": False},
        yaxis={"domain": [0.42, 1], "title": {"text": "share at least x"}},
        yaxis2={"domain": [0, 0.34], "title": {"text": "α"}, "range": [min(span) - margin, max(span) + margin]},
        xaxis2={"anchor": "y2", "matches": "x", "title": {"text": "x; below: candidate x_min (unit of the data)"}},
    )
    upper = figure.layout.xaxis
    figure.layout.xaxis2.update(
        type="log", dtick=upper.dtick, tickformat=upper.tickformat, tickfont=upper.tickfont.to_plotly_json()
    )
    figure.update_layout(xaxis_title_text="")


def _height(result: PowerLaw) -> float:
    """Share of the data from x_min on."""
    return float(result.n_tail / result.n)


def _survival(result: PowerLaw, alpha: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(X ≥ x) under the law."""
    if result.discrete:
        from scipy.special import zeta

        survival = zeta(alpha, x) / zeta(alpha, result.x_min)
        rest = zeta(alpha, result.x_max + 1) / zeta(alpha, result.x_min) if result.x_max else 0.0
    else:
        survival = (x / result.x_min) ** (1 - alpha)
        rest = (result.x_max / result.x_min) ** (1 - alpha) if result.x_max else 0.0
    shown: NDArray[np.float64] = (survival - rest) / (1 - rest)
    return shown


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A logarithmic axis has no place for zero."""
    return np.where(values > 0, values, np.nan)


def _summary(result: PowerLaw) -> str:
    low, high = result.interval
    fit = f"p = {number(result.p_value)}" if result.p_value is not None else "no p"
    sentence = (
        f"Exponent α = {number(result.estimate)} (95 % interval {number(low)} to {number(high)}) from "
        f"x_min = {number(result.x_min)} on, {result.n_tail:,} of {result.n:,} points over {number(result.decades)} "
        f"decades; distance {number(result.ks_distance)}, {fit}. Verdict: {result.verdict}; {result.reason}."
    )
    if len(result.comparisons):  # an empty array where it comes from the store
        ratios = ", ".join(
            f"{_words(one)} {number(_of(one, 'log_ratio'))} (p = {number(_of(one, 'p_value'))})"
            for one in result.comparisons
        )
        sentence += f" Log-likelihood ratios, positive for the power law: {ratios}."
    return sentence


def draw_exponent_difference(result: ExponentDifference) -> go.Figure:
    """Both exponents with their intervals, and their difference in words."""
    figure = blank(height=260)
    for name, alpha, interval, (hue, _) in zip(
        ("first", "second"), result.alphas, result.alpha_intervals, STYLES, strict=False
    ):
        figure.add_trace(
            go.Scatter(
                x=[alpha],
                y=[name],
                mode="markers",
                marker={"color": hue, "size": 10},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [max(interval[1] - alpha, 0.0)],
                    "arrayminus": [max(alpha - interval[0], 0.0)],
                    "color": hue,
                },
                name=f"{name} sample",
                showlegend=False,
                hovertemplate="α %{x:.3~f}<extra>%{fullData.name}</extra>",
            )
        )
    figure.update_xaxes(title_text="exponent α, 95 % interval")
    figure.update_yaxes(type="category", autorange="reversed")
    low, high = result.interval
    summary = (
        f"The exponents differ by {number(result.estimate)} (95 % interval {number(low)} to {number(high)}, "
        f"p = {number(result.p_value)})."
    )
    return finish(figure, title="Two exponents", summary=summary, caveats=result.caveats)
