"""Curves from other people's logs: CSV, Parquet, TensorBoard, Weights & Biases, Hugging Face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasescope.errors import PhasescopeError, unknown_name
from phasescope.store import log_events, log_files
from phasescope.store.log_columns import Log, curves

__all__ = ["Log", "read_log"]


def is_log(path: Path) -> bool:
    """Whether there is something at `path` that could be a log: a file, or a folder with TensorBoard event files."""
    return path.is_file() or (path.is_dir() and bool(log_events.event_folders(path)))


def read_log(path: str | Path, *, step_column: str | None = None, names: Sequence[str] | None = None) -> Log:
    """Read the curves of a log; the kind is told by the name of the file.

    CSV, TSV and text tables with or without a header; Parquet (extra `parquet`); TensorBoard event files and folders of
    them, every point of them (extra `loggers`); the CSV export of the W&B pages and W&B histories as JSON lines;
    `trainer_state.json` of Hugging Face.

    Args:
        path: File or folder.
        step_column: Column of the training steps; found by its usual names if not given.
        names: The curves to keep; all by default.

    Returns:
        The curves in order of their steps, one value per step, and caveats about what had to be left out.

    Raises:
        PhasescopeError: If the file cannot be read as a log, holds no curve, or lacks one that was named.
        MissingExtraError: If reading it needs a package that is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise PhasescopeError(f"no file at {path}")
    try:
        if path.is_dir() or log_events.is_event_file(path):
            log = log_events.read_events(path)
        else:
            log = curves(log_files.read_columns(path), step_column=step_column, source=str(path))
    except OSError as error:
        raise PhasescopeError(f"{path} cannot be read: {error.strerror or error}") from error
    if names is None:
        return log
    for name in names:
        if name not in log.series:
            raise PhasescopeError(f"{path}: {unknown_name('curve', name, log.series)}")
    return Log(source=log.source, series={name: log.series[name] for name in names}, caveats=log.caveats)
