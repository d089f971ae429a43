"""The report of a sandpile study: lattice, avalanches, laws, shapes, verdicts, in one HTML file."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasescope.figures.lattice import draw_lattice
from phasescope.figures.theme import number
from phasescope.reports.document import Document, Panel, Row, Section, Tile
from phasescope.reports.tables import Table
from phasescope.store.runs import Run, open_run
from phasescope.studies.criticality.report_avalanches import avalanche_sections, exponent_words, reproduce_section
from phasescope.studies.criticality.sandpile import MODELS, SandpileSettings


def write_sandpile_report(store: Path | str, run_id: str, path: Path | str) -> Path:
    """Write the report of one sandpile run as a self-contained HTML file.

    Args:
        store: The store.
        run_id: The run.
        path: The HTML file.

    Returns:
        The path written.

    Raises:
        RunNotFoundError: If the run is not in the store.
        StoreError: If the file cannot be written.
    """
    return compose(open_run(store, run_id)).write(path)


def compose(run: Run) -> Document:
    """The report of one recorded run."""
    results, config = run.results(), run.config
    words, _ = MODELS.get(str(config.get("model")), (str(config.get("model")), frozenset()))
    pile, judged = results["sandpile"], results["criticality"]
    low, high = pile["mean_topplings_interval"]
    exact = pile["exact_mean_topplings"]
    tiles = [
        Tile(
            value=number(pile["mean_topplings"], 5),
            label="topplings per grain",
            note=f"{number(low, 5)} to {number(high, 5)}" + (f"; exactly {number(exact, 7)}" if exact else ""),
        ),
        Tile(
            value=f"{pile['n_avalanches']:,}",
            label="avalanches",
            note=f"of {config['grains']:,} grains, the rest moved nothing",
        ),
        Tile(
            value=number(pile["topplings_per_second"]),
            label="topplings per second",
            note=f"{number(pile['total_topplings'])} in all, one thread",
        ),
    ]
    return Document(
        title=f"{words[:1].upper()}{words[1:]}",
        kicker=f"phasescope · sandpile study · size {config['size']}",
        verdict=f"{judged['verdict'][:1].upper()}{judged['verdict'][1:]}: {judged['reason']}.",
        lead=[f"Exponents with 95 % intervals: {exponent_words(results)}."],
        tiles=tiles,
        sections=[*_lattice_section(run), *avalanche_sections(run), reproduce_section(run, command(run))],
        footer=f"Recorded {run.created[:10]}.",
    )


def _lattice_section(run: Run) -> list[Section]:
    names = run.array_names()
    panels = []
    if "sandpile/heights" in names:
        heights = run.array("sandpile/heights")
        figure = draw_lattice(heights, title="Lattice at the end")
        panels.append(Panel(figure=figure, table=_shares(heights)))
    if "sandpile/identity" in names:
        element = run.array("sandpile/identity")
        figure = draw_lattice(element, title="Identity of the sandpile group")
        panels.append(Panel(figure=figure, table=_shares(element)))
    if not panels:
        return []
    words = (
        "Added to any recurrent state, and relaxed, the identity gives that state back; its pattern is that of this "
        "lattice alone, whatever was dropped."
    )
    return [Section(title="The lattice", blocks=[Row(panels=panels), *([words] if len(panels) > 1 else [])])]


def _shares(heights: NDArray[np.generic]) -> Table:
    """Sites by number of grains; the lattice itself stays in the store."""
    grains, counts = np.unique(heights, return_counts=True)
    rows = [(int(n), int(count), float(count / heights.size)) for n, count in zip(grains, counts, strict=True)]
    return Table(columns=("grains", "sites", "share"), rows=rows)


def command(run: Run) -> str:
    """The call of `phasescope sandpile` that makes this run."""
    words = ["phasescope", "sandpile"]
    for field in dataclasses.fields(SandpileSettings):
        value = run.config.get(field.name, field.default)
        if field.name in ("size", "grains") or value != field.default:
            words += [f"--{field.name}", str(value)]
    return shlex.join([*words, "--seed", str(run.seed)])
