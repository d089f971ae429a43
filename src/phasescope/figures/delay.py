"""When runs memorize and when they generalize: one run's crossing and delay, and the steps of many runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.curves import Axes, Curve, draw_curves
from phasescope.figures.theme import INK, RULE, TEST, TRAIN, blank, escape, finish, log_axis, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.delay import Crossing, Delay


Bracketed = tuple[float | None, tuple[float, float] | None]  # a step and the evaluations around it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSteps:
    """The two steps of one run; `None` where it did not get there by `last_step`."""

    run: str
    memorization: float | None
    generalization: float | None
    last_step: float


def draw_crossing(result: Crossing) -> go.Figure:
    """A curve, the threshold, and the bracket in which it first reached it."""
    curve = Curve(name="value", steps=result.steps, values=result.values, hue=TEST, dash="solid")
    if result.estimate is None:
        summary = f"The curve did not reach {result.threshold:g} by step {number(result.censored_at)} (censored)."
    else:
        low, high = result.interval or (result.estimate, result.estimate)
        summary = f"The curve first reached {result.threshold:g} between steps {number(low)} and {number(high)}."
    figure = draw_curves(
        [curve],
        axes=Axes(value_label="value"),
        title="First crossing of the threshold",
        summary=summary,
        caveats=result.caveats,
    )
    figure.add_hline(y=result.threshold, line={"color": translucent(INK, 0.5), "width": 1, "dash": "dot"})
    if result.estimate is not None and result.interval is not None:
        figure.add_vrect(
            x0=max(result.interval[0], 1),
            x1=result.interval[1],
            fillcolor=translucent(TEST, 0.25),
            line={"color": TEST, "width": 1},
            layer="below",
        )
    return figure


def draw_delay(result: Delay) -> go.Figure:
    """The brackets of memorization and generalization on one time axis; their ratio is the delay."""
    figure = step_brackets(
        (result.memorization_step, result.memorization_step_interval),
        (result.generalization_step, result.generalization_step_interval),
    )
    if result.estimate is not None:
        low, high = result.interval or (result.estimate, result.estimate)
        upper = number(high) if math.isfinite(high) else "∞"
        summary = (
            f"Generalization came at {number(result.estimate)} times the step of memorization "
            f"(bracket of the evaluations {number(low)} to {upper})."
        )
    elif result.lower_bound is not None:
        summary = f"Generalization did not come; the delay is more than {number(result.lower_bound)}."
    else:
        summary = "There is no delay to report."
    return finish(figure, title="Delay of generalization", summary=summary, caveats=result.caveats)


def step_brackets(memorization: Bracketed, generalization: Bracketed) -> go.Figure:
    """The two steps of one run with the brackets of their evaluations; a step that is `None` is left out."""
    figure = blank(height=250)
    marks = (("memorization", memorization, TRAIN, "circle"), ("generalization", generalization, TEST, "diamond"))
    for name, (step, bracket), hue, symbol in marks:
        if step is None:
            continue
        low, high = bracket or (step, step)
        figure.add_trace(
            go.Scatter(
                x=[step],
                y=[name],
                name=name,
                mode="markers",
                marker={"color": hue, "symbol": symbol, "size": 11},
                error_x={"type": "data", "array": [high - step], "arrayminus": [step - low], "color": hue},
                showlegend=False,
                hovertemplate="step %{x:,}<extra></extra>",
            )
        )
    _time_axis(figure)
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def draw_run_steps(runs: Sequence[RunSteps], *, title: str, caveats: Sequence[str] = ()) -> go.Figure:
    """One line per run from its memorization to its generalization; an open arrow marks a censored run.

    Args:
        runs: In any order; drawn by generalization step, the earliest on top.
        title: What is shown.
        caveats: Sentences printed below.

    Returns:
        The figure; its height grows with the number of runs.
    """
    ordered = sorted(runs, key=lambda run: (run.generalization is None, run.generalization or run.last_step, run.run))
    figure = blank(height=int(np.clip(200 + 22 * len(ordered), 310, 900)))
    places = [escape(run.run, limit=24) for run in ordered]
    line_x: list[float | None] = []
    line_y: list[str | None] = []
    for place, run in zip(places, ordered, strict=True):
        if run.memorization is not None:
            line_x += [run.memorization, run.generalization or run.last_step, None]
            line_y += [place, place, None]
    figure.add_trace(
        go.Scatter(
            x=line_x, y=line_y, mode="lines", line={"color": RULE, "width": 5}, showlegend=False, hoverinfo="skip"
        )
    )
    arrived = (
        ("memorization", [run.memorization for run in ordered], TRAIN, "circle"),
        ("generalization", [run.generalization for run in ordered], TEST, "diamond"),
        (
            "not generalized (censored)",
            [run.last_step if run.generalization is None else None for run in ordered],
            TEST,
            "triangle-right-open",
        ),
    )
    for name, steps, hue, symbol in arrived:
        kept = [(step, place) for step, place in zip(steps, places, strict=True) if step is not None]
        if kept:
            figure.add_trace(
                go.Scatter(
                    x=[step for step, _ in kept],
                    y=[place for _, place in kept],
                    name=name,
                    mode="markers",
                    marker={"color": hue, "symbol": symbol, "size": 11, "line": {"width": 1.5, "color": hue}},
                    hovertemplate="%{y}, step %{x:,}<extra>%{fullData.name}</extra>",
                )
            )
    _time_axis(figure)
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=places[::-1], title_text="run")
    if len(ordered) > 40:
        figure.update_yaxes(showticklabels=False, ticks="")
    return finish(figure, title=title, summary=_spread(runs), caveats=caveats)


def _time_axis(figure: go.Figure) -> None:
    """Logarithmic time with room on both sides of what is drawn."""
    steps = [float(step) for trace in figure.data for step in trace.x if step is not None and step > 0] or [1.0]
    log_axis(figure.layout.xaxis, min(steps) / 1.5, max(steps) * 1.5)
    figure.update_xaxes(title_text="training step (logarithmic)")


def _spread(runs: Sequence[RunSteps]) -> str:
    sentences = []
    for word, steps in (
        ("memorized", [run.memorization for run in runs]),
        ("generalized", [run.generalization for run in runs]),
    ):
        there = [step for step in steps if step is not None]
        if not there:
            sentences.append(f"none of {len(runs)} {word}")
        else:
            low, high = number(min(there)), number(max(there))
            when = f"at step {low}" if low == high else f"between steps {low} and {high}"
            sentences.append(f"{len(there)} of {len(runs)} {word}, {when}")
    return f"Of the networks, {sentences[0]}; {sentences[1]}."
