"""Spectra over ℤ_p, their change over training, and the losses of a network with and without its key frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from phasescope.figures.curves import Band, name_band
from phasescope.figures.theme import DIVERGING, MUTED, TEST, TRAIN, blank, finish, log_axis, number

if TYPE_CHECKING:
    from phasescope.measures.fourier import EmbeddingSpectrum, KeyFrequencies, TableSpectrum
    from phasescope.measures.fourier_losses import ExcludedLoss, RestrictedLoss

DEEPEST = 10.0  # times more or less than an even spread; beyond it the heat map has no further hue


def draw_embedding_spectrum(result: EmbeddingSpectrum) -> go.Figure:
    """Share of the embedding's power at each frequency."""
    null = f", against {number(result.null)} for a Gaussian embedding" if result.null is not None else ""
    return _spectrum(
        result.frequencies,
        result.share,
        keys=(),
        title="Spectrum of the embedding",
        label="share of power",
        summary=f"Gini coefficient {number(result.estimate)} (0 even, 1 one component){null}.",
        caveats=result.caveats,
    )


def draw_table_spectrum(result: TableSpectrum) -> go.Figure:
    """Share of a table's variance at each frequency of a + b or a − b."""
    sign = "+" if result.direction == "sum" else "−"
    low, high = result.null_interval
    return _spectrum(
        result.frequencies,
        result.share,
        keys=(),
        title=f"Spectrum along a {sign} b",
        label="share of variance",
        summary=(
            f"{number(100 * result.estimate)} % of the variance depends on a {sign} b alone; "
            f"for white noise {number(100 * low)} to {number(100 * high)} %."
        ),
        caveats=result.caveats,
    )


def draw_key_frequencies(result: KeyFrequencies) -> go.Figure:
    """Share of the variance at each frequency, with the key frequencies marked."""
    keys = ", ".join(str(key) for key in result.keys.tolist()) or "none"
    return _spectrum(
        result.frequencies,
        result.share,
        keys=result.keys.tolist(),
        title="Key frequencies",
        label="share of variance",
        summary=f"Key frequencies {keys} ({result.method}), with {number(100 * result.estimate)} % of the variance.",
        caveats=result.caveats,
    )


def draw_restricted_loss(result: RestrictedLoss) -> go.Figure:
    """Loss with only the key frequencies kept, beside the loss of the whole network."""
    return _losses(
        ("whole network", result.full_loss, "restricted to the key frequencies", result.estimate),
        result.null_interval,
        title="Restricted loss, all rows",
        caveats=result.caveats,
    )


def draw_excluded_loss(result: ExcludedLoss) -> go.Figure:
    """Loss with the key frequencies removed, beside the training loss of the whole network."""
    return _losses(
        ("whole network", result.train_loss, "without the key frequencies", result.estimate),
        result.null_interval,
        title="Excluded loss, training rows",
        caveats=result.caveats,
    )


def draw_power_over_time(
    steps: ArrayLike,
    power: ArrayLike,
    *,
    title: str,
    keys: Sequence[int] = (),
    band: Band | None = None,
    caveats: Sequence[str] = (),
) -> go.Figure:
    """Heat map of the share of power per frequency over training.

    Args:
        steps: Training steps, ascending, shape `(n_steps,)`; step 0 is left out, since the axis is logarithmic.
        power: Power at the frequencies 0 … ⌊p/2⌋, shape `(n_steps, n_frequencies)`, in any unit.
        title: What is shown.
        keys: Key frequencies of the final network, ticked at the right edge.
        band: The transition to mark.
        caveats: Sentences printed below.

    Returns:
        The figure; color is the power as a multiple of an even spread over the frequencies 1 … ⌊p/2⌋, logarithmic.
    """
    step_array, power_array = np.asarray(steps, dtype=np.float64), np.asarray(power, dtype=np.float64)
    kept = step_array > 0
    step_array, power_array = step_array[kept], power_array[kept, 1:]
    n_frequencies = power_array.shape[1]
    frequencies = np.arange(1, n_frequencies + 1)
    total = power_array.sum(axis=1, keepdims=True)
    share = np.divide(power_array, total, out=np.zeros_like(power_array), where=total > 0)
    figure = blank(height=440)
    figure.add_trace(
        go.Heatmap(
            x=step_array,
            y=frequencies,
            z=np.log10(np.maximum(share * n_frequencies, 1e-6)).T,
            zmin=-np.log10(DEEPEST),
            zmax=np.log10(DEEPEST),
            colorscale=DIVERGING,
            name="log10 of power over an even spread",
            customdata=share.T,
            hovertemplate="step %{x:,}, frequency %{y}: %{customdata:.3~g} of the power<extra></extra>",
            colorbar={
                "title": {"text": "power / even spread", "side": "right", "font": {"size": 12}},
                "tickvals": np.log10([0.1, 0.2, 0.5, 1, 2, 5, 10]).tolist(),
                "ticktext": ["≤ 0.1", "0.2", "0.5", "1", "2", "5", "≥ 10"],
                "thickness": 12,
                "outlinewidth": 0,
                "tickfont": {"size": 11},
            },
        )
    )
    log_axis(figure.layout.xaxis, step_array[0], step_array[-1])
    figure.update_xaxes(title_text="training step (logarithmic)", showgrid=False)
    figure.update_yaxes(title_text="frequency k", showgrid=False, range=[0.5, n_frequencies + 0.5])
    if keys:
        figure.add_trace(
            go.Scatter(
                x=[step_array[-1]] * len(keys),
                y=list(keys),
                mode="markers",
                marker={"symbol": "triangle-left", "size": 9, "color": TEST, "line": {"width": 1, "color": "white"}},
                cliponaxis=False,
                name="key frequency of the final network",
                showlegend=True,
                hovertemplate="key frequency %{y}<extra></extra>",
            )
        )
        figure.update_layout(showlegend=True)
    if band is not None:
        for edge in (band.low, band.high):
            figure.add_vline(x=edge, line={"color": MUTED, "width": 1, "dash": "dot"})
        name_band(figure, Band(low=band.low, high=band.high, label=band.label))
    first, last = share[0].max(initial=0.0), share[-1].max(initial=0.0)
    half = int((np.cumsum(np.sort(share[-1])[::-1]) < 0.5).sum()) + 1
    summary = (
        f"The strongest frequency holds {number(100 * first, 2)} % of the embedding's power at step "
        f"{number(step_array[0])} and {number(100 * last, 2)} % at step {number(step_array[-1], 5)}; "
        f"at the end half of the power lies in {half} of {n_frequencies} frequencies."
    )
    return finish(figure, title=title, summary=summary, caveats=caveats)


def _spectrum(
    frequencies: ArrayLike,
    share: ArrayLike,
    *,
    keys: Sequence[int],
    title: str,
    label: str,
    summary: str,
    caveats: Sequence[str],
) -> go.Figure:
    numbers, shares = np.asarray(frequencies)[1:], np.asarray(share)[1:]
    figure = blank(height=320)
    for name, kept, hue, pattern in (
        ("key frequency", np.isin(numbers, keys), TEST, "/"),
        ("other frequency", ~np.isin(numbers, keys), TRAIN, ""),
    ):
        if kept.any():
            figure.add_trace(
                go.Bar(
                    x=numbers[kept],
                    y=shares[kept],
                    width=0.75,
                    marker={"color": hue, "pattern": {"shape": pattern}},
                    name=name,
                    showlegend=bool(keys),
                    hovertemplate="frequency %{x}: %{y:.3~g}<extra></extra>",
                )
            )
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text="frequency k")
    figure.update_yaxes(title_text=label, rangemode="tozero")
    return finish(figure, title=title, summary=summary, caveats=caveats)


def _losses(
    pair: tuple[str, float, str, float],
    null_interval: tuple[float, float] | None,
    *,
    title: str,
    caveats: Sequence[str],
) -> go.Figure:
    whole_name, whole, changed_name, changed = pair
    figure = blank(height=260)
    figure.add_trace(
        go.Scatter(
            x=[whole, changed],
            y=[whole_name, changed_name],
            mode="markers",
            marker={"color": [TRAIN, TEST], "symbol": ["circle", "diamond"], "size": 12},
            name="loss",
            showlegend=False,
        )
    )
    summary = f"Cross-entropy {number(changed)} nats {changed_name}, {number(whole)} nats for the {whole_name}."
    if null_interval is not None:
        low, high = null_interval
        figure.add_trace(
            go.Scatter(
                x=[low, high],
                y=[changed_name] * 2,
                mode="lines",
                line={"color": "#c9ced5", "width": 9},
                name="as many frequencies at random, 95 %",
            )
        )
        summary = f"{summary} With as many random frequencies: {number(low)} to {number(high)} nats (95 %)."
    figure.update_xaxes(type="log", title_text="cross-entropy (nats per row, logarithmic)")
    figure.update_yaxes(type="category", autorange="reversed")
    return finish(figure, title=title, summary=summary, caveats=caveats)
