"""The neural sandpile as it grows: cut-offs of both rules, and what the criteria say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import STYLES, SYMBOLS, blank, finish, log_axis, number

if TYPE_CHECKING:
    from phasescope.studies.criticality.neural_sandpile import NeuralSandpileStudy


def draw_neural_sandpile_study(result: NeuralSandpileStudy) -> go.Figure:
    """Cut-off of every run against system size, one hue per rule, with a line through the geometric means."""
    figure = blank()
    sentences, lowest, highest = [], np.inf, 0.0
    for rule, (hue, dash), symbol in zip(result.rules, STYLES, SYMBOLS, strict=False):
        x, y = np.asarray(rule.system_sizes, dtype=np.float64), np.asarray(rule.cut_offs)
        n_seeds = y.shape[1]
        figure.add_trace(
            go.Scatter(
                x=np.repeat(x, n_seeds),
                y=y.ravel(),
                mode="markers",
                marker={"color": hue, "size": 6, "symbol": symbol, "opacity": 0.5},
                hovertemplate="N = %{x}: ⟨s²⟩/⟨s⟩ = %{y:.4~g}<extra></extra>",
                showlegend=False,
            )
        )
        figure.add_trace(
            go.Scatter(
                x=x,
                y=np.exp(np.log(y).mean(axis=1)),
                mode="lines+markers",
                line={"color": hue, "dash": dash, "width": 2},
                marker={"color": hue, "size": 8, "symbol": symbol},
                name=f"{rule.rule} rule, D = {number(rule.estimate)}",
                hoverinfo="skip",
            )
        )
        lowest, highest = min(lowest, float(y.min())), max(highest, float(y.max()))
        sentences.append(
            f"{rule.rule} rule: the published criterion passes {int(np.sum(np.asarray(rule.passes)[-1]))} of {n_seeds} "
            f"at N = {number(float(x[-1]))}, the cut-off grows in {list(rule.growth).count('grows')}, and "
            f"{int(np.sum(rule.critical))} are critical by scaling, relation and growth"
        )
    log_axis(figure.layout.xaxis, 0.8 * float(x.min()), 1.25 * float(x.max()))
    log_axis(figure.layout.yaxis, 0.5 * lowest, 2 * highest)
    figure.update_xaxes(title_text="parameters N")
    figure.update_yaxes(title_text="cut-off ⟨s²⟩ / ⟨s⟩ (topplings)")
    summary = "; ".join(sentences)
    return finish(
        figure,
        title="Neural sandpile: does the cut-off grow?",
        summary=f"{summary[:1].upper()}{summary[1:]}.",
        caveats=result.caveats,
    )
