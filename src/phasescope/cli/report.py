"""`phasescope report`: write the report of recorded runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phasescope.cli.output import echo_json, json_option, seed_option, store_option
from phasescope.errors import CorruptRunError, PhasescopeError, SchemaTooNewError

if TYPE_CHECKING:
    from phasescope.store.runs import Run


@click.command()
@click.argument("name")
@store_option
@seed_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: NAME.html in the store.")
@json_option
def command(name: str, *, store: Path, seed: int, output: Path | None, as_json: bool) -> None:
    """Write the report of NAME, a run, a recording or a group, as one self-contained HTML file."""
    from phasescope.store.runs import resolve

    runs, failures = _readable(store, resolve(store, name))
    run_ids, studies = [run.id for run in runs], {run.study for run in runs}
    path = output or store / f"{name}.html"
    if studies == {"grokking"}:
        from phasescope.studies.grokking.report import write_report

        written = write_report(store, run_ids, path)
    elif studies == {"sandpile"} and len(run_ids) == 1:
        from phasescope.studies.criticality.report_sandpile import write_sandpile_report

        written = write_sandpile_report(store, run_ids[0], path)
    elif studies == {"branching"} and len(run_ids) == 1:
        from phasescope.studies.criticality.report_branching import write_branching_report

        written = write_branching_report(store, run_ids[0], path)
    else:
        from phasescope.reports.run_report import write_run_report

        written = write_run_report(store, run_ids, path, seed=seed)
    if as_json:
        echo_json({"runs": run_ids, "report": str(written), "failures": failures})
    else:
        click.echo(f"report: {written.resolve()}")
    for failure in failures:
        click.echo(f"phasescope: left out: {failure}", err=True)
    if failures:
        raise SystemExit(1)


def _readable(store: Path, run_ids: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs that can be read, and why the others cannot; if none can, the first of these reasons is raised."""
    from phasescope.store.runs import open_run

    runs: list[Run] = []
    errors: list[PhasescopeError] = []
    for run_id in run_ids:
        try:
            runs.append(open_run(store, run_id))
        except (CorruptRunError, SchemaTooNewError) as error:
            errors.append(error)
    if not runs:
        raise errors[0]
    return runs, list(dict.fromkeys(str(error) for error in errors))
