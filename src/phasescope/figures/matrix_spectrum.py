"""Spectrum of a matrix against noise: the bulk with its law, what lies beyond the edge, and the tail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.theme import (
    GREEN,
    HEIGHT,
    MUTED,
    TEST,
    TRAIN,
    blank,
    finish,
    log_axis,
    number,
    translucent,
)

if TYPE_CHECKING:
    from phasescope.measures.matrix_spectrum import MatrixSpectrum

N_BINS = 40  # across the bulk


def draw_matrix_spectrum(result: MatrixSpectrum) -> go.Figure:
    """Histogram of the bulk over Marchenko–Pastur's density; below, the share at least λ with spikes and tail."""
    figure = blank(height=600)
    eigenvalues = np.asarray(result.eigenvalues)
    spikes = eigenvalues[eigenvalues.size - result.n_spikes :]
    if result.noise_variance > 0:
        _bulk(figure, result, eigenvalues)
    share = np.arange(eigenvalues.size, 0, -1) / eigenvalues.size
    shown = eigenvalues > 0
    figure.add_trace(
        go.Scatter(
            x=eigenvalues[shown],
            y=share[shown],
            xaxis="x2",
            yaxis="y2",
            mode="markers",
            marker={"color": TRAIN, "size": 5, "opacity": 0.7},
            name="eigenvalues",
            hovertemplate="%{y:.3~g} of the eigenvalues are at least %{x:.4~g}<extra></extra>",
        )
    )
    if result.n_spikes and result.noise_variance > 0:
        figure.add_trace(
            go.Scatter(
                x=spikes,
                y=share[share.size - result.n_spikes :],
                xaxis="x2",
                yaxis="y2",
                mode="markers",
                marker={"color": TEST, "size": 7, "symbol": "diamond"},
                customdata=np.stack([result.spike_strengths[::-1], result.spike_errors[::-1]], axis=1),
                name="beyond the edge",
                hovertemplate="%{x:.4~g}: strength θ = %{customdata[0]:.3~g} ± %{customdata[1]:.2~g}<extra></extra>",
            )
        )
    if result.tail is not None:
        _tail(figure, result, eigenvalues.size)
    _matrix_axes(figure, result, eigenvalues)
    return finish(figure, title="Spectrum of a matrix", summary=_matrix_summary(result), caveats=result.caveats)


def _bulk(figure: go.Figure, result: MatrixSpectrum, eigenvalues: NDArray[np.float64]) -> None:
    """Histogram up to a little beyond the edge, the density of noise, its edge, and its share at least λ."""
    end = _shown_end(result, eigenvalues)
    counts, edges = np.histogram(eigenvalues, bins=N_BINS, range=(0.9 * result.lower_edge, end))
    width = edges[1] - edges[0]
    figure.add_trace(
        go.Bar(
            x=0.5 * (edges[1:] + edges[:-1]),
            y=counts / eigenvalues.size / width,
            width=width,
            marker={"color": translucent(TRAIN, 0.35), "line": {"color": "white", "width": 0.5}},
            name="histogram",
            showlegend=False,
            hovertemplate="around %{x:.3~g}: density %{y:.3~g}<extra></extra>",
        )
    )
    variance, aspect, share = _noise(result)
    x = result.lower_edge + (result.upper_edge - result.lower_edge) * np.sin(np.linspace(0, np.pi / 2, 300)) ** 2
    from phasescope.measures import marchenko_pastur

    density = share * marchenko_pastur.density(x, aspect, variance=variance)
    figure.add_trace(
        go.Scatter(
            x=x[1:],
            y=density[1:],
            mode="lines",
            line={"color": GREEN, "width": 2},
            name="Marchenko–Pastur",
            hoverinfo="skip",
        )
    )
    above = share * (1 - marchenko_pastur.cumulative(x, aspect, variance=variance)) + (1 - share)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=above,
            xaxis="x2",
            yaxis="y2",
            mode="lines",
            line={"color": GREEN, "width": 2},
            name="Marchenko–Pastur, share at least λ",
            showlegend=False,
            hoverinfo="skip",
        )
    )
    for axis, span in (("", [0.0, 1e3 * float(density[1:].max())]), ("2", [0.1 / eigenvalues.size, 10.0])):
        figure.add_trace(
            go.Scatter(
                x=[result.threshold] * 2,
                y=span,
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                mode="lines",
                line={"color": MUTED, "width": 1.2, "dash": "dot"},
                name=f"exceeded by {number(100 * result.level)} % of noise",
                showlegend=axis == "2",
                hoverinfo="skip",
            )
        )
    low, high = (float(np.quantile(density, level)) for level in (0.5, 1.0))
    # At c = 1 the density has a pole at 0, which would leave no room for the rest.
    figure.update_yaxes(range=[0, 1.15 * max(min(high, 4 * low), float((counts / eigenvalues.size / width).max()))])


def _tail(figure: go.Figure, result: MatrixSpectrum, size: int) -> None:
    law: Any = result.tail
    alpha, start, n_tail = law.estimate, law.law.x_min, law.law.n_tail
    x = np.geomspace(start, float(np.max(result.eigenvalues)), 60)
    edges = [n_tail / size * (x / start) ** (1 - one) for one in law.interval]
    for edge, fill in ((edges[0], None), (edges[1], "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=x,
                y=edge,
                xaxis="x2",
                yaxis="y2",
                mode="lines",
                line={"width": 0, "color": TEST},
                fill=fill,
                fillcolor=translucent(TEST, 0.16),
                name="law at the ends of the interval",
                showlegend=False,
                hoverinfo="skip",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=n_tail / size * (x / start) ** (1 - alpha),
            xaxis="x2",
            yaxis="y2",
            mode="lines",
            line={"color": TEST, "width": 2, "dash": "dash"},
            name=f"power law, α = {number(alpha)}: {law.verdict}",
            hoverinfo="skip",
        )
    )


def _matrix_axes(figure: go.Figure, result: MatrixSpectrum, eigenvalues: NDArray[np.float64]) -> None:
    figure.update_layout(
        yaxis2={"domain": [0, 0.42], "title": {"text": "share at least λ"}, "anchor": "x2"},
        xaxis2={"anchor": "y2", "title": {"text": "eigenvalue λ (squared unit of the matrix)"}},
        bargap=0,
    )
    if result.noise_variance > 0:
        figure.update_layout(
            xaxis={
                "anchor": "y",
                "title": {"text": "eigenvalue λ of W Wᵀ / n, around the bulk"},
                "range": [0.9 * result.lower_edge, _shown_end(result, eigenvalues)],
            },
            yaxis={"domain": [0.6, 1], "title": {"text": "density"}},
        )
    else:  # nothing to compare with: the lower panel has the place for itself
        figure.update_layout(height=HEIGHT, yaxis2_domain=[0, 1])
    positive = eigenvalues[eigenvalues > 0]
    lowest = float(np.quantile(positive, 0.25 if result.noise_variance > 0 else 0))
    log_axis(figure.layout.xaxis2, 0.9 * lowest, 1.2 * max(float(positive[-1]), result.threshold))
    log_axis(figure.layout.yaxis2, 0.6 / eigenvalues.size, 1.3)


def _shown_end(result: MatrixSpectrum, eigenvalues: NDArray[np.float64]) -> float:
    """Right end of the histogram: a little beyond the edge, and the nearest spikes with it."""
    return max(1.1 * result.threshold, min(1.05 * float(eigenvalues[-1]), 1.6 * result.upper_edge))


def _noise(result: MatrixSpectrum) -> tuple[float, float, float]:
    """Variance and aspect of the noise without the directions of the spikes, and its share of the eigenvalues."""
    n_variables, n_samples = sorted(int(side) for side in result.shape)
    n_left, share = n_samples - result.n_spikes, (n_samples - result.n_spikes) / n_samples
    n_noise = n_variables - result.n_spikes
    return result.noise_variance * share, n_noise / n_left, n_noise / n_variables


def _matrix_summary(result: MatrixSpectrum) -> str:
    n_rows, n_columns = (int(side) for side in result.shape)
    sentence = (
        f"Matrix of {n_rows:,} × {n_columns:,}: {result.verdict}; {result.reason}. Noise of variance "
        f"{number(result.noise_variance)} ends at {number(result.upper_edge)}; dotted: what its largest eigenvalue "
        f"exceeds in {number(100 * result.level)} % of cases, {number(result.threshold)} (p = "
        f"{number(result.p_value)}). "
        f"Effective rank {number(result.effective_rank)}, participation ratio {number(result.participation_ratio)}."
    )
    if result.tail is not None:
        low, high = result.tail.interval
        sentence += (
            f" Power law beyond the edge: α = {number(result.tail.estimate)} (95 % interval {number(low)} to "
            f"{number(high)}), {result.tail.verdict}."
        )
    return sentence
