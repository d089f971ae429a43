"""Where a curve changed: the points, the fitted rise, and onset, midpoint and width with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.curves import Band
from phasescope.figures.theme import (
    BAND,
    INK,
    MUTED,
    STYLES,
    SYMBOLS,
    TEST,
    TRAIN,
    blank,
    escape,
    finish,
    log_axis,
    number,
    thin,
    translucent,
)

if TYPE_CHECKING:
    from phasescope.measures.transitions import Transition


def draw_transition(result: Transition) -> go.Figure:
    """The curve, its fit, and the stretch of the change; bars above the plot are 95 % intervals."""
    figure = blank()
    logarithmic = result.width_unit == "decades"
    kept = result.steps > 0 if logarithmic else result.steps >= 0
    x, y = thin(result.steps[kept], result.values[kept], logarithmic=logarithmic)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"size": 5, "color": translucent(TRAIN, 0.55)},
            name=escape(", ".join(result.observables) or "value"),
            hovertemplate="step %{x:,}: %{y:.4~g}<extra></extra>",
        )
    )
    x, y = thin(result.steps[kept], result.fit[kept], logarithmic=logarithmic)
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line={"color": TEST, "width": 2}, name="fit", hoverinfo="skip"))
    marks = (
        ("onset", result.onset, result.onset_interval, 1.06),
        ("midpoint", result.midpoint, result.midpoint_interval, 1.02),
    )
    for name, step, interval, height in marks:
        if interval is not None:
            figure.add_shape(
                type="line",
                x0=interval[0],
                x1=interval[1],
                y0=height,
                y1=height,
                yref="paper",
                line={"color": INK if name == "midpoint" else MUTED, "width": 3},
                name=f"{name} interval",
            )
        figure.add_vline(x=step, line={"color": INK, "width": 1, "dash": "dot" if name == "onset" else "solid"})
    shown = band(result)
    figure.add_vrect(x0=shown.low, x1=shown.high, fillcolor=BAND, opacity=0.5, line_width=0, layer="below")
    figure.update_xaxes(title_text="training step" + (" (logarithmic)" if logarithmic else " (linear)"))
    if logarithmic:
        log_axis(figure.layout.xaxis, float(result.steps[kept][0]), float(result.steps[-1]))
    figure.update_yaxes(title_text=escape(", ".join(result.observables) or "value"))
    low, high = result.midpoint_interval
    summary = (
        f"Onset at step {number(result.onset, 4)}, midpoint at step {number(result.midpoint, 4)} "
        f"(95 % interval {number(low, 4)}–{number(high, 4)}), width {number(result.width)} {result.width_unit}, "
        f"p {p_text(result.p_value)}."
    )
    return finish(figure, title="Transition", summary=summary, caveats=result.caveats)


def draw_order(transitions: Sequence[tuple[str, Transition]], *, title: str) -> go.Figure:
    """Which curves change first: every transition on one time axis, a row per observable.

    Args:
        transitions: Each with the name of its run.
        title: What is shown.

    Returns:
        The figure: thin lines from 10 % to 90 % of a change, thick ones for the 95 % interval of its midpoint.
    """
    by_name: dict[str, list[tuple[str, Transition]]] = {}
    for run, item in transitions:
        by_name.setdefault(", ".join(item.observables), []).append((run, item))
    middles = {name: float(np.median([item.midpoint for _, item in items])) for name, items in by_name.items()}
    names = sorted(by_name, key=lambda name: middles[name])
    figure = blank(height=150 + 58 * max(2, len(names)))
    for row, name in enumerate(names):
        hue, _ = STYLES[row % len(STYLES)]
        items = sorted(by_name[name], key=lambda pair: pair[1].midpoint)
        places = row + np.linspace(-0.3, 0.3, len(items)) if len(items) > 1 else np.array([float(row)])
        for kind, width, ends in (
            ("10–90 % of the change", 1.2, [(band(item).low, band(item).high) for _, item in items]),
            ("95 % interval of the midpoint", 4, [item.midpoint_interval for _, item in items]),
        ):
            figure.add_trace(
                go.Scatter(
                    x=[x for low, high in ends for x in (low, high, None)],
                    y=[y for place in places.tolist() for y in (place, place, None)],
                    mode="lines",
                    line={"color": translucent(hue, 0.45), "width": width},
                    name=escape(f"{name}: {kind}"),
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
        figure.add_trace(
            go.Scatter(
                x=[item.midpoint for _, item in items],
                y=places,
                mode="markers",
                marker={"color": hue, "size": 6, "symbol": SYMBOLS[row % len(SYMBOLS)]},
                text=[escape(run) for run, _ in items],
                name=escape(f"{name}: midpoint"),
                showlegend=False,
                hovertemplate="%{text}: midpoint at step %{x:,.0f}<extra></extra>",
            )
        )
    drawn = [x for trace in figure.data for x in trace.x if x is not None and x > 0]
    log_axis(figure.layout.xaxis, min(drawn) / 1.3, max(drawn) * 1.3)
    figure.update_xaxes(title_text="training step (logarithmic)")
    labels = [escape(name, limit=28) for name in names]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=labels, range=[len(names) - 0.45, -0.55])
    order = ", ".join(f"{name} at step {number(middles[name])}" for name in names)
    summary = f"Median midpoints, in order: {order}. Thick: 95 % interval; thin: 10–90 % of the change."
    return finish(figure, title=title, summary=summary)


def band(result: Transition, *, label: str = "transition") -> Band:
    """The stretch of a transition, from 10 % to 90 % of the change, with its midpoint."""
    end = result.onset * 10**result.width if result.width_unit == "decades" else result.onset + result.width
    return Band(low=result.onset, high=end, center=result.midpoint, label=label)


def p_text(value: float) -> str:
    """A p-value after the letter p: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"
