"""`phasescope branching`: how many events an event causes, seen whole and in part, and the trees it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from phasescope.cli.avalanche_rows import reading_document, reading_rows, show
from phasescope.cli.output import console, echo_json, json_option, report_options, seed_option, store_option


@click.command
@click.option("--ratio", type=float, default=0.98, show_default=True, help="Branching ratio m.")
@click.option("--drive", type=float, default=10.0, show_default=True, help="Events from outside, per bin.")
@click.option("--bins", type=click.IntRange(min=1), default=200_000, show_default=True, help="Length of the record.")
@click.option(
    "--sampling",
    type=float,
    multiple=True,
    default=(1.0, 0.1, 0.01),
    show_default=True,
    help="Shares seen. Repeatable.",
)
@click.option("--trees", type=click.IntRange(min=1), default=50_000, show_default=True, help="Single trees to grow.")
@click.option("--offspring", default="poisson", show_default=True, help="poisson or geometric.")
@click.option(
    "--max-generations", type=click.IntRange(min=1), default=3_000, show_default=True, help="Longer trees are cut."
)
@click.option("--bootstrap", type=int, default=500, show_default=True, help="Refits behind the power-law fit.")
@store_option
@report_options
@seed_option
@json_option
def command(
    *, bootstrap: int, store: Path, report_path: Path | None, no_report: bool, seed: int, as_json: bool, **chosen: Any
) -> None:
    """Simulate a branching process and measure its ratio, whole and subsampled, and its trees as avalanches."""
    from phasescope.studies.criticality.branching import BranchingSettings, branching_study
    from phasescope.studies.criticality.report_branching import write_branching_report

    settings = BranchingSettings(**chosen)
    with console().status(f"m = {settings.ratio:g}: {settings.trees} trees, {settings.bins} bins"):
        found = branching_study(store, settings, seed=seed, n_bootstrap=bootstrap)
    path = None
    if not no_report:
        path = write_branching_report(store, found.run_id, report_path or store / f"{found.run_id}.html")
    if as_json:
        sampled = [
            {
                "share": one.share,
                "estimate": None if one.result is None else one.result.estimate,
                "interval": None if one.result is None else one.result.interval,
                "naive": None if one.result is None else one.result.naive,
                "expected_naive": one.expected_naive,
                "reason": one.reason,
            }
            for one in found.sampled
        ]
        document = {"id": found.run_id, "ratio": settings.ratio, "sampled": sampled}
        echo_json(document | reading_document(found.reading) | {"report": None if path is None else str(path)})
        return
    rows = [("branching ratio, true", f"{settings.ratio:g}")]
    for one in found.sampled:
        if one.result is None:
            rows.append((f"{100 * one.share:g} % seen", one.reason))
            continue
        low, high = one.result.interval
        words = f"{one.result.estimate:.5g} [{low:.5g}, {high:.5g}]; naive {one.result.naive:.3g}"
        rows.append((f"{100 * one.share:g} % seen", words))
    show([*rows, *reading_rows(found.reading)], found.reading, path)
