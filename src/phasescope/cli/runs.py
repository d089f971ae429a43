"""`phasescope runs`: what is in a store, one run in detail, runs side by side, runs for other programs."""

from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path
from typing import Any

import click

from phasescope.cli.output import console, echo_json, idle_seed_option, json_option, store_option
from phasescope.errors import StoreError

STYLES = {"running": "cyan", "finished": "green", "failed": "red", "interrupted": "yellow", "corrupt": "red"}


@click.group
def command() -> None:
    """List, show, compare and export recorded runs."""


@command.command("list")
@store_option
@idle_seed_option
@json_option
def list_(store: Path, as_json: bool) -> None:
    """List the runs of a store, oldest first."""
    from phasescope.store.runs import list_runs

    runs = list_runs(store)
    if as_json:
        echo_json({"runs": [dataclasses.asdict(run) for run in runs]})
        return
    from phasescope.cli.tables import cell, table

    headers = ("run", "study", "status", "steps", "seed", "verdict")
    rows = [
        (run.id, run.study, cell(run.status, STYLES.get(run.status, "")), run.steps, run.seed, run.verdict)
        for run in runs
    ]
    out = console()
    out.print(table(headers, rows) if rows else cell(f"no runs in {store}"))
    for run in runs:
        if run.message:
            said = run.message if run.message.startswith(run.id) else f"{run.id}: {run.message}"
            out.print(cell(said, "yellow"))


@command.command()
@click.argument("run")
@store_option
@idle_seed_option
@json_option
def show(run: str, store: Path, as_json: bool) -> None:
    """Show settings, environment, curves and results of RUN."""
    from phasescope.store.runs import Run, open_run

    opened: Run = open_run(store, run)
    document = opened.to_dict()
    if as_json:
        echo_json(document)
        return
    from phasescope.cli.tables import cell, table
    from phasescope.store.comparison import headline_results, interval_text

    head, results = document["run"], document["results"]
    facts = [
        (name, head[name]) for name in ("id", "study", "group", "created", "status", "steps", "message") if head[name]
    ]
    fields = ("name", "points", "last_step", "last_value", "unit")
    lasts = [[one[field] for field in fields] for one in document["series"]]
    lines = [(name, value, interval_text(results[name])) for name, value in headline_results(results).items()]
    out = console()
    for title, headers, rows in (
        ("run", ("", ""), facts),
        ("settings", ("", ""), list(head["config"].items())),
        ("environment", ("", ""), list(head["environment"].items())),
        ("series", ("", "points", "last step", "last value", "unit"), lasts),
        ("results", ("", "", "interval"), lines),
        ("arrays", ("", "times recorded"), [(one["name"], one["times"]) for one in document["arrays"]]),
        ("events", ("step", "kind", "message"), [tuple(one.values()) for one in document["events"]]),
    ):
        if rows:
            out.print(cell(title, "bold"))
            out.print(table(headers, rows))


@command.command()
@click.argument("names", metavar="RUN RUN…", nargs=-1, required=True)
@store_option
@idle_seed_option
@json_option
def compare(names: tuple[str, ...], store: Path, as_json: bool) -> None:
    """Lay runs side by side: settings that differ, and what each came to.

    RUN is a run, a recording or a group; the latter two stand for all their runs.
    """
    from phasescope.store.comparison import compare as compare_runs

    comparison = compare_runs(_open_all(store, names))
    if as_json:
        echo_json(dataclasses.asdict(comparison))
        return
    from phasescope.cli.tables import cell, table

    out = console()
    numbers = [str(number) for number in range(1, len(comparison.runs) + 1)]
    out.print(table(("", "run"), list(zip(numbers, comparison.runs, strict=True))))
    for title, rows in (
        ("settings that differ", comparison.settings),
        ("environment that differs", comparison.environment),
        ("results", comparison.results),
        ("last values", comparison.last_values),
    ):
        if rows:
            out.print(cell(title, "bold"))
            out.print(table(("", *numbers), [(name, *values) for name, values in rows.items()]))


@command.command()
@click.argument("names", metavar="RUN…", nargs=-1, required=True)
@click.option("--format", "kind", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File; CSV goes to standard output.")
@store_option
@idle_seed_option
@json_option
def export(names: tuple[str, ...], kind: str, output: Path | None, store: Path, as_json: bool) -> None:
    """Write the curves of runs as one table: a row per run and step, a column per series.

    RUN is a run, a recording or a group. Parquet needs the extra `parquet`.
    """
    from phasescope.store.export import columns, write_csv, write_parquet

    if output is None and (kind == "parquet" or as_json):
        raise click.UsageError("--output is needed for Parquet and with --json")
    runs = _open_all(store, names)
    if output is None:
        text = io.StringIO()
        write_csv(runs, text)
        sys.stdout.write(text.getvalue())
        return
    if kind == "parquet":
        n_rows = write_parquet(runs, output)
    else:
        try:
            with open(output, "w", encoding="utf-8", newline="") as file:
                n_rows = write_csv(runs, file)
        except OSError as error:
            raise StoreError(f"{output} cannot be written: {error.strerror}") from error
    if as_json:
        echo_json({"output": str(output), "rows": n_rows, "columns": columns(runs)})
    else:
        console().print(f"{n_rows} rows of {len(runs)} runs in {output}", markup=False)


def _open_all(store: Path, names: tuple[str, ...]) -> list[Any]:
    from phasescope.store.runs import open_run, resolve

    ids = dict.fromkeys(run for name in names for run in resolve(store, name))
    return [open_run(store, run) for run in ids]
