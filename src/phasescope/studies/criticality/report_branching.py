"""The report of a branching study: the ratio seen whole and in part, and the trees as avalanches."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phasescope.figures import draw
from phasescope.figures.curves import Axes, Curve, draw_curves
from phasescope.figures.exact_laws import draw_against_exact
from phasescope.figures.theme import number
from phasescope.reports.document import Document, Listing, Panel, Row, Section, Tile
from phasescope.reports.tables import Table
from phasescope.store.runs import Run, open_run
from phasescope.studies.criticality.branching import BranchingSettings
from phasescope.studies.criticality.report_avalanches import (
    avalanche_sections,
    exponent_words,
    recorded_avalanches,
    reproduce_section,
)


def write_branching_report(store: Path | str, run_id: str, path: Path | str) -> Path:
    """Write the report of one branching run as a self-contained HTML file.

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
    items: Sequence[Mapping[str, Any]] = results.get("sampled", {}).get("items", [])
    judged = results["criticality"]
    sections = [*_sampling_sections(run, items), *_exact_section(run), *avalanche_sections(run)]
    return Document(
        title=f"A branching process with m = {number(config['ratio'], 4)}",
        kicker="phasescope · branching study",
        verdict=_verdict(config, items),
        lead=[
            f"Its trees, as avalanches: {judged['verdict']}; {judged['reason']}.",
            f"Exponents with 95 % intervals: {exponent_words(results)}.",
        ],
        tiles=[
            Tile(
                value=number(one["result"]["estimate"], 4),
                label=f"m, {number(100 * one['share'])} % of events seen",
                note=f"{_interval(one['result']['interval'])}; the first lag alone: {number(one['result']['naive'])}",
            )
            for one in items[:4]
            if one["result"] is not None
        ],
        sections=[*sections, reproduce_section(run, command(run))],
        footer=f"Recorded {run.created[:10]}.",
    )


def _verdict(config: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> str:
    if not items:
        return (
            f"At m = {number(config['ratio'])} there is no stationary activity to regress; only single trees are read."
        )
    true = float(config["ratio"])
    covered = sum(
        one["result"] is not None and one["result"]["interval"][0] <= true <= one["result"]["interval"][1]
        for one in items
    )
    naive = [one["result"]["naive"] for one in items if one["result"] is not None]
    return (
        f"Multistep regression covers the true m = {number(true, 4)} at {covered} of {len(items)} degrees of sampling; "
        f"the first lag alone falls from {number(max(naive, default=float('nan')))} to "
        f"{number(min(naive, default=float('nan')))}."
    )


def _sampling_sections(run: Run, items: Sequence[Mapping[str, Any]]) -> list[Section]:
    if not items:
        return []
    rows = [
        (
            one["share"],
            None if one["result"] is None else one["result"]["naive"],
            one["expected_naive"],
            None if one["result"] is None else one["result"]["estimate"],
            one["reason"] if one["result"] is None else _interval(one["result"]["interval"]),
        )
        for one in items
    ]
    columns = ("share of events seen", "naive, r₁", "naive expected, b·m", "multistep m", "95 % interval")
    panels = [Panel(figure=draw(one["result"])) for one in items if one["result"] is not None]
    curves = []
    for place, one in enumerate(items):
        seen = run.array("branching/activity", place).astype(np.float64)
        name = f"{number(100 * one['share'])} % seen"
        curves.append(Curve(name=name, steps=np.arange(seen.size, dtype=np.float64), values=seen))
    activity = draw_curves(
        curves,
        axes=Axes(value_label="events per bin", log_steps=False, step_label="bin"),
        title="The beginning of the record",
    )
    words = f"Events per bin in the first {curves[0].steps.size} bins, and what is left of them where a share is seen."
    activity.update_layout(meta=dict(activity.layout.meta) | {"summary": words})
    return [
        Section(
            title="The branching ratio, seen whole and in part",
            blocks=[
                "Seeing a share of the events lowers every slope by the same factor b and leaves their decay alone.",
                Table(columns=columns, rows=rows),
                Panel(figure=activity),
                *(Row(panels=panels[start : start + 2]) for start in range(0, len(panels), 2)),
            ],
        )
    ]


def _exact_section(run: Run) -> list[Section]:
    names = run.array_names()
    if "exact/size_probability" not in names:
        return []
    figure = draw_against_exact(
        recorded_avalanches(run), run.array("exact/size_probability"), run.array("exact/mean_size")
    )
    note = (
        "At m = 1 the mean size of a tree that lasts T generations approaches T² slowly: a straight line through such "
        "points on double logarithmic axes gives an exponent near 1.85, although 2 is exact."
    )
    return [Section(title="Against the exact laws", blocks=[Panel(figure=figure), Listing(items=[note])])]


def _interval(interval: Sequence[float]) -> str:
    return f"{number(interval[0], 4)} to {number(interval[1], 4)}"


def command(run: Run) -> str:
    """The call of `phasescope branching` that makes this run."""
    words = ["phasescope", "branching"]
    for field in dataclasses.fields(BranchingSettings):
        value = run.config.get(field.name, field.default)
        option = f"--{field.name.replace('_', '-')}"
        if field.name == "sampling":
            if tuple(value) != field.default:
                words += [word for share in value for word in (option, str(share))]
        elif field.name == "ratio" or value != field.default:
            words += [option, str(value)]
    return shlex.join([*words, "--seed", str(run.seed)])
