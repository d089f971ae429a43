"""TensorBoard event files, every point of them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from phasescope.errors import MissingExtraError, PhasescopeError
from phasescope.store.log_columns import Column, Log, curves
from phasescope.store.series import Series

MARK = "tfevents"  # in the name of every event file


def is_event_file(path: Path) -> bool:
    """Whether the name is that of an event file."""
    return MARK in path.name


def event_folders(path: Path) -> list[Path]:
    """Folders at or under `path` that hold event files, one per run of TensorBoard."""
    return sorted({file.parent for file in path.rglob(f"*{MARK}*") if file.is_file()})


def read_events(path: Path) -> Log:
    """The scalars of an event file, or of all runs under a folder. Needs the extra `loggers`.

    Args:
        path: Event file or folder.

    Returns:
        One curve per tag; with several runs under the folder, each tag follows the name of its run.

    Raises:
        PhasescopeError: If there is no event file, or no scalar in it.
        MissingExtraError: If tensorboard is not installed.
    """
    sources = [path] if path.is_file() else event_folders(path)
    if not sources:
        raise PhasescopeError(f"{path} holds no TensorBoard event files")
    series: dict[str, Series] = {}
    caveats: list[str] = []
    for source in sources:
        prefix = f"{source.relative_to(path)} - " if len(sources) > 1 else ""
        for tag, column, steps in _scalars(source):
            log = curves({"step": steps, tag: column}, step_column="step", source=f"{source}: {tag}")
            for curve in log.series.values():
                series[prefix + tag] = Series(name=prefix + tag, steps=curve.steps, values=curve.values)
            caveats += [f"{prefix}{tag}: {caveat}" for caveat in log.caveats]
    if not series:
        raise PhasescopeError(f"{path} holds TensorBoard events and no scalar among them")
    return Log(source=str(path), series=series, caveats=tuple(caveats))


def _scalars(source: Path) -> Iterator[tuple[str, Column, Column]]:
    """Tag, values and steps, in order of arrival."""
    with _quiet():
        try:
            from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
            from tensorboard.util.tensor_util import make_ndarray
        except ImportError as error:
            raise MissingExtraError("tensorboard", "loggers", "reading TensorBoard event files") from error
        events = EventAccumulator(str(source), size_guidance={SCALARS: 0, TENSORS: 0})  # 0: keep every point
        events.Reload()
        tags = events.Tags()
        found = [(tag, [(event.step, event.value) for event in events.Scalars(tag)]) for tag in tags[SCALARS]]
        for tag in tags[TENSORS]:  # how newer writers keep scalars
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
                points = [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
                found.append((tag, [(step, float(value)) for step, value in points if value.size == 1]))
    for tag, points in found:
        everywhere = np.ones(len(points), dtype=np.bool_)
        steps = np.array([step for step, _ in points], dtype=np.float64)
        values = np.array([value for _, value in points], dtype=np.float64)
        yield tag, Column(values=values, present=everywhere), Column(values=steps, present=everywhere)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tensorboard's own warnings and notes about torn tails of files to itself."""
    logger = logging.getLogger("tensorboard")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
