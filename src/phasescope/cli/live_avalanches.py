"""Avalanches in the terminal while a pile is driven: a progress bar, and a histogram of sizes that fills."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from phasescope.cli.output import console
from phasescope.cli.tables import cell, table
from phasescope.results import brief

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import RenderableType

    from phasescope.synthetic.watching import Watch

PAUSE_S = 0.1  # between two pictures
BAR = 40  # columns of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉█"


@contextmanager
def live_avalanches(n_grains: int, *, title: str) -> Iterator[Watch]:
    """Show a simulation as it goes on; where standard error is no terminal, nothing.

    Args:
        n_grains: How many grains will be dropped.
        title: What is simulated.

    Yields:
        What the simulation calls now and then, with the number of grains and the sizes they caused.
    """
    from rich.console import Group
    from rich.live import Live
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(TextColumn(title), BarColumn(), TextColumn("grain {task.completed:.0f}"), TimeElapsedColumn())
    task = bar.add_task("", total=n_grains)
    out, shown = console(), 0.0
    with Live(Group(bar, ""), console=out, transient=True, auto_refresh=False) as screen:

        def watch(n: int, sizes: NDArray[np.int64]) -> None:
            nonlocal shown
            if out.is_terminal and time.monotonic() - shown > PAUSE_S:
                shown = time.monotonic()
                bar.update(task, completed=n)
                screen.update(Group(bar, histogram(sizes)), refresh=True)

        yield watch


def histogram(sizes: NDArray[np.int64]) -> RenderableType:
    """Numbers of avalanches by size in octaves, on a logarithmic scale: a power law is a straight flight of steps."""
    moved = sizes[sizes > 0]
    words = f"{moved.size} avalanches, largest {brief(sizes.max())}, {brief(sizes.mean())} topplings per grain"
    if moved.size == 0:
        return cell(words)
    octaves = np.bincount(np.log2(moved).astype(int))
    rows = []
    for octave, count in enumerate(octaves):
        length = BAR * np.log1p(count) / np.log1p(octaves.max())
        whole, rest = divmod(round(8 * float(length)), 8)
        low, high = 2**octave, 2 ** (octave + 1) - 1
        rows.append((f"{low}–{high}" if high > low else f"{low}", int(count), "█" * whole + EIGHTHS[rest].strip()))
    return table(("size", "avalanches", words), rows)
