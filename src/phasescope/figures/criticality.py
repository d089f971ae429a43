"""The verdict on criticality: the data among their surrogates; and scans over thresholds and bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.avalanches import draw_avalanche_exponents
from phasescope.figures.theme import STYLES, SYMBOLS, TEST, blank, escape, finish, log_axis, number

if TYPE_CHECKING:
    from phasescope.measures.avalanche_scan import AvalancheScan
    from phasescope.measures.criticality import Criticality
    from phasescope.measures.surrogate_comparison import SurrogateComparison

_STATISTICS = (
    "number",
    "geometric mean size",
    "geometric mean duration",
    "spread of log size",
    "variation of silences",
)


def draw_criticality(result: Criticality) -> go.Figure:
    """Where the data lie among their surrogates; without surrogates, the exponents; without these, the reason."""
    title = f"Criticality: {result.verdict}"
    verdict = f"{result.verdict[:1].upper()}{result.verdict[1:]}: {result.reason}."
    if result.surrogates:
        return _among(result.surrogates, title, verdict, result.caveats)
    if result.exponents is not None:
        figure = draw_avalanche_exponents(result.exponents)
        summary = f"{verdict} {figure.layout.meta['summary']}"
        figure.update_layout(title_text=title, meta=dict(figure.layout.meta) | {"title": title, "summary": summary})
        return figure
    figure = blank(height=160)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=escape(verdict, limit=160), x=0.5, y=0.5, xref="paper", yref="paper")
    return finish(figure, title=title, summary=verdict, caveats=result.caveats)


def draw_surrogate_comparison(result: SurrogateComparison) -> go.Figure:
    """Where the data lie among surrogates of one kind."""
    summary = f"Against {result.n_surrogates} {result.kind} surrogates: p = {number(result.p_value)}."
    return _among((result,), "The data among their surrogates", summary, result.caveats)


def _among(comparisons: Sequence[SurrogateComparison], title: str, summary: str, caveats: Sequence[str]) -> go.Figure:
    """Surrogates of each kind in units of the data, which lie at 1."""
    figure = blank()
    reach = [1.0]
    for i, (one, (hue, _), symbol) in enumerate(zip(comparisons, STYLES[2:], SYMBOLS[1:], strict=False)):
        ratios = _relative(one)
        shown = np.isfinite(ratios) & (ratios > 0)
        reach += ratios[shown].tolist()
        names = np.broadcast_to(np.array(_STATISTICS), ratios.shape)
        name = f"{one.kind} (p = {number(one.p_value)})"
        if one.n_without_avalanches:
            name += f"; {one.n_without_avalanches} of {one.n_surrogates} never or always active"
        figure.add_trace(
            go.Box(
                x=names[shown].tolist() or [None],
                y=ratios[shown].tolist() or [None],
                boxpoints="all",
                pointpos=0,
                jitter=0.4,
                fillcolor="rgba(0,0,0,0)",
                line={"color": hue, "width": 1},
                marker={"color": hue, "size": 4, "symbol": symbol},
                name=name,
                offsetgroup=str(i),
            )
        )
    figure.add_trace(
        go.Scatter(
            x=list(_STATISTICS),
            y=[1.0] * len(_STATISTICS),
            mode="lines",
            line={"color": TEST, "width": 2},
            name="data",
            hoverinfo="skip",
        )
    )
    figure.update_layout(boxmode="group", showlegend=True)
    figure.update_xaxes(categoryorder="array", categoryarray=list(_STATISTICS))
    figure.update_yaxes(title_text="times the value of the data")
    log_axis(figure.layout.yaxis, min(reach) / 1.3, max(reach) * 1.3)
    return finish(figure, title=title, summary=summary, caveats=caveats)


def _relative(one: SurrogateComparison) -> NDArray[np.float64]:
    """Statistics of the surrogates over those of the data, shape `(n_surrogates with avalanches, 5)`."""
    statistics = np.asarray(one.statistics, dtype=np.float64)
    silences = np.asarray(one.silence_variations, dtype=np.float64)  # not finite where the avalanches are not in time
    factors = np.exp(statistics[1:, :3] - statistics[0, :3])
    spread, silence = statistics[:, 3:], silences[:, None]
    return np.hstack([factors, spread[1:] / spread[0], silence[1:] / silence[0]])


def draw_avalanche_scan(result: AvalancheScan) -> go.Figure:
    """The size exponent at every threshold and bin size; blank where nothing scales."""
    figure = blank()
    tau = np.asarray(result.exponents)[..., 0]
    texts = [
        [
            f"τ = {value:.2f}" if np.isfinite(value) else ("no avalanches" if n == 0 else "no scaling")
            for value, n in zip(row, counts, strict=True)
        ]
        for row, counts in zip(tau, result.n_avalanches, strict=True)
    ]
    # Hues over at least half a unit of τ, lest noise look like a trend.
    known = tau[np.isfinite(tau)]
    middle, half = (
        (float(known.min() + known.max()) / 2, max(0.25, float(np.ptp(known)) / 2)) if known.size else (1.5, 0.25)
    )
    figure.add_trace(
        go.Heatmap(
            zmin=middle - half,
            zmax=middle + half,
            x=[str(size) for size in result.bin_sizes],
            y=[number(threshold) for threshold in result.thresholds],
            z=[[float(value) if np.isfinite(value) else None for value in row] for row in tau],
            text=texts,
            texttemplate="%{text}",
            customdata=np.asarray(result.n_avalanches, dtype=np.float64),
            hovertemplate="threshold %{y}, bin size %{x}: %{text}, %{customdata} avalanches<extra></extra>",
            colorscale="Viridis",
            colorbar={"title": {"text": "τ"}, "outlinewidth": 0, "thickness": 12},
        )
    )
    figure.update_xaxes(title_text="bin size (bins joined)", type="category", showgrid=False)
    figure.update_yaxes(title_text="threshold", type="category", showgrid=False)
    agreement = "" if result.agreement is None else f" Spread of τ in standard errors: {number(result.agreement)}."
    summary = f"Avalanches scale at {number(100 * result.estimate)} % of the settings.{agreement}"
    return finish(figure, title="Size exponent by threshold and bin size", summary=summary, caveats=result.caveats)
