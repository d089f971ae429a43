"""`phasescope transitions`: where did this curve change, in a recorded run or in anybody's log?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from phasescope.cli.output import console, echo_json, json_option, seed_option, store_option
from phasescope.errors import PhasescopeError, RunNotFoundError

if TYPE_CHECKING:
    from phasescope.measures.mirage import Mirage
    from phasescope.measures.transitions import Transition
    from phasescope.store.series import Series


@click.command
@click.argument("source", metavar="FILE|RUN")
@click.option("--series", "names", metavar="NAME", multiple=True, help="Curve to search; all by default. Repeatable.")
@click.option("--step-column", metavar="NAME", help="Column of the training steps in FILE; found by itself if usual.")
@click.option("--items", "n_items", type=click.IntRange(min=1), help="Test items behind each accuracy.")
@store_option
@seed_option
@json_option
def command(
    source: str,
    names: tuple[str, ...],
    step_column: str | None,
    n_items: int | None,
    store: Path,
    seed: int,
    as_json: bool,
) -> None:
    """Find transitions in FILE or RUN, and say whether a jump is in the model or in the metric.

    FILE is a CSV or Parquet table, TensorBoard event files or a folder of them, a W&B export (CSV or JSON lines) or a
    trainer_state.json. RUN is a recorded run.
    """
    import numpy as np

    from phasescope.store.panels import mirage_panels
    from phasescope.store.runs import MIN_POINTS
    from phasescope.store.transitions import find_in_series

    title, curves, caveats = _curves(source, names, step_column, store)
    long_enough = [curve for curve in curves if int(np.isfinite(curve.values).sum()) >= MIN_POINTS]
    short = [curve.name for curve in curves if curve not in long_enough]
    if not long_enough:
        raise PhasescopeError(
            f"{title}: no curve has {MIN_POINTS} finite points, and fewer cannot tell a transition from noise"
        )
    if short:
        caveats.append(f"not searched, since they have fewer than {MIN_POINTS} finite points: {', '.join(short)}")
    transitions = find_in_series(long_enough, rng=np.random.default_rng(seed))
    panels = mirage_panels(curves, n_items=n_items)
    if as_json:
        echo_json(
            {
                "source": title,
                "seed": seed,
                "searched": [curve.name for curve in long_enough],
                "transitions": [transition.to_dict() for transition in transitions],
                "mirage": {split: panel.to_dict() for split, panel in panels.items()},
                "caveats": caveats,
            }
        )
        return
    _print(title, long_enough, transitions, panels, caveats)


def _curves(
    source: str, names: Sequence[str], step_column: str | None, store: Path
) -> tuple[str, list[Series], list[str]]:
    """What to call the source, its curves, and what had to be left out of them."""
    from phasescope.store.logs import is_log, read_log
    from phasescope.store.runs import open_run

    if is_log(Path(source)):
        log = read_log(source, step_column=step_column, names=names or None)
        return log.source, list(log.series.values()), list(log.caveats)
    if step_column is not None:
        raise click.UsageError("--step-column belongs to a file, and there is none at this path")
    looks_like_path = "/" in source or Path(source).suffix
    if looks_like_path and not store.is_dir():
        raise RunNotFoundError(f"no file at {source}, and no store at {store} to look for a run in")
    try:
        run = open_run(store, source)
    except RunNotFoundError as error:
        raise RunNotFoundError(f"no file at {source}, and {error}") from error
    curves = [run.series(name) for name in names] if names else list(run.all_series().values())
    return run.id, curves, []


def _print(
    title: str,
    searched: Sequence[Series],
    transitions: Sequence[Transition],
    panels: dict[str, Mirage],
    caveats: Sequence[str],
) -> None:
    from phasescope.cli.tables import cell, table
    from phasescope.results import brief

    def with_interval(value: float, interval: Any) -> str:
        return brief(value) if interval is None else f"{brief(value)} [{brief(interval[0])}, {brief(interval[1])}]"

    out = console()
    found = "1 transition" if len(transitions) == 1 else f"{len(transitions)} transitions"
    among = "one curve" if len(searched) == 1 else f"{len(searched)} curves"
    out.print(cell(f"{title}: {found} in {among} searched", "bold"))
    rows = [
        (
            ", ".join(one.observables),
            with_interval(one.onset, one.onset_interval),
            with_interval(one.midpoint, one.midpoint_interval),
            f"{with_interval(one.width, one.width_interval)} {one.width_unit}",
            one.p_value,
        )
        for one in transitions
    ]
    if rows:
        out.print(table(("curve", "onset [95 %]", "midpoint [95 %]", "width [95 %]", "p"), rows))
    doubts = list(caveats)
    for split, panel in panels.items():
        name = f"mirage ({split})" if split else "mirage"
        out.print(cell(f"{name}: {panel.verdict}", "bold"))
        out.print(cell(panel.summary))
        doubts += [f"{name}: {caveat}" for caveat in panel.caveats]
    for one in transitions:
        for caveat in one.caveats:
            out.print(cell(f"caveat, {', '.join(one.observables)}: {caveat}", "yellow"))
    for caveat in doubts:
        out.print(cell(f"caveat: {caveat}", "yellow"))
