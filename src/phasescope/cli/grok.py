"""`phasescope grok`: train networks that memorize, wait and generalize, and write the report."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from phasescope.cli.output import console, echo_json, json_option, seed_option, store_option
from phasescope.errors import PhasescopeError
from phasescope.studies.grokking.options import RUN, TRAINING

if TYPE_CHECKING:
    from phasescope.studies.grokking.run import Unit
    from phasescope.training.loop import Progress as TrainingProgress


@click.command()
@click.option("--bench", "bench_name", default="F3", show_default=True, help="Named setting; see --list.")
@click.option("--seeds", type=click.IntRange(1, 100_000), default=8, show_default=True, help="Number of runs.")
@seed_option
@click.option("--split-seed", type=click.IntRange(min=0), help="One split, to vary initialization alone.")
@click.option(
    "--init-seed", type=click.IntRange(min=0), help="One initialization for all runs, to vary the split alone."
)
@click.option("--task", "operation", help="Operation, for example add, subtract, divide, squares.")
@click.option("--modulus", type=int, help="p.")
@click.option("--width", type=int, help="Hidden units, or width of the residual stream.")
@click.option("--activation", help="square or relu.")
@click.option("--fraction", type=float, help="Share of the table to train on, in (0, 1].")
@click.option("--split", help="pairs, or symmetric_closed: no mirror of a training pair in test.")
@click.option("--labels", help="task, or random as a control.")
@click.option("--lr", "learning_rate", type=float, help="Learning rate.")
@click.option("--weight-decay", type=float, help="Decoupled weight decay.")
@click.option("--init-scale", type=float, help="Factor on the initial parameters.")
@click.option("--temperature", type=float, help="Logits are divided by it.")
@click.option("--steps", type=int, help="Budget of steps.")
@click.option("--settle", type=float, help="Stop at (1 + settle) times the generalization step; inf: never early.")
@click.option("--dtype", help="float32 or float64.")
@click.option("--circuit", "circuit_bench", help="Train one run of this bench beside, for the report's circuit (T1).")
@click.option("--processes", type=click.IntRange(min=0), help="Default: one per core; 0 works in this process.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads per process.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, mps or auto.")
@store_option
@click.option(
    "--report", "report_path", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the report."
)
@click.option("--no-report", is_flag=True, help="Train and record only.")
@click.option("--resume", "resume_name", help="Go on with an interrupted group, recording or run.")
@click.option("--list", "list_benches", is_flag=True, help="List the benches and stop.")
@json_option
def command(
    *,
    bench_name: str,
    seeds: int,
    seed: int,
    split_seed: int | None,
    init_seed: int | None,
    circuit_bench: str | None,
    processes: int | None,
    threads: int,
    device: str,
    store: Path,
    report_path: Path | None,
    no_report: bool,
    resume_name: str | None,
    list_benches: bool,
    as_json: bool,
    **changes: Any,
) -> None:
    """Train networks that memorize, wait, and generalize; locate both transitions; write the report."""
    if list_benches:
        _list(as_json)
        return
    from phasescope.studies.grokking.benches import bench
    from phasescope.studies.grokking.run import Place, choose_device, lay_down, new_group, unfinished

    device = choose_device(device)
    n_processes = (os.cpu_count() or 1) if processes is None else processes
    if resume_name is not None:
        given = [option for name, option in (TRAINING | RUN).items() if changes[name] is not None]
        if given:
            raise ValueError(f"a resumed study keeps the settings it began with; leave out {', '.join(given)}")
        units = unfinished(store, resume_name, device=device)
        group = units[0].group
    else:
        training = {name: changes[name] for name in TRAINING if changes[name] is not None}
        if training.get("settle") == math.inf:
            training["settle"] = None
        chosen = bench(bench_name, **training)
        fixed = {name: changes[name] for name in RUN if changes[name] is not None}
        fixed |= {} if split_seed is None else {"split_seed": split_seed}
        fixed |= {} if init_seed is None else {"init_seed": init_seed}
        runs = [chosen.run(number, **fixed) for number in range(seed, seed + seeds)]
        group = new_group(chosen)
        place = Place(store=store, group=group, device=device, n_processes=n_processes, n_threads=threads)
        units = []
        if circuit_bench:  # first, because it takes longest
            extra = bench(circuit_bench, settle=0.5)
            units += lay_down(place, extra, [extra.run(seed)], role="circuit")
        units += lay_down(place, chosen, runs)
    failures = _carry_out(units, n_processes, threads)
    _finish(store, group, failures, report_path, write=not no_report, as_json=as_json)


def _list(as_json: bool) -> None:
    """Print the benches."""
    from phasescope.studies.grokking.benches import BENCHES

    if as_json:
        rows = [dataclasses.asdict(bench) | {"training": bench.training.described()} for bench in BENCHES.values()]
        echo_json({"benches": rows})
        return
    for name, bench in BENCHES.items():
        click.echo(f"{name:<14}{bench.summary}")


def _carry_out(units: list[Unit], n_processes: int, n_threads: int) -> list[str]:
    """Train with a progress bar per recording; returns what went wrong, one sentence each."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from phasescope.studies.grokking.run import carry_out

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("step {task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[scores]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console()) as bars:
        tasks = {
            unit.recording_id: bars.add_task(f"{unit.bench} × {unit.n_runs}", total=unit.steps, scores="")
            for unit in units
        }

        def show(unit: Unit, seen: TrainingProgress) -> None:
            scores = f"loss {seen.loss:.2g}  train {seen.train_accuracy:.2f}  test {seen.test_accuracy:.2f}"
            bars.update(tasks[unit.recording_id], completed=seen.step, scores=scores)

        outcomes = carry_out(units, n_processes=n_processes, n_threads=n_threads, on_progress=show)
        for outcome in outcomes:
            if not outcome.error:
                bars.update(tasks[outcome.unit.recording_id], completed=outcome.unit.steps)
    if click.get_current_context().find_root().params["traceback"]:
        for outcome in outcomes:
            click.echo(outcome.traceback, nl=False, err=True)
    return [f"{outcome.unit.recording_id}: {outcome.error}" for outcome in outcomes if outcome.error]


def _finish(
    store: Path, group: str, failures: list[str], report_path: Path | None, *, write: bool, as_json: bool
) -> None:
    """Write the report, print the rows, and leave with 1 if a recording failed."""
    from phasescope.studies.grokking.report import write_report
    from phasescope.studies.grokking.run import group_runs, summaries

    members = group_runs(store, group)
    path = None
    if write:
        try:
            path = write_report(store, members.all, report_path or store / f"{group}.html")
        except (PhasescopeError, OSError) as error:  # the rows below are worth more than the page
            failures = [*failures, f"the report could not be written: {error}"]
    rows = summaries(store, members.seeds)
    if as_json:
        document = {"group": group, "runs": rows, "circuit": summaries(store, members.circuit)}
        echo_json(document | {"report": None if path is None else str(path), "failures": failures})
    else:
        _table(rows)
        if path is not None:
            click.echo(f"report: {path.resolve()}")
    for failure in failures:
        click.echo(f"phasescope: {failure}", err=True)
    if failures:
        raise SystemExit(1)


def _table(rows: list[dict[str, Any]]) -> None:
    """One line per run, for people."""
    from phasescope.cli.tables import table

    headers = ("seed", "memorized", "generalized", "delay", "train", "test", "verdict")
    keys = ("seed", "memorization_step", "generalization_step", "delay", "final_train_accuracy", "final_test_accuracy")
    console().print(table(headers, [[*(row[key] for key in keys), row["verdict"] or row["status"]] for row in rows]))
