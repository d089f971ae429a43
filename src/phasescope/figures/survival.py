"""Kaplan–Meier curves: the share of runs that have not got there yet, censored runs marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import STYLES, TEST, TRAIN, blank, escape, finish, log_axis, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.survival import SurvivalCurve

_HUES = {"memorization": (TRAIN, "dash"), "generalization": (TEST, "solid")}


def draw_survival(result: SurvivalCurve) -> go.Figure:
    """The share of runs not yet there, with its band and the median."""
    return draw_survivals({"runs": result}, title="Share of runs not yet there", caveats=result.caveats)


def draw_survivals(curves: Mapping[str, SurvivalCurve], *, title: str, caveats: Sequence[str] = ()) -> go.Figure:
    """Several survival curves on one logarithmic time axis.

    Args:
        curves: By the name of what is waited for; `memorization` and `generalization` have hues of their own.
        title: What is shown.
        caveats: Sentences printed below.

    Returns:
        The figure: stairs with a 95 % band, crosses where runs are censored, the median as a tick at one half.
    """
    figure = blank()
    reached = [float(curve.steps[curve.steps > 0].min(initial=np.inf)) for curve in curves.values()]
    start = max(1.0, 0.5 * min(reached)) if np.isfinite(reached).any() else 1.0
    end = max(float(curve.steps.max()) for curve in curves.values())
    for (name, curve), style in zip(curves.items(), STYLES, strict=False):
        hue, dash = _HUES.get(name, style)
        steps = np.append(np.maximum(curve.steps, start), 1.05 * max(end, start))
        survival, band = np.append(curve.survival, curve.survival[-1]), np.vstack([curve.band, curve.band[-1:]])
        for edge, fill in ((band[:, 1], None), (band[:, 0], "tonexty")):
            figure.add_trace(
                go.Scatter(
                    x=steps,
                    y=edge,
                    mode="lines",
                    line={"shape": "hv", "width": 0, "color": hue},
                    fill=fill,
                    fillcolor=translucent(hue, 0.14),
                    name=escape(f"{name}, edge of the {100 * curve.confidence:g} % band"),
                    legendgroup=name,
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
        figure.add_trace(
            go.Scatter(
                x=steps,
                y=survival,
                mode="lines",
                line={"shape": "hv", "width": 2, "color": hue, "dash": dash},
                name=escape(name),
                legendgroup=name,
                hovertemplate="step %{x:,}: %{y:.3~g} not yet there<extra>%{fullData.name}</extra>",
            )
        )
        left = np.append(curve.at_risk[1:], 0)
        censored = curve.at_risk - curve.events - left
        if (censored > 0).any():
            figure.add_trace(
                go.Scatter(
                    x=np.maximum(curve.steps[censored > 0], start),
                    y=curve.survival[censored > 0],
                    mode="markers",
                    marker={"symbol": "x-thin-open", "size": 10, "color": hue, "line": {"width": 2, "color": hue}},
                    name=escape(f"{name}: censored"),
                    legendgroup=name,
                    hovertemplate="training ended at step %{x:,}<extra>%{fullData.name}</extra>",
                )
            )
        if curve.estimate is not None and curve.estimate > 0:
            figure.add_trace(
                go.Scatter(
                    x=[curve.estimate],
                    y=[0.5],
                    mode="markers",
                    marker={"symbol": "line-ns-open", "size": 14, "color": hue, "line": {"width": 3, "color": hue}},
                    name=escape(f"{name}: median"),
                    legendgroup=name,
                    showlegend=False,
                    hovertemplate="median, step %{x:,}<extra>%{fullData.name}</extra>",
                )
            )
    log_axis(figure.layout.xaxis, start, 1.05 * max(end, start))
    figure.update_xaxes(title_text="training step (logarithmic)")
    figure.update_yaxes(title_text="share not yet there", range=[-0.03, 1.05])
    return finish(figure, title=title, summary=_medians(curves), caveats=caveats)


def _medians(curves: Mapping[str, SurvivalCurve]) -> str:
    parts = []
    for name, curve in curves.items():
        if curve.estimate is None:
            parts.append(f"median {name} step not reached ({curve.n_observed} of {curve.n_runs} runs got there)")
        else:
            parts.append(f"median {name} step {number(curve.estimate)} ({interval_text(curve)})")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "; shaded: pointwise 95 % band."


def interval_text(curve: SurvivalCurve) -> str:
    """The interval of the median in words, for example `95 % interval 470–540`."""
    low, high = curve.interval
    upper = number(high) if high is not None and math.isfinite(high) else "∞"
    return f"{100 * curve.confidence:g} % interval {number(low)}–{upper}"
