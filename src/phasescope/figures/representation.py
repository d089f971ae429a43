"""Embeddings as shapes: residues in a plane, and how circular that plane is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from phasescope.figures.theme import CYCLIC, INK, STYLES, SYMBOLS, blank, finish, number, translucent

if TYPE_CHECKING:
    from phasescope.measures.embedding_plane import PrincipalPlane
    from phasescope.measures.representation import Circularity, RepresentationQuality


def draw_principal_plane(result: PrincipalPlane) -> go.Figure:
    """The embedding in the plane of its strongest frequency."""
    return draw_plane(
        result.coordinates, frequency=result.frequency, title="Embedding", null=result.null, caveats=result.caveats
    )


def draw_plane(
    points: ArrayLike,
    *,
    title: str,
    frequency: int | None = None,
    null: float | None = None,
    extent: float | None = None,
    label_residues: bool = False,
    hue_scale: bool = True,
    caveats: Sequence[str] = (),
) -> go.Figure:
    """Draw the residues 0 … p − 1 in a plane, on a circle where the network computes with angles.

    The hue of residue t is its phase k·t mod p, k being the plane's frequency: around an exact circle it runs once
    through the color wheel, whatever k is.

    Args:
        points: One row per residue, shape `(p, 2)`, in the unit of the embedding.
        title: What is shown.
        frequency: k; found from the points when not given.
        null: Circularity of a Gaussian embedding in its own strongest plane, for the summary.
        extent: Half the side of the drawn square, for figures to be compared; from the points when not given.
        label_residues: Whether to write each residue beside its point.
        hue_scale: Whether to show which hue is which phase beside the plot.
        caveats: Sentences printed below.

    Returns:
        The figure, with equal scales on both axes.
    """
    plane = np.asarray(points, dtype=np.float64)
    residues = np.arange(len(plane))
    frequency = strongest_frequency(plane) if frequency is None else frequency
    phase = frequency * residues % len(plane)
    order = np.argsort(phase)
    half = extent or (1.3 if label_residues else 1.12) * float(np.abs(plane).max(initial=1e-12))
    figure = blank(height=430)
    figure.add_trace(
        go.Scatter(
            x=plane[np.append(order, order[0]), 0],
            y=plane[np.append(order, order[0]), 1],
            mode="lines",
            line={"color": translucent(INK, 0.13), "width": 1},
            name="neighbors in phase",
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=plane[:, 0],
            y=plane[:, 1],
            mode="markers",
            text=[str(residue) for residue in residues],
            marker={
                "color": phase,
                "colorscale": CYCLIC,
                "cmin": 0,
                "cmax": len(plane),
                "size": 11 if label_residues else 9,
                "line": {"width": 0.8, "color": "white"},
                "showscale": hue_scale,
                "colorbar": {
                    "title": {"text": f"{frequency}·t mod {len(plane)}", "side": "right", "font": {"size": 12}},
                    "thickness": 10,
                    "len": 0.8,
                    "outlinewidth": 0,
                    "tickfont": {"size": 11},
                },
            },
            name="residues",
            showlegend=False,
            hovertemplate="residue %{text}: (%{x:.3~g}, %{y:.3~g})<extra></extra>",
        )
    )
    if label_residues:
        places = _label_places(plane, clearance=0.06 * half)
        figure.add_trace(
            go.Scatter(
                x=places[:, 0],
                y=places[:, 1],
                mode="text",
                text=[str(residue) for residue in residues],
                textfont={"size": 11, "color": INK},
                name="names of the residues",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    # Margins that adapt to the labels, together with a square that adapts to the margins, do not always settle.
    axis = {"range": [-half, half], "nticks": 5, "showline": False, "zeroline": True, "zerolinecolor": "#e4e7eb"}
    axis |= {"automargin": False}
    figure.update_xaxes(title_text=f"cosine part at frequency {frequency}", constrain="domain", **axis)
    figure.update_yaxes(title_text="sine part", scaleanchor="x", constrain="domain", constraintoward="middle", **axis)
    against = f", against {number(null)} for a Gaussian embedding" if null is not None else ""
    summary = (
        f"In the plane of frequency {frequency} the embedding is {_shape(circularity_of(plane, frequency))} "
        f"(circularity {number(circularity_of(plane, frequency))} of 1{against}); hue: {frequency}·t mod {len(plane)}."
    )
    return finish(figure, title=title, summary=summary, caveats=caveats)


def strongest_frequency(plane: NDArray[np.float64]) -> int:
    """The k in 1 … ⌊(p − 1)/2⌋ at which the points, read as complex numbers, turn most evenly, either way round."""
    power = np.abs(np.fft.fft(plane[:, 0] + 1j * plane[:, 1])) ** 2
    highest = (len(plane) - 1) // 2
    return 1 + int(np.maximum(power[1 : highest + 1], power[::-1][:highest]).argmax())


def circularity_of(plane: NDArray[np.float64], frequency: int) -> float:
    """Share of the points' energy on one evenly traversed circle, either way round: 0 … 1."""
    z = plane[:, 0] + 1j * plane[:, 1]
    energy = float(np.mean(np.abs(z) ** 2))
    if energy == 0:
        return 0.0
    turn = np.exp(2j * np.pi * frequency * np.arange(len(z)) / len(z))
    return float(max(abs(np.mean(z * turn)), abs(np.mean(z / turn))) ** 2 / energy)


def draw_circularity(result: Circularity) -> go.Figure:
    """Circularity of each principal component, and the band of a Gaussian embedding."""
    figure = blank(height=320)
    figure.add_trace(
        go.Bar(
            x=[f"component {index + 1}" for index in range(len(result.per_component))],
            y=result.per_component,
            text=[f"frequency {frequency}" for frequency in result.frequencies],
            marker_color=STYLES[0][0],
            width=0.5,
            name="circularity",
        )
    )
    summary = f"Circularity {number(result.estimate)} of 1, the mean over {len(result.per_component)} components."
    if result.null_interval is not None:
        low, high = result.null_interval
        figure.add_hrect(y0=low, y1=high, fillcolor="#c9ced5", opacity=0.5, line_width=0, layer="below")
        summary = f"{summary} Gray: the mean for 95 % of Gaussian embeddings, {number(low)} to {number(high)}."
    figure.update_yaxes(title_text="largest share of energy at one frequency", range=[0, 1.05])
    return finish(figure, title="Circularity of the principal components", summary=summary, caveats=result.caveats)


def draw_representation_quality(result: RepresentationQuality) -> go.Figure:
    """The three representation quality indices, each with the band of a Gaussian embedding."""
    figure = blank(height=300)
    rows = (
        ("ordinary", result.estimate, result.null_interval),
        ("modular", result.modular, result.modular_null_interval),
        ("phase", result.phase, result.phase_null_interval),
    )
    for (name, value, band), (hue, _), symbol in zip(rows, STYLES, SYMBOLS, strict=False):
        if band is not None:
            figure.add_trace(
                go.Scatter(
                    x=list(band),
                    y=[name, name],
                    mode="lines",
                    line={"color": "#c9ced5", "width": 9},
                    name="Gaussian embedding, 95 %",
                    legendgroup="null",
                    showlegend=name == "ordinary",
                )
            )
        if value is not None:
            figure.add_trace(
                go.Scatter(
                    x=[value],
                    y=[name],
                    mode="markers",
                    marker={"color": hue, "symbol": symbol, "size": 12},
                    name=name,
                    showlegend=False,
                )
            )
    figure.update_xaxes(title_text="share of the possible parallelograms (RQI)", range=[-0.03, 1.03])
    figure.update_yaxes(type="category", autorange="reversed")
    phase = f", phase {number(result.phase)}" if result.phase is not None else ""
    summary = f"RQI: ordinary {number(result.estimate)}, modular {number(result.modular)}{phase}."
    return finish(figure, title="Representation quality", summary=summary, caveats=result.caveats)


def _label_places(plane: NDArray[np.float64], *, clearance: float) -> NDArray[np.float64]:
    """A place for each point's name: outward from it, as far as needed to be clear of other points and names."""
    radii = np.hypot(plane[:, 0], plane[:, 1])
    outward = plane / np.maximum(radii, 1e-12)[:, None]
    taken = list(plane)
    places = np.empty_like(plane)
    for index in np.argsort(-radii):
        place = plane[index] + clearance * outward[index]
        others = [other for other in taken if other is not plane[index]]
        for _ in range(40):
            if min(np.hypot(*(place - other)) for other in others) >= 0.85 * clearance:
                break
            place = place + 0.25 * clearance * outward[index]
        places[index] = place
        taken.append(place)
    return places


def _shape(circularity: float) -> str:
    for above, words in ((0.9, "a circle"), (0.6, "roughly a circle"), (0.3, "a blurred circle")):
        if circularity > above:
            return words
    return "no circle"
