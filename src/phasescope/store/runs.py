"""Runs as they are opened: labelled curves, arrays and results of one run, read while it is written or after."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import RunNotFoundError, unknown_name
from phasescope.results import brief, html_block, pandas, plain, text_block
from phasescope.store import queries
from phasescope.store.connections import reading
from phasescope.store.environment import allowed
from phasescope.store.identifiers import MANIFEST, run_id, split_run_id
from phasescope.store.listing import RunSummary, list_runs, outcomes_of, resolve, status_of
from phasescope.store.manifest import read_manifest
from phasescope.store.recordings import create_recording, resume_recording
from phasescope.store.series import Event, Series, column
from phasescope.store.writer import RecordingWriter

if TYPE_CHECKING:
    import pandas as pd

    from phasescope.measures.transitions import Transition

__all__ = [
    "Event",
    "RecordingWriter",
    "Run",
    "RunSummary",
    "Series",
    "create_recording",
    "list_runs",
    "open_run",
    "resolve",
    "resume_recording",
]

MIN_POINTS = 12  # a curve with fewer is not searched for transitions


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a store. Every method reads one consistent view of that moment, so a live run grows between calls."""

    id: str
    recording_id: str
    index: int  # place on the run axis of its recording
    group: str
    study: str
    status: str  # running | finished | failed | interrupted
    seed: int | None
    created: str  # ISO 8601, UTC
    steps: int  # last step recorded
    message: str
    config: dict[str, Any]  # the recording's settings and the run's own
    settings: dict[str, Any]  # the run's own alone
    environment: dict[str, Any]
    path: Path  # of the recording

    def series(self, name: str) -> Series:
        """The scalar series of that name.

        Raises:
            RunNotFoundError: If the run has none; the message names the closest.
        """
        with reading(self.path) as connection:
            found = queries.series(connection, self.index, name)
            if found is None or not len(found):
                known = queries.series_names(connection, self.index)
                raise RunNotFoundError(f"{self.id}: {unknown_name('series', name, known)}")
        return found

    def series_names(self) -> list[str]:
        """Names of the scalar series, in the order they first appeared."""
        with reading(self.path) as connection:
            return queries.series_names(connection, self.index)

    def all_series(self) -> dict[str, Series]:
        """All scalar series by name, from one view."""
        with reading(self.path) as connection:
            found = {
                name: queries.series(connection, self.index, name)
                for name in queries.series_names(connection, self.index)
            }
        return {name: series for name, series in found.items() if series is not None}

    def array(self, name: str, step: int | None = None) -> NDArray[Any]:
        """The array of that name at a step, or at its last one.

        Raises:
            RunNotFoundError: If there is none; the message says what there is.
        """
        with reading(self.path) as connection:
            found = queries.array(connection, self.index, name, step)
            if found is None:
                steps = queries.array_steps(connection, self.index, name)
                if not steps:
                    known = queries.array_names(connection, self.index)
                    raise RunNotFoundError(f"{self.id}: {unknown_name('array', name, known)}")
                nearest = min(steps, key=lambda at: abs(at - (step or 0)))
                raise RunNotFoundError(f"{self.id}: array {name!r} was not recorded at step {step}; nearest: {nearest}")
        return found

    def array_names(self) -> list[str]:
        """Names of the arrays, in alphabetical order."""
        with reading(self.path) as connection:
            return queries.array_names(connection, self.index)

    def array_steps(self, name: str) -> list[int]:
        """Steps at which an array was recorded, increasing; empty if it never was."""
        with reading(self.path) as connection:
            return queries.array_steps(connection, self.index, name)

    def result(self, name: str) -> dict[str, Any]:
        """The result of that name.

        Raises:
            RunNotFoundError: If there is none; the message names the closest.
        """
        found = self.results()
        if name not in found:
            raise RunNotFoundError(f"{self.id}: {unknown_name('result', name, found)}")
        return found[name]

    def results(self) -> dict[str, dict[str, Any]]:
        """All results by name."""
        with reading(self.path) as connection:
            return queries.results(connection, self.index)

    def events(self) -> list[Event]:
        """What happened on the way, in order."""
        with reading(self.path) as connection:
            return queries.events(connection, self.index)

    def to_dict(self) -> dict[str, Any]:
        """What the run is, what it came to and how its series end, ready for JSON; the curves are in `to_frame()`."""
        names = ("id", "recording_id", "index", "group", "study", "status", "seed", "created", "steps", "message")
        return {
            "run": {name: getattr(self, name) for name in (*names, "config", "environment")},
            "series": [
                {
                    "name": name,
                    "unit": curve.unit,
                    "points": len(curve),
                    "first_step": int(curve.steps[0]),
                    "last_step": int(curve.steps[-1]),
                    "last_value": plain(curve.values[-1]),
                }
                for name, curve in self.all_series().items()
            ],
            "arrays": [{"name": name, "times": len(self.array_steps(name))} for name in self.array_names()],
            "results": self.results(),
            "events": [dataclasses.asdict(event) for event in self.events()],
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per step, a column per series, NaN where nothing was recorded. Needs the extra `frame`."""
        frame = pandas()
        curves = {column(name): curve for name, curve in self.all_series().items()}
        columns = {name: frame.Series(curve.values, index=curve.steps) for name, curve in curves.items()}
        made: pd.DataFrame = frame.DataFrame(columns).reset_index(names="step")
        return made

    def __str__(self) -> str:
        return text_block(f"Run {self.id}", self._rows())

    def _repr_html_(self) -> str:
        return html_block(f"Run {self.id}", self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        """What fits on one screen; reads nothing that was not read on opening but the names of the series."""
        shown = ("study", "status", "message", "group", "created", "seed", "steps")
        rows = [(name, brief(value)) for name in shown if (value := getattr(self, name)) not in ("", None)]
        own = ", ".join(f"{name} {brief(value)}" for name, value in self.settings.items() if name != "seed")
        return [*rows, ("settings", own or "–"), ("series", ", ".join(self.series_names()) or "none yet")]

    def find_transitions(self, *, rng: np.random.Generator, names: list[str] | None = None) -> list[Transition]:
        """Search series for transitions.

        Args:
            rng: Source of randomness for the intervals.
            names: The series to search; by default all with at least 12 finite points.

        Returns:
            The transitions, each naming its series in `observables`, in order of their midpoints.

        Raises:
            RunNotFoundError: If a named series does not exist.
        """
        from phasescope.store.transitions import find_in_series

        chosen = self.all_series().values() if names is None else [self.series(name) for name in names]
        return find_in_series([series for series in chosen if names or _n_finite(series) >= MIN_POINTS], rng=rng)


def open_run(root: str | Path, run: str) -> Run:
    """Open a run for reading; safe for a run from a stranger, and while it is being written.

    Args:
        root: The store.
        run: Id of the run; the id of a recording that holds a single run is its run's.

    Returns:
        The run.

    Raises:
        RunNotFoundError: If there is none of that name; the message names the closest.
        CorruptRunError: If it cannot be read.
        SchemaTooNewError: If a newer phasescope wrote it.

    Example:
        >>> import tempfile
        >>> root = tempfile.mkdtemp()
        >>> with create_recording(root, study="demo", config={}, runs=[{"seed": 7}]) as writer:
        ...     writer.append(0, 10, {"train/loss": 0.25})
        >>> run = open_run(root, writer.id)
        >>> run.status, run.seed, run.steps
        ('finished', 7, 10)
    """
    root = Path(root)
    names = resolve(root, run)
    if names != [run]:
        raise RunNotFoundError(f"{run!r} names {len(names)} runs; open one of them: {', '.join(names[:8])}")
    parts = split_run_id(run)
    assert parts is not None  # resolve returns ids only
    path, index = root / parts[0], parts[1] or 0
    manifest = read_manifest(path / MANIFEST)
    outcome = outcomes_of(path, manifest)[index]
    settings = manifest.settings[index]
    seed = settings.get("seed")
    return Run(
        id=run_id(path.name, index, len(manifest.settings)),
        recording_id=path.name,
        index=index,
        group=manifest.group,
        study=manifest.study,
        status=status_of(path, manifest, outcome),
        seed=seed if isinstance(seed, int) else None,
        created=manifest.created,
        steps=outcome.steps,
        message=outcome.message or manifest.message,
        config=manifest.config | settings,
        settings=settings,
        environment=allowed(manifest.environment),
        path=path,
    )


def _n_finite(series: Series) -> int:
    return int(np.isfinite(series.values).sum())
