"""`phasescope report`: write the report of recorded runs."""

from __future__ import annotations

from pathlib import Path

import click

from phasescope.cli.output import echo_json, json_option, seed_option, store_option


@click.command()
@click.argument("name")
@store_option
@seed_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: NAME.html in the store.")
@json_option
def command(name: str, *, store: Path, seed: int, output: Path | None, as_json: bool) -> None:
    """Write the report of NAME, a run, a recording or a group, as one self-contained HTML file."""
    from phasescope.store.runs import open_run, resolve

    run_ids = resolve(store, name)
    path = output or store / f"{name}.html"
    if {open_run(store, run_id).study for run_id in run_ids} == {"grokking"}:
        from phasescope.studies.grokking.report import write_report

        written = write_report(store, run_ids, path)
    else:
        from phasescope.reports.run_report import write_run_report

        written = write_run_report(store, run_ids, path, seed=seed)
    if as_json:
        echo_json({"runs": run_ids, "report": str(written)})
    else:
        click.echo(f"report: {written.resolve()}")
