"""Is a jump in the model or in the metric? One rise seen by several metrics, and how steep each finds it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.curves import Axes, Band, Curve, draw_curves
from phasescope.figures.theme import INK, MUTED, STYLES, SYMBOLS, blank, escape, finish, log_axis, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.mirage import Mirage
    from phasescope.measures.sharpness import Sharpness

WORDS = {
    "exact_match": "exact match",
    "accuracy": "accuracy",
    "cross_entropy": "cross-entropy",
    "brier": "Brier score",
    "margin": "margin",
    "log_odds": "log-odds",
    "substitutions": "substitutions",
    "levenshtein": "Levenshtein distance",
}


def draw_mirage(result: Mirage, *, band: Band | None = None) -> go.Figure:
    """Every metric's curve from its worst (0) to its best (1) value, named with its verdict."""
    curves = [
        Curve(
            name=f"{WORDS.get(metric.metric, metric.metric)}: {metric.label}",
            steps=metric.steps,
            values=_progress(metric),
            hue=hue,
            dash=dash,
        )
        for metric, (hue, dash) in zip(result.metrics, STYLES * 2, strict=False)
    ]
    return draw_curves(
        curves,
        axes=Axes(value_label="progress, worst 0 to best 1", log_steps=_spans_a_decade(result)),
        title="The same rise on every metric",
        band=band,
        summary=f"Verdict: {result.verdict}; {result.summary}".rstrip(".") + ".",
        caveats=result.caveats,
    )


def draw_steepness(result: Mirage) -> go.Figure:
    """Steepness of every metric with its 95 % interval, against the threshold from which a rise is sharp."""
    figure = blank(height=170 + 34 * len(result.metrics))
    for metric, (hue, _), symbol in zip(result.metrics, STYLES * 2, SYMBOLS * 2, strict=False):
        if metric.estimate is None:
            continue
        low, high = metric.interval or (metric.estimate, metric.estimate)
        high = high if math.isfinite(high) else metric.estimate
        figure.add_trace(
            go.Scatter(
                x=[metric.estimate],
                y=[escape(WORDS.get(metric.metric, metric.metric))],
                mode="markers",
                marker={"color": hue, "symbol": symbol, "size": 11},
                error_x={
                    "type": "data",
                    "array": [max(0.0, high - metric.estimate)],
                    "arrayminus": [max(0.0, metric.estimate - low)],
                    "color": hue,
                    "thickness": 1.6,
                },
                name=escape(metric.label),
                showlegend=False,
                hovertemplate="steepness %{x:.3~g}<extra>%{fullData.name}</extra>",
            )
        )
    reach = [metric.estimate for metric in result.metrics if metric.estimate] + [result.sharp_above]
    log_axis(figure.layout.xaxis, 0.6 * min([1.0, *reach]), 1.8 * max(reach))
    figure.update_xaxes(title_text="steepness (1 = straight line, logarithmic)")
    figure.add_vline(x=result.sharp_above, line={"color": translucent(INK, 0.6), "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=math.log10(result.sharp_above),
        y=1,
        yref="paper",
        yanchor="bottom",
        text="sharp from here",
        font={"size": 11.5, "color": MUTED},
        showarrow=False,
    )
    figure.update_yaxes(type="category", autorange="reversed")
    listed = "; ".join(
        f"{WORDS.get(metric.metric, metric.metric)} {number(metric.estimate)} ({metric.label})"
        for metric in result.metrics
    )
    return finish(
        figure,
        title="How steep each metric finds it",
        summary=f"Steepness against a straight line, 95 % intervals: {listed}.",
    )


def draw_sharpness(result: Sharpness) -> go.Figure:
    """One curve with the stretch in which it makes 10 % to 90 % of its improvement."""
    band = None
    if result.rise is not None:
        band = Band(low=result.rise[0], high=result.rise[1], center=result.steepest_step, label="10–90 % of the rise")
    if result.estimate is None:
        summary = f"{WORDS.get(result.metric, result.metric)}: no improvement to measure."
    else:
        low, high = result.interval or (result.estimate, result.estimate)
        summary = (
            f"{WORDS.get(result.metric, result.metric)} is {result.label}: steepness {number(result.estimate)} "
            f"(95 % interval {number(low)}–{number(high)}), 1 for a straight line."
        )
    figure = draw_curves(
        [Curve(name=result.metric, steps=result.steps, values=result.values)],
        axes=Axes(value_label=WORDS.get(result.metric, result.metric), log_steps=result.axis == "log"),
        title="Sharpness of the rise",
        band=band,
        summary=summary[:1].upper() + summary[1:],
        caveats=result.caveats,
    )
    if result.band is not None and len(result.band):
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([result.steps, result.steps[::-1]]),
                y=np.concatenate([result.band[:, 1], result.band[::-1, 0]]),
                fill="toself",
                fillcolor=translucent(STYLES[0][0], 0.15),
                line={"width": 0},
                name="95 % binomial interval",
                showlegend=False,
                hoverinfo="skip",
            )
        )
    return figure


def _progress(metric: Sharpness) -> NDArray[np.float64]:
    """The values on [0, 1], 1 the best, whichever way the metric counts."""
    values = np.asarray(metric.values, dtype=np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() == finite.max():
        return np.full(values.shape, np.nan)
    falling = metric.metric in ("cross_entropy", "brier", "substitutions", "levenshtein")
    scaled: NDArray[np.float64] = (values - finite.min()) / (finite.max() - finite.min())
    return 1 - scaled if falling else scaled


def _spans_a_decade(result: Mirage) -> bool:
    steps = np.concatenate([np.asarray(metric.steps, dtype=np.float64) for metric in result.metrics])
    steps = steps[steps > 0]
    return bool(steps.size and steps.max() >= 10 * steps.min())
