"""Curves over training steps: any number of runs, on logarithmic or linear time, with the band of a transition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.theme import (
    BAND,
    INK,
    MUTED,
    STYLES,
    blank,
    escape,
    finish,
    log_axis,
    number,
    thin,
    translucent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One series of one run. Curves of the same `name` share a legend entry, a hue and a dash."""

    name: str
    steps: NDArray[np.float64]  # (n_points,) training steps, ascending
    values: NDArray[np.float64]  # (n_points,)
    run: str = ""  # whose curve it is, shown when pointed at
    hue: str | None = None
    dash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of training time to shade, with the line inside it."""

    low: float
    high: float
    center: float | None = None
    label: str = "transition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """What the axes of a curve figure say and how they count."""

    value_label: str
    log_steps: bool = True
    log_values: bool = False
    value_range: tuple[float, float] | None = None
    step_label: str = "training step"


def draw_curves(
    curves: Sequence[Curve],
    *,
    axes: Axes,
    title: str,
    band: Band | None = None,
    summary: str = "",
    caveats: Sequence[str] = (),
) -> go.Figure:
    """Draw curves over training steps.

    Args:
        curves: What to draw; more curves of one name are drawn more faintly.
        axes: Labels and scales. On logarithmic axes, points at or below zero are left out, since they have no place.
        title: What is shown.
        band: The transition to shade, if there is one.
        summary: One sentence; made from the first and last values when empty.
        caveats: Sentences printed below.

    Returns:
        The figure.
    """
    figure = blank()
    styles: dict[str, tuple[str, str]] = {}
    for curve in curves:
        hue, dash = STYLES[len(styles) % len(STYLES)]
        styles.setdefault(curve.name, (curve.hue or hue, curve.dash or dash))
    for name, (hue, dash) in styles.items():
        family = [curve for curve in curves if curve.name == name]
        opacity = 1.0 if len(family) == 1 else max(0.25, min(0.75, 2.6 / len(family) ** 0.6))
        for position, curve in enumerate(family):
            steps, values = _placed(curve, axes)
            steps, values = thin(steps, values, logarithmic=axes.log_steps)
            figure.add_trace(
                go.Scatter(
                    x=steps,
                    y=values,
                    name=escape(name),
                    legendgroup=name,
                    showlegend=position == 0 and len(styles) > 1,
                    mode="lines+markers" if steps.size < 3 else "lines",
                    line={"color": hue, "dash": dash, "width": 2 if len(family) == 1 else 1.6},
                    opacity=opacity,
                    meta=escape(curve.run),
                    hovertemplate="step %{x:,}: %{y:.4~g}<extra>%{fullData.name} %{meta}</extra>",
                )
            )
    figure.update_xaxes(title_text=escape(axes.step_label) + (" (logarithmic)" if axes.log_steps else " (linear)"))
    figure.update_yaxes(title_text=escape(axes.value_label))
    if axes.log_values:
        low, high = _extent([_placed(curve, axes)[1] for curve in curves])
        log_axis(figure.layout.yaxis, low / 1.5, high * 1.5)
    elif axes.value_range:
        figure.update_yaxes(range=axes.value_range)
    if axes.log_steps:
        log_axis(figure.layout.xaxis, *_extent([_placed(curve, axes)[0] for curve in curves]))
    if band is not None:
        shade(figure, band)
    return finish(figure, title=title, summary=summary or _first_and_last(curves), caveats=caveats)


def shade(figure: go.Figure, band: Band) -> None:
    """Shade a stretch of training time, and name it, in a figure whose x-axis is the training step."""
    figure.add_vrect(x0=band.low, x1=band.high, fillcolor=BAND, opacity=0.6, line_width=0, layer="below", name="band")
    name_band(figure, band)


def name_band(figure: go.Figure, band: Band) -> None:
    """Mark the center of a stretch of training time and write its name above the plot."""
    if band.center is not None:
        figure.add_vline(
            x=band.center, line={"color": translucent(INK, 0.55), "width": 1, "dash": "dot"}, name="center"
        )
    logarithmic = figure.layout.xaxis.type == "log"
    place = float(np.sqrt(band.low * band.high)) if logarithmic and band.low > 0 else (band.low + band.high) / 2
    if band.center is not None and (not logarithmic or band.center > 0):
        place = band.center
    figure.add_annotation(
        x=np.log10(place) if logarithmic else place,
        y=1,
        yref="paper",
        yanchor="bottom",
        text=escape(band.label),
        font={"size": 11.5, "color": MUTED},
        showarrow=False,
        name="band",
    )


def _placed(curve: Curve, axes: Axes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps, values = np.asarray(curve.steps, dtype=np.float64), np.asarray(curve.values, dtype=np.float64)
    if axes.log_values:
        values = np.where(values > 0, values, np.nan)
    if axes.log_steps:
        steps, values = steps[steps > 0], values[steps > 0]
    return steps, values


def _extent(pieces: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Smallest and largest finite value, apart from each other."""
    values = np.concatenate([*pieces, np.zeros(0)])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 1.0, 10.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low / 2, high * 2)


def _first_and_last(curves: Sequence[Curve]) -> str:
    parts, most = [], 1
    for name in dict.fromkeys(curve.name for curve in curves):
        family = [np.asarray(curve.values, dtype=np.float64) for curve in curves if curve.name == name]
        family = [values[np.isfinite(values)] for values in family if np.isfinite(values).any()]
        if not family:
            continue
        first = float(np.median([values[0] for values in family]))
        last = float(np.median([values[-1] for values in family]))
        parts.append(f"{name} from {number(first)} to {number(last)}")
        most = max(most, len(family))
    if not parts:
        return "There is no finite value to draw."
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"First to last evaluation: {listed}{f' (medians of {most} runs)' if most > 1 else ''}."
