"""Spectra of all layers of a network against the noise of each, one row per layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from phasescope.figures.theme import GREEN, MIRRORED, TEST, TRAIN, blank, escape, finish, log_axis, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.layer_spectra import LayerSpectra

ROW = 17  # height of a layer, in CSS pixels
MOST_LAYERS = 150  # beyond, the layers least like noise are shown


def draw_layer_spectra(result: LayerSpectra) -> go.Figure:
    """One row per layer: its bulk as a bar that ends at the edge, and what lies beyond in units of that edge."""
    names = [escape(name, limit=40) for name in result.names]
    places = list(range(len(names)))
    if len(places) > MOST_LAYERS:
        likeness = np.asarray(result.adjusted_p_values)
        places = sorted(np.lexsort((-np.asarray(result.n_spikes), likeness))[:MOST_LAYERS].tolist())
    figure = blank(height=170 + ROW * len(places))
    furthest, nearest = 1.2, 0.9
    for hue, symbol, label, wanted in (
        (MIRRORED, "circle-open", "largest, as noise", lambda one: "no tail" in one),
        (TRAIN, "circle", "beyond the edge", lambda one: "no tail" not in one and not one.startswith("heavy")),
        (TEST, "diamond", "beyond the edge, heavy tail", lambda one: one.startswith("heavy")),
    ):
        x: list[float] = []
        y: list[int] = []
        texts: list[str] = []
        for row, place in enumerate(places):
            if not wanted(result.verdicts[place]):
                continue
            beyond, low = _beyond(result, place)
            x += beyond
            y += [row] * len(beyond)
            texts += [_hover(result, place)] * len(beyond)
            nearest = min(nearest, low)
        if x:
            furthest = max(furthest, *x)
            figure.add_trace(
                go.Scatter(
                    x=x,
                    y=y,
                    mode="markers",
                    marker={"color": hue, "symbol": symbol, "size": 7, "line": {"width": 1.5, "color": hue}},
                    text=texts,
                    name=label,
                    hovertemplate="%{x:.3~g} times the edge<br>%{text}<extra></extra>",
                )
            )
    nearest = max(nearest, 0.05)
    for row, place in enumerate(places):
        figure.add_shape(
            type="rect",
            name="bulk",
            x0=max(_beyond(result, place)[1], nearest),
            x1=1,
            y0=row - 0.3,
            y1=row + 0.3,
            fillcolor=translucent(GREEN, 0.22),
            line_width=0,
            layer="below",
        )
    log_axis(figure.layout.xaxis, nearest, 1.2 * furthest)
    figure.update_xaxes(title_text="eigenvalue over the edge of the layer's noise; bars: bulk")
    figure.update_yaxes(
        tickvals=list(range(len(places))),
        ticktext=[names[place] for place in places],
        range=[len(places) - 0.4, -0.6],
        tickfont_size=11,
        showgrid=False,
    )
    figure.update_layout(showlegend=True)
    return finish(
        figure, title="Spectra of all layers", summary=_layers_summary(result, len(places)), caveats=result.caveats
    )


def _beyond(result: LayerSpectra, place: int) -> tuple[list[float], float]:
    """What a row shows: eigenvalues beyond the edge or the largest one, and the lower edge; in units of the edge."""
    one = result.spectra[place]
    edge = one.upper_edge if one.noise_variance > 0 else float(np.max(one.eigenvalues))
    eigenvalues = np.asarray(one.eigenvalues) / edge
    n = int(result.n_spikes[place]) if one.noise_variance > 0 else 0
    return eigenvalues[eigenvalues.size - max(n, 1) :].tolist(), one.lower_edge / edge


def _hover(result: LayerSpectra, place: int) -> str:
    return (
        f"{escape(result.names[place], limit=60)}: {result.verdicts[place]}<br>adjusted "
        f"p = {number(float(result.adjusted_p_values[place]))}, effective rank "
        f"{number(float(result.effective_ranks[place]))} of {len(result.spectra[place].eigenvalues)}"
    )


def _layers_summary(result: LayerSpectra, n_shown: int) -> str:
    n = len(result.names)
    counts = {one: result.verdicts.count(one) for one in dict.fromkeys(result.verdicts)}
    listed = sorted(counts.items(), key=lambda item: -item[1])
    shown = "; ".join(f"{one}: {number}" for one, number in listed[:4]) + ("; …" if len(listed) > 4 else "")
    sentence = (
        f"Of {n} layers {result.n_unlike_noise} have something beyond the edge of noise at the "
        f"level {number(result.level)} for all together, and {result.n_heavy_tailed} a heavy tail. {shown}."
    )
    if n_shown < n:
        sentence += f" The {n_shown} least like noise are drawn."
    return sentence
