"""Where numbers come from: settings and environment of runs, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from phasescope.reports.tables import Table
from phasescope.store.runs import Run


def settings_table(groups: Mapping[str, Sequence[Run]]) -> Table:
    """One row per setting, one column per group of runs; where its runs differ, all values in their order."""
    names = dict.fromkeys(name for runs in groups.values() for run in runs for name in run.config)
    rows = [(name, *(_values(runs, name) for runs in groups.values())) for name in names]
    return Table(columns=("setting", *groups), rows=rows)


def environment_table(run: Run) -> Table:
    """Versions, threads and device of a run, and when it was recorded."""
    rows = [(name, _shown(value)) for name, value in run.environment.items()]
    return Table(columns=("environment", "value"), rows=[*rows, ("recorded", run.created)])


def _values(runs: Sequence[Run], name: str) -> str:
    return ", ".join(dict.fromkeys(_shown(run.config[name]) for run in runs if name in run.config))


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
