"""Figures as PNG, SVG or PDF files, and the data behind them; needs the extra `export` and a Chrome or Chromium."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import plotly.graph_objects as go

from phasescope.errors import MissingExtraError, PhasescopeError

FORMATS = (".png", ".svg", ".pdf")
WIDTH = 900


def save(
    figure: go.Figure, path: Path | str, *, width: int = WIDTH, height: int | None = None, scale: float = 2
) -> Path:
    """Write a figure as an image on white ground.

    Args:
        figure: Any Plotly figure.
        path: Where to; the ending `.png`, `.svg` or `.pdf` says the format.
        width: Of the image, in CSS pixels.
        height: Of the image, in CSS pixels; the figure's own when not given.
        scale: Device pixels per CSS pixel in a PNG.

    Returns:
        The path written.

    Raises:
        ValueError: If the ending is none of these.
        MissingExtraError: If kaleido is not installed.
        PhasescopeError: If there is no browser to draw with, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"a figure is saved as one of {', '.join(FORMATS)}; {path.name!r} ends otherwise")
    try:
        import_module("kaleido")
    except ImportError as error:
        raise MissingExtraError("kaleido", "export", "saving a figure as an image") from error
    printed = go.Figure(figure)
    printed.update_layout(paper_bgcolor="white", plot_bgcolor="white")
    options = {
        "format": path.suffix.lower()[1:],
        "width": width,
        "height": height or figure.layout.height,
        "scale": scale,
    }
    try:
        image = printed.to_image(**options)
    except Exception as error:
        if _is_missing_browser(error):
            raise PhasescopeError(
                "saving a figure as an image needs Chrome or Chromium, and none was found; "
                "install one, or run: plotly_get_chrome"
            ) from error
        raise PhasescopeError(f"{path.name} could not be drawn: {' '.join(str(error).split())[:300]}") from error
    try:
        path.write_bytes(image)
    except OSError as error:
        raise PhasescopeError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _is_missing_browser(error: BaseException | None) -> bool:
    """Whether kaleido, or what it stands on, gave up for want of a browser."""
    while error is not None:
        if type(error).__name__ in ("ChromeNotFoundError", "BrowserDepsError") or "Chrome" in str(error)[:200]:
            return True
        error = error.__cause__ or error.__context__
    return False
