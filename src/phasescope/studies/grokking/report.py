"""The report of a grokking study: what happened, how sure that is, and how to see it again, in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phasescope.figures.theme import number
from phasescope.measures.survival import SurvivalCurve
from phasescope.reports.document import Document, Tile
from phasescope.studies.grokking.headline import headline, interval_words
from phasescope.studies.grokking.recorded import Recorded, delays, read, waiting
from phasescope.studies.grokking.report_circuit import circle_section, fourier_section, progress_section
from phasescope.studies.grokking.report_curves import (
    curves_section,
    mirage_section,
    norm_section,
    steps_section,
    transitions_section,
)
from phasescope.studies.grokking.report_parts import network, task
from phasescope.studies.grokking.report_tables import caveats_section, reproduce_section, table_section


def write_report(store_root: Path | str, run_ids: Sequence[str], path: Path | str, *, shared_js: bool = False) -> Path:
    """Write the report of some runs of the grokking study as one self-contained HTML file.

    Args:
        store_root: The store.
        run_ids: At least one run; those trained beside the others for their circuit may be among them.
        path: The HTML file.
        shared_js: Put Plotly.js beside the file rather than into it.

    Returns:
        The path written.

    Raises:
        ValueError: If no run is given.
        RunNotFoundError: If one is not in the store.
        StoreError: If the file cannot be written.
    """
    if not run_ids:
        raise ValueError("a report needs at least one run, and none was given")
    return compose(read(store_root, run_ids)).write(path, shared_js=shared_js)


def compose(recorded: Sequence[Recorded]) -> Document:
    """The report of runs already read: the studied ones, and those trained beside them for their circuit."""
    circuits = [run for run in recorded if run.is_circuit]
    runs = [run for run in recorded if not run.is_circuit]
    if not runs:
        runs, circuits = circuits, []
    sections = (
        curves_section(runs),
        transitions_section(runs),
        steps_section(runs),
        circle_section(runs, circuits),
        fourier_section(runs, circuits),
        progress_section(runs, circuits),
        mirage_section(runs),
        norm_section(runs),
        table_section([*runs, *circuits]),
        caveats_section([*runs, *circuits]),
        reproduce_section([*runs, *circuits]),
    )
    bench = runs[0].run.config.get("bench")
    return Document(
        title=f"Learning {task(runs[0])}",
        kicker="phasescope · grokking study" + (f" · bench {bench}" if bench else ""),
        verdict=headline(runs),
        lead=_lead(runs),
        tiles=_tiles(runs),
        sections=[section for section in sections if section is not None],
        footer=f"Recorded {runs[0].run.created[:10]} in group {runs[0].run.group}.",
    )


def _lead(runs: Sequence[Recorded]) -> list[str]:
    config = runs[0].run.config
    kind = network(runs[0])
    fraction = config.get("fraction")
    share = f" on {number(100 * fraction)} % of all pairs" if isinstance(fraction, float) else ""
    recipe = ", ".join(
        f"{words} {number(config[key])}"
        for key, words in (("learning_rate", "learning rate"), ("weight_decay", "weight decay"))
        if isinstance(config.get(key), (int, float))
    )
    return [f"{kind[:1].upper()}{kind[1:]}, trained{share} with AdamW{f' ({recipe})' if recipe else ''}."]


def _tiles(runs: Sequence[Recorded]) -> list[Tile]:
    there = sum(run.generalization is not None for run in runs)
    tests = [value for run in runs if (value := run.last("test/accuracy")) is not None]
    end = "no test rows"
    if tests:
        end = f"test accuracy at the end {number(float(np.median(tests)))}" + (" (median)" if len(tests) > 1 else "")
    tiles = [Tile(value=f"{there} of {len(runs)}", label="generalized", note=end)]
    for label, curve, times in (
        ("memorization step", waiting(runs, "memorization"), ""),
        ("generalization step", waiting(runs, "generalization"), ""),
        ("delay", delays(runs), "×"),
    ):
        tiles.append(Tile(value=_median(curve, times), label=label, note=_note(curve)))
    return tiles


def _median(curve: SurvivalCurve | None, times: str) -> str:
    return f"{number(curve.estimate)}{times}" if curve is not None and curve.estimate is not None else "not reached"


def _note(curve: SurvivalCurve | None) -> str:
    if curve is None:
        return ""
    if curve.n_runs == 1:
        return "one run"
    return f"median; {interval_words(curve)}" if curve.estimate is not None else f"{curve.n_observed} of {curve.n_runs}"
