"""`phasescope calibrate`: known systems through the estimators, and how well these do."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import click

from phasescope.cli.output import console, echo_json, json_option, seed_option

if TYPE_CHECKING:
    from phasescope.studies.criticality.calibration import Calibration, Case

QUICK_TRIALS = 40  # coverage to ± 7 %: minutes instead of hours


@click.command
@click.argument("names", nargs=-1, metavar="[CASE]...")
@click.option(
    "--trials", type=click.IntRange(min=2), default=QUICK_TRIALS, show_default=True, help="Data sets per case."
)
@click.option("--full", is_flag=True, help="As many trials as the published page took: hours.")
@click.option("--processes", type=click.IntRange(min=0), help="Default: one per core; 0 works in this process.")
@click.option("--list", "list_cases", is_flag=True, help="List the cases and stop.")
@seed_option
@json_option
def command(
    *,
    names: tuple[str, ...],
    trials: int,
    full: bool,
    processes: int | None,
    list_cases: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Push systems whose answer is known through the very same functions, and print how right they are.

    CASE is the name of a case or its beginning; all by default. Coverage is that of 95 % intervals; the size of a
    decision is how often it is taken where it is false, its power how often where it is true.
    """
    from phasescope.studies.criticality.calibration import calibrate
    from phasescope.studies.criticality.cases import all_cases

    cases = all_cases()
    if list_cases:
        _list(cases, as_json)
        return
    n_processes = (os.cpu_count() or 1) if processes is None else processes
    chosen = {
        name: case.trials if full else trials
        for name, case in cases.items()
        if not names or any(name.startswith(one) for one in names)
    }
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console()) as bar:
        task = bar.add_task("data sets", total=sum(chosen.values()))
        found = calibrate(
            names,
            trials=None if full else trials,
            n_processes=n_processes,
            seed=seed,
            on_progress=lambda name, n: bar.update(task, advance=n, description=name),
        )
    if as_json:
        echo_json(found.to_dict())
    else:
        _print(found)


def _list(cases: dict[str, Case], as_json: bool) -> None:
    if as_json:
        echo_json(
            {"cases": [{"name": name, "system": case.system, "trials": case.trials} for name, case in cases.items()]}
        )
        return
    for name, case in cases.items():
        click.echo(f"{name}: {case.system}")


def _print(found: Calibration) -> None:
    from phasescope.cli.tables import cell, table
    from phasescope.results import brief

    out = console()
    n_trials = [one.n_trials for one in found.estimates] + [one.n_trials for one in found.decisions]
    if found.estimates:
        rows = [
            (
                one.case,
                one.quantity,
                one.truth,
                _percent(one.coverage, one.coverage_interval),
                f"{brief(one.bias)} ± {brief(one.bias_error)}",
                one.spread,
                one.half_width,
                one.n_trials,
                one.n_without_answer or None,
            )
            for one in found.estimates
        ]
        headers = ("case", "quantity", "truth", "coverage", "bias", "spread", "stated error", "data sets", "no answer")
        out.print(table(headers, rows))
    if found.decisions:
        decisions = [
            (
                one.case,
                one.decision,
                "power" if one.is_true else "size",
                _percent(one.share, one.share_interval),
                None if one.bound is None else f"{'≥' if one.is_true else '≤'} {100 * one.bound:g} %",
                one.n_trials,
            )
            for one in found.decisions
        ]
        out.print(table(("case", "decision", "kind", "share", "asked for", "data sets"), decisions))
    if n_trials:
        error = 196 * math.sqrt(0.95 * 0.05 / min(n_trials))
        out.print(cell(f"With {min(n_trials)} data sets a coverage of 95 % is known to ± {error:.1f} %.", "yellow"))


def _percent(share: float, interval: tuple[float, float]) -> str:
    return f"{100 * share:.1f} % [{100 * interval[0]:.0f}, {100 * interval[1]:.0f}]"
