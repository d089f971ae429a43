"""A sandpile's lattice as a picture."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from phasescope.figures.theme import blank, finish, number

_HUES = ("#f4efe4", "#d9c59a", "#6fa9c9", "#0b3c6f", "#7a1f3d", "#c8501a")  # 0, 1, 2, 3 grains, and more
MAX_SIDE = 512  # cells of the picture; larger lattices are shown by every n-th site


def draw_lattice(heights: ArrayLike, *, title: str) -> go.Figure:
    """Grains per site of a two-dimensional lattice, or of the middle plane of one with more dimensions.

    Args:
        heights: Whole numbers ≥ 0; a line is shown as one row.
        title: What is shown.

    Returns:
        A heat map with one hue per number of grains, and the share of each in the summary.
    """
    grains = np.asarray(heights)
    while grains.ndim > 2:
        grains = grains[len(grains) // 2]
    plane = np.atleast_2d(grains)
    stride = -(-max(plane.shape) // MAX_SIDE)
    shown = np.minimum(plane[::stride, ::stride], len(_HUES) - 1)
    top = max(int(shown.max()), 1)
    steps = [(edge, hue) for i, hue in enumerate(_HUES[: top + 1]) for edge in (i / (top + 1), (i + 1) / (top + 1))]
    figure = blank(height=480 if plane.shape[0] > 1 else 200)
    figure.add_trace(
        go.Heatmap(
            x=np.arange(shown.shape[1]) * stride,
            y=np.arange(shown.shape[0]) * stride,
            z=shown.astype(np.int8),
            zmin=-0.5,
            zmax=top + 0.5,
            colorscale=steps,
            colorbar={
                "title": {"text": "grains"},
                "tickvals": list(range(top + 1)),
                "outlinewidth": 0,
                "thickness": 12,
            },
            hovertemplate="row %{y}, column %{x}: %{z} grains<extra></extra>",
        )
    )
    bare = {"showgrid": False, "showline": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(constrain="domain", **bare)
    figure.update_yaxes(autorange="reversed", **bare)
    if plane.shape[0] > 1:
        figure.update_yaxes(scaleanchor="x")
    counts = np.bincount(np.asarray(heights).ravel())
    shares = ", ".join(f"{i}: {number(100 * count / counts.sum())} %" for i, count in enumerate(counts))
    summary = f"Share of sites by number of grains: {shares}."
    if stride > 1:
        summary += f" Shown is one site in {stride} along either axis."
    return finish(figure, title=title, summary=summary)
