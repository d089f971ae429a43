"""A plain report of any recorded runs: every series with its transitions, the settings and the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phasescope.figures.curves import Axes, Band, Curve, draw_curves
from phasescope.figures.theme import number
from phasescope.figures.transitions import band as stretch
from phasescope.figures.transitions import p_text
from phasescope.reports.document import Document, Listing, Panel, Row, Section
from phasescope.reports.provenance import environment_table, settings_table
from phasescope.reports.tables import Table, digest
from phasescope.store.runs import Run, Series, open_run

if TYPE_CHECKING:
    from phasescope.measures.transitions import Transition

MAX_SERIES = 40  # series with figures of their own; what is beyond is named in a table


def write_run_report(
    store_root: Path | str, run_ids: Sequence[str], path: Path | str, *, seed: int = 0, shared_js: bool = False
) -> Path:
    """Write the report of any runs, whatever recorded them, as one self-contained HTML file.

    Args:
        store_root: The store.
        run_ids: At least one run.
        path: The HTML file.
        seed: Of the random numbers behind the intervals of the transitions.
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
    runs = [open_run(store_root, run_id) for run_id in run_ids]
    series = {run.id: run.all_series() for run in runs}
    found = {run.id: run.find_transitions(rng=np.random.default_rng(seed)) for run in runs}
    return _compose(runs, series, found, seed).write(path, shared_js=shared_js)


def _compose(
    runs: Sequence[Run], series: Mapping[str, Mapping[str, Series]], found: Mapping[str, list[Transition]], seed: int
) -> Document:
    names = list(dict.fromkeys(name for run in runs for name in series[run.id]))
    studies = ", ".join(dict.fromkeys(run.study for run in runs))
    sections = [
        _transitions_section(runs, found, seed),
        _curves_section(runs, series, found, names),
        _last_values_section(runs, series, names),
        _events_section(runs),
        Section(
            title="Settings and environment",
            blocks=[Row(panels=[settings_table({run.id: [run] for run in runs[:4]}), environment_table(runs[0])])],
        ),
    ]
    states = [
        f"{run.id} is {run.status} at step {run.steps}{f' ({run.message})' if run.message else ''}."
        for run in runs
        if run.status != "finished"
    ]
    return Document(
        title=runs[0].id if len(runs) == 1 else f"{len(runs)} runs of {studies}",
        kicker=f"phasescope · {studies}",
        verdict=_sentence(runs, found, len(names)),
        lead=states,
        sections=[section for section in sections if section is not None],
        footer=f"Recorded {runs[0].created[:10]} in group {runs[0].group}.",
    )


def _sentence(runs: Sequence[Run], found: Mapping[str, list[Transition]], n_series: int) -> str:
    """How many transitions there are, and the clearest of them."""
    items = [item for run in runs for item in found[run.id]]
    where = f"{n_series} series" + (f" of {len(runs)} runs" if len(runs) > 1 else "")
    if not items:
        return f"No transition was located in {where}."
    clearest = min(items, key=lambda item: item.p_value)
    low, high = clearest.midpoint_interval
    count = "One transition was" if len(items) == 1 else f"{len(items)} transitions were"
    return (
        f"{count} located in {where}; the clearest is that of {', '.join(clearest.observables)} at step "
        f"{number(clearest.midpoint)} (95 % interval {number(low)}–{number(high)}, p {p_text(clearest.p_value)})."
    )


def _transitions_section(runs: Sequence[Run], found: Mapping[str, list[Transition]], seed: int) -> Section | None:
    rows = [
        (
            run.id,
            ", ".join(item.observables),
            item.onset,
            item.midpoint,
            _interval(item.midpoint_interval),
            f"{number(item.width)} {item.width_unit}",
            p_text(item.p_value).removeprefix("= "),
        )
        for run in runs
        for item in found[run.id]
    ]
    if not rows:
        return None
    columns = ("run", "series", "onset (step)", "midpoint (step)", "95 % interval", "width", "p")
    note = f"The p-value is against a smooth trend with autocorrelated noise; intervals are drawn with seed {seed}."
    doubts = [
        f"{run.id}, {', '.join(item.observables)}: {caveat}"
        for run in runs
        for item in found[run.id]
        for caveat in item.caveats
    ]
    return Section(title="Transitions", blocks=[note, Table(columns=columns, rows=rows), Listing(items=doubts)])


def _curves_section(
    runs: Sequence[Run],
    series: Mapping[str, Mapping[str, Series]],
    found: Mapping[str, list[Transition]],
    names: Sequence[str],
) -> Section | None:
    if not names:
        return None
    intro = "Each series on logarithmic and on linear time: the first shows early change, the second late change."
    rows: list[str | Row] = [intro]
    for name in names[:MAX_SERIES]:
        curves = [
            Curve(
                name=name if len(runs) == 1 else run.id,
                steps=np.asarray(one.steps, dtype=np.float64),
                values=one.values,
                run=run.id,
            )
            for run in runs
            if (one := series[run.id].get(name)) is not None
        ]
        unit = next((one.unit for run in runs if (one := series[run.id].get(name)) is not None), "")
        items = [item for run in runs for item in found[run.id] if item.observables == (name,)]
        label = f"{name} ({unit})" if unit else name
        panels = []
        for log_steps in (True, False):
            figure = draw_curves(
                curves,
                axes=Axes(value_label=label, log_steps=log_steps, log_values=_spans_decades(curves)),
                title=f"{name}, {'logarithmic' if log_steps else 'linear'} time",
                band=_band(items),
            )
            panels.append(Panel(figure=figure, digest=digest(curves)))
        rows.append(Row(panels=panels))
    if len(names) > MAX_SERIES:
        rows.append(f"The other {len(names) - MAX_SERIES} series are in the table of last values.")
    return Section(title="Series", blocks=rows)


def _last_values_section(
    runs: Sequence[Run], series: Mapping[str, Mapping[str, Series]], names: Sequence[str]
) -> Section | None:
    rows = [
        (run.id, name, len(one), int(one.steps[-1]), float(one.values[-1]))
        for run in runs
        for name in names
        if (one := series[run.id].get(name)) is not None and len(one)
    ]
    if not rows:
        return None
    return Section(
        title="Last values", blocks=[Table(columns=("run", "series", "points", "last step", "last value"), rows=rows)]
    )


def _events_section(runs: Sequence[Run]) -> Section | None:
    items = [f"{run.id}, step {event.step}: {event.kind}, {event.message}" for run in runs for event in run.events()]
    return Section(title="Events", blocks=[Listing(items=items)]) if items else None


def _band(items: Sequence[Transition]) -> Band | None:
    """The stretch of the clearest transition of a series."""
    return stretch(min(items, key=lambda item: item.p_value)) if items else None


def _spans_decades(curves: Sequence[Curve]) -> bool:
    """Whether all values are positive and spread over more than two decades, as losses do."""
    values = np.concatenate([curve.values for curve in curves] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    return bool(values.size and values.min() > 0 and values.max() > 100 * values.min())


def _interval(interval: tuple[float, float] | None) -> str:
    if interval is None or not all(math.isfinite(end) for end in interval):
        return "–"
    return f"{number(interval[0])}–{number(interval[1])}"
