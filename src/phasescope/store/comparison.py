"""Runs side by side: which settings differ, and what each run came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from phasescope.results import brief
from phasescope.store.runs import Run

# Of a result, the fields that say in one number or word what it came to.
HEADLINES = ("label", "estimate", "final")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A table with a column per run."""

    runs: tuple[str, ...]
    settings: dict[str, tuple[Any, ...]]  # those that differ between the runs; None where a run has none
    environment: dict[str, tuple[Any, ...]]  # likewise
    results: dict[str, tuple[Any, ...]]  # what each run came to; None where it has no such result
    last_values: dict[str, tuple[float | None, ...]]  # of each series


def compare(runs: Sequence[Run]) -> Comparison:
    """Lay runs side by side.

    Args:
        runs: At least two.

    Returns:
        What differs in their settings, and all their results.

    Raises:
        ValueError: If there are fewer than two.
    """
    if len(runs) < 2:
        raise ValueError(f"comparing needs two runs; got {len(runs)}")
    settings = [_flat(run.config) for run in runs]
    environments = [_flat(run.environment) for run in runs]
    headlines = [headline_results(run.results()) | {"status": run.status, "steps": run.steps} for run in runs]
    lasts = [{name: float(curve.values[-1]) for name, curve in run.all_series().items() if len(curve)} for run in runs]
    return Comparison(
        runs=tuple(run.id for run in runs),
        settings={name: row for name, row in _rows(settings).items() if any(value != row[0] for value in row)},
        environment={name: row for name, row in _rows(environments).items() if any(value != row[0] for value in row)},
        results=_rows(headlines),
        last_values=_rows(lasts),
    )


def headline_results(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The one number or word of each result that has one."""
    found: dict[str, Any] = {}
    for name, result in results.items():
        for field in HEADLINES:
            if field in result and not isinstance(result[field], (dict, list)):
                found[name] = result[field]
                break
    return found


def interval_text(result: dict[str, Any]) -> str:
    """The interval of a result's estimate as it is printed, or nothing."""
    interval = result.get("interval")
    if not isinstance(interval, list) or len(interval) != 2:
        return ""
    return f"[{brief(interval[0])}, {brief(interval[1])}]"


def _flat(mapping: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested settings under dotted names; what lies deeper than four levels stays whole."""
    flat: dict[str, Any] = {}
    for name, value in mapping.items():
        if isinstance(value, dict) and value and depth < 4:
            flat |= _flat(value, f"{prefix}{name}.", depth + 1)
        else:
            flat[prefix + name] = value
    return flat


def _rows(tables: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: tuple(table.get(name) for table in tables) for name in names}
