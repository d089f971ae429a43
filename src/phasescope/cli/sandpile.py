"""`phasescope sandpile`: drive a sandpile, watch its avalanches, and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from phasescope.cli.avalanche_rows import reading_document, reading_rows, show
from phasescope.cli.output import echo_json, json_option, report_options, seed_option, store_option


@click.command
@click.option("--model", default="btw", show_default=True, help="btw, manna, directed, neural, neural-conservative.")
@click.option("--size", type=click.IntRange(min=1), default=64, show_default=True, help="Linear size, rows, or sites.")
@click.option("--grains", type=click.IntRange(min=1), default=200_000, show_default=True, help="Dropped and recorded.")
@click.option("--dimension", type=click.IntRange(1, 6), default=2, show_default=True, help="Of the lattice.")
@click.option("--boundary", default="open", show_default=True, help="open, or periodic with dissipation.")
@click.option("--dissipation", type=click.IntRange(min=0), default=0, show_default=True, help="Lost at each toppling.")
@click.option("--drive", default="uniform", show_default=True, help="uniform, or center.")
@click.option("--bootstrap", type=int, default=500, show_default=True, help="Refits behind the power-law fit.")
@store_option
@report_options
@seed_option
@json_option
def command(
    *, bootstrap: int, store: Path, report_path: Path | None, no_report: bool, seed: int, as_json: bool, **chosen: Any
) -> None:
    """Drive a sandpile grain by grain and judge its avalanches: exponents, power law, shapes, and one verdict."""
    from phasescope.cli.live_avalanches import live_avalanches
    from phasescope.studies.criticality.report_sandpile import write_sandpile_report
    from phasescope.studies.criticality.sandpile import MODELS, SandpileSettings, sandpile_study

    settings = SandpileSettings(**chosen)
    with live_avalanches(settings.grains, title=f"{settings.model}, size {settings.size}") as watch:
        found = sandpile_study(store, settings, seed=seed, n_bootstrap=bootstrap, watch=watch)
    path = None
    if not no_report:
        path = write_sandpile_report(store, found.run_id, report_path or store / f"{found.run_id}.html")
    if as_json:
        echo_json(
            {
                "id": found.run_id,
                "model": settings.model,
                "mean_topplings": found.mean_topplings,
                "mean_topplings_interval": found.mean_topplings_interval,
                "exact_mean_topplings": settings.exact_mean,
                "topplings_per_second": found.topplings_per_second,
                **reading_document(found.reading),
                "report": None if path is None else str(path),
            }
        )
        return
    low, high = found.mean_topplings_interval
    exact = "" if settings.exact_mean is None else f", exactly {settings.exact_mean:.7g}"
    rows = [
        ("model", MODELS[settings.model][0]),
        ("topplings per grain", f"{found.mean_topplings:.5g} [{low:.5g}, {high:.5g}]{exact}"),
        ("topplings per CPU second", f"{found.topplings_per_second:.2g}"),
        *reading_rows(found.reading),
    ]
    show(rows, found.reading, path)
