"""Trees of a branching process against their exact laws."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from phasescope.figures.theme import GREEN, INK, TRAIN, blank, finish, log_axis, number

if TYPE_CHECKING:
    from phasescope.measures.avalanches import Avalanches

FloatArray = NDArray[np.float64]
_PER_DECADE = 8
_FEWEST = 5  # trees behind a point


def draw_against_exact(found: Avalanches, law: FloatArray, means: FloatArray) -> go.Figure:
    """Probability of each size, and mean size of each duration, with the exact curves through them.

    Args:
        found: The trees; censored ones are left out.
        law: Sizes and their exact probabilities, shape `(n, 2)`.
        means: Durations 1, 2, … and the exact mean sizes, shape `(n, 2)`.

    Returns:
        Two panels; error bars are one standard error.
    """
    whole = ~np.asarray(found.censored)
    sizes, durations = np.asarray(found.sizes)[whole], np.asarray(found.durations)[whole]
    figure = blank(height=420)
    x, share, error = _shares(sizes, len(found.sizes))
    _points(figure, x, share, error, TRAIN, "", "trees")
    t, mean, error = _means(sizes, durations, int(means[-1, 0]))
    _points(figure, t, mean, error, GREEN, "2", "trees ")
    for curve, axis, name in ((law, "", "exact"), (means, "2", "exact ")):
        figure.add_trace(
            go.Scatter(
                x=curve[:, 0],
                y=np.where(curve[:, 1] > 0, curve[:, 1], np.nan),
                mode="lines",
                line={"color": INK, "width": 1.5},
                name=name.strip(),
                showlegend=axis == "",
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                hoverinfo="skip",
            )
        )
    domains = ([0.0, 0.44], [0.56, 1.0])
    labels = (("size S", "probability"), ("duration T (generations)", "mean size"))
    for axis, domain, (x_label, y_label) in zip(("", "2"), domains, labels, strict=True):
        figure.update_layout(
            {
                f"xaxis{axis}": {"domain": domain, "anchor": f"y{axis}", "title": {"text": x_label}},
                f"yaxis{axis}": {"anchor": f"x{axis}", "title": {"text": y_label}},
            }
        )
    log_axis(figure.layout.xaxis, 0.8, 1.5 * float(x.max()))
    log_axis(figure.layout.yaxis, 0.3 * float(share.min()), 1.5)
    log_axis(figure.layout.xaxis2, 0.8, 1.2 * float(t.max()))
    log_axis(figure.layout.yaxis2, 0.8, 2 * float(mean.max()))
    exact = means[t.astype(int) - 1, 1]  # durations 1, 2, …
    told = (error > 0) & np.isfinite(exact)  # a tree of one generation has one size
    deviations = np.abs(mean - exact)[told] / error[told]
    summary = (
        f"{number(int(whole.sum()))} trees. Mean sizes deviate from the exact curve by at most "
        f"{number(float(deviations.max(initial=0)))} standard errors at {deviations.size} durations."
    )
    return finish(figure, title="Trees against their exact laws", summary=summary)


def _points(figure: go.Figure, x: FloatArray, y: FloatArray, error: FloatArray, hue: str, axis: str, name: str) -> None:
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            error_y={"type": "data", "array": error, "color": hue, "thickness": 1},
            mode="markers",
            marker={"color": hue, "size": 6},
            name=name.strip(),
            showlegend=axis == "",
            xaxis=f"x{axis}",
            yaxis=f"y{axis}",
        )
    )


def _shares(sizes: FloatArray, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean probability per whole number in logarithmic bins of size, at the bin's middle."""
    top = max(float(sizes.max(initial=2.0)), 2.0)
    edges = np.unique(np.ceil(np.geomspace(1, top + 1, int(_PER_DECADE * np.log10(top + 1)) + 3)))
    counts = np.histogram(sizes, edges)[0].astype(np.float64)
    widths, kept = np.diff(edges), counts >= _FEWEST
    middles = np.sqrt(edges[:-1] * np.maximum(edges[1:] - 1, edges[:-1]))
    share = counts / widths / n
    return middles[kept], share[kept], (np.sqrt(counts) / widths / n)[kept]


def _means(sizes: FloatArray, durations: NDArray[np.int64], longest: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean size at single durations, spaced logarithmically, with standard errors."""
    t, mean, error = [], [], []
    wanted = np.unique(np.round(np.geomspace(1, longest, 40)).astype(int))
    for low, high in itertools.pairwise([*wanted, wanted[-1] + 1]):
        here = sizes[durations == low]
        if here.size >= _FEWEST and high > low:
            t.append(float(low))
            mean.append(float(here.mean()))
            error.append(float(here.std(ddof=1) / np.sqrt(here.size)))
    return np.array(t), np.array(mean), np.array(error)
