"""The verdict on criticality: the data among their surrogates; and scans over thresholds and bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.avalanches import draw_avalanche_exponents
from phasescope.figures.theme import STYLES, SYMBOLS, TEST, blank, finish, number

if TYPE_CHECKING:
    from phasescope.measures.avalanche_scan import AvalancheScan
    from phasescope.measures.criticality import Criticality, SurrogateComparison

_STATISTICS = ("number of avalanches", "mean log size", "mean log duration", "spread of log size")


def draw_criticality(result: Criticality) -> go.Figure:
    """Where the data lie among their surrogates; without surrogates, the exponents; without these, the reason."""
    verdict = f"{result.verdict[:1].upper()}{result.verdict[1:]}: {result.reason}."
    if result.surrogates:
        return _among(result.surrogates, verdict, result.caveats)
    if result.exponents is not None:
        figure = draw_avalanche_exponents(result.exponents)
        meta = dict(figure.layout.meta) | {"summary": f"{verdict} {figure.layout.meta['summary']}"}
        figure.update_layout(meta=meta)
        return figure
    figure = blank(height=160)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=verdict, x=0.5, y=0.5, xref="paper", yref="paper")
    return finish(figure, title="Criticality", summary=verdict, caveats=result.caveats)


def draw_surrogate_comparison(result: SurrogateComparison) -> go.Figure:
    """Where the data lie among surrogates of one kind."""
    summary = f"Against {result.n_surrogates} {result.kind} surrogates: p = {number(result.p_value)}."
    return _among((result,), summary, result.caveats)


def _among(comparisons: Sequence[SurrogateComparison], summary: str, caveats: Sequence[str]) -> go.Figure:
    figure = blank()
    for i, (one, (hue, _), symbol) in enumerate(zip(comparisons, STYLES[2:], SYMBOLS[1:], strict=False)):
        statistics = np.asarray(one.statistics)
        names = [name for name in _STATISTICS for _ in range(len(statistics) - 1)]
        if len(statistics) > 1:
            figure.add_trace(
                go.Box(
                    x=names,
                    y=statistics[1:].T.ravel(),
                    boxpoints="all",
                    pointpos=0,
                    jitter=0.4,
                    fillcolor="rgba(0,0,0,0)",
                    line={"color": hue, "width": 1},
                    marker={"color": hue, "size": 4, "symbol": symbol},
                    name=f"{one.kind} (p = {number(one.p_value)})",
                    offsetgroup=str(i),
                )
            )
    data = np.asarray(comparisons[0].statistics)[0]
    figure.add_trace(
        go.Scatter(
            x=list(_STATISTICS),
            y=data,
            mode="markers",
            marker={"color": TEST, "size": 12, "symbol": "line-ew-open", "line": {"width": 3}},
            name="data",
        )
    )
    figure.update_layout(boxmode="group", showlegend=True)
    figure.update_yaxes(title_text="natural logarithm")
    return finish(figure, title="The data among their surrogates", summary=summary, caveats=caveats)


def draw_avalanche_scan(result: AvalancheScan) -> go.Figure:
    """The size exponent at every threshold and bin size; blank where nothing scales."""
    figure = blank()
    tau = np.asarray(result.exponents)[..., 0]
    texts = [
        [
            f"τ = {number(value)}" if np.isfinite(value) else ("no avalanches" if n == 0 else "no scaling")
            for value, n in zip(row, counts, strict=True)
        ]
        for row, counts in zip(tau, result.n_avalanches, strict=True)
    ]
    figure.add_trace(
        go.Heatmap(
            x=[str(size) for size in result.bin_sizes],
            y=[number(threshold) for threshold in result.thresholds],
            z=[[float(value) if np.isfinite(value) else None for value in row] for row in tau],
            text=texts,
            texttemplate="%{text}",
            customdata=result.n_avalanches,
            hovertemplate="threshold %{y}, bin size %{x}: %{text}, %{customdata} avalanches<extra></extra>",
            colorscale="Viridis",
            colorbar={"title": {"text": "τ"}, "outlinewidth": 0, "thickness": 12},
        )
    )
    figure.update_xaxes(title_text="bin size (bins joined)", type="category")
    figure.update_yaxes(title_text="threshold", type="category")
    agreement = "" if result.agreement is None else f" Spread of τ in standard errors: {number(result.agreement)}."
    summary = f"Avalanches scale at {number(100 * result.estimate)} % of the settings.{agreement}"
    return finish(figure, title="Size exponent by threshold and bin size", summary=summary, caveats=result.caveats)
