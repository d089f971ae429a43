"""What the doctor looks at: versions, threads, devices, disk, browser, and two small known answers."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from phasescope.errors import PhasescopeError
from phasescope.store.environment import package_versions
from phasescope.store.filesystem import filesystem_type, is_network

PACKAGES = ("phasescope", "torch", "numpy", "scipy", "numba", "plotly", "click", "rich", "safetensors")
EXTRAS = ("kaleido", "pyarrow", "pandas", "tensorboard")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
BROWSERS = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome")
MAC_BROWSERS = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
LITTLE_SPACE = 2**30  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    level: Literal["ok", "note", "failed"]
    message: str


def examine(store: Path, seed: int) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """Look at everything.

    Args:
        store: Directory of the recordings; it need not exist.
        seed: Seed of the self-check.

    Returns:
        Sections of named facts, and findings.
    """
    findings: list[Finding] = []
    sections: dict[str, dict[str, Any]] = {
        "versions": {
            "python": platform.python_version(),
            **package_versions(PACKAGES),
            **package_versions(EXTRAS),
        },
        "compute": _compute(findings),
        "store": _disk(store, findings),
        "sqlite": _sqlite(findings),
        "browser": _browser(findings),
    }
    findings.append(_attempt("measures", lambda: _known_answer(seed)))
    findings.append(_attempt("store", _write_and_read))
    return sections, findings


def has_wal_reset_race(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the race of two writers on one log: 3.7.0 to 3.51.2, mended in 3.44.6 and 3.50.7."""
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return version >= (3, 7, 0) and not mended


def _compute(findings: list[Finding]) -> dict[str, Any]:
    facts: dict[str, Any] = {"cpu_count": os.cpu_count()}
    if hasattr(os, "sched_getaffinity"):
        facts["cpus_allowed"] = len(os.sched_getaffinity(0))
    facts |= {name: os.environ.get(name) for name in THREAD_VARIABLES}
    try:
        import torch
    except ImportError as error:
        findings.append(Finding("failed", f"torch cannot be imported: {error}"))
        return facts
    facts["torch_threads"] = torch.get_num_threads()
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [f"cuda:{at} ({torch.cuda.get_device_name(at)})" for at in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    facts["devices"] = ", ".join(devices)
    return facts


def _disk(store: Path, findings: list[Finding]) -> dict[str, Any]:
    existing = next(path for path in (store.absolute(), *store.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    facts = {
        "path": str(store),
        "exists": store.is_dir(),
        "writable": writable,
        "free_gb": round(free / 1e9, 1),
        "filesystem": filesystem_type(existing),
        "write_ahead_log": not is_network(existing),
    }
    if not writable:
        findings.append(Finding("failed", f"the store {store} cannot be written"))
    if free < LITTLE_SPACE:
        findings.append(Finding("note", f"only {free / 1e6:.0f} MB are free on the disk of {store}"))
    if is_network(existing):
        findings.append(
            Finding(
                "note",
                f"{store} lies on {facts['filesystem']}, where SQLite's write-ahead log is not safe; recordings there "
                "use a rollback journal, which is slower: record on a local disk and copy the directory afterwards",
            )
        )
    return facts


def _sqlite(findings: list[Finding]) -> dict[str, Any]:
    race = has_wal_reset_race(sqlite3.sqlite_version_info)
    if race:
        findings.append(
            Finding(
                "note",
                f"SQLite {sqlite3.sqlite_version} can damage a file that two connections write at once; "
                "a recording has one writer, so it is safe as long as no other program writes to it",
            )
        )
    return {"version": sqlite3.sqlite_version, "wal_reset_race": race}


def _browser(findings: list[Finding]) -> dict[str, Any]:
    named = os.environ.get("BROWSER_PATH")  # where kaleido looks first
    candidates = [named] if named else []
    candidates += [found for found in map(shutil.which, BROWSERS) if found]
    candidates += [path for path in MAC_BROWSERS if os.path.exists(path)]
    if package_versions(EXTRAS)["kaleido"] is None:
        findings.append(Finding("note", "no PNG, SVG or PDF: pip install 'phasescope[export]'"))
    elif not candidates:
        findings.append(Finding("note", "no PNG, SVG or PDF: kaleido needs a Chrome or Chromium, and none was found"))
    return {"path": candidates[0] if candidates else None}


def _attempt(name: str, check: Callable[[], str | None]) -> Finding:
    try:
        trouble = check()
    except (PhasescopeError, OSError, ImportError, ValueError, ArithmeticError) as error:
        trouble = f"{type(error).__name__}: {error}"
    return (
        Finding("ok", f"self-check: {name}") if trouble is None else Finding("failed", f"self-check: {name}: {trouble}")
    )


def _known_answer(seed: int) -> str | None:
    """A curve that rises at step 1,000 has its transition there."""
    from phasescope.measures.transitions import find_transitions

    rng = np.random.default_rng(seed)
    steps = np.unique(np.geomspace(1, 100_000, 120).astype(np.int64))
    values = 1 / (1 + np.exp(-8 * np.log(steps / 1000))) + rng.normal(0, 0.01, len(steps))
    found = find_transitions(steps, values, rng=rng)
    if len(found) != 1 or not 800 < found[0].midpoint < 1250:
        return f"a rise at step 1000 was located at {[round(one.midpoint) for one in found]}"
    return None


def _write_and_read() -> str | None:
    """What is recorded can be read while it is written and after."""
    from phasescope.store.runs import create_recording, open_run

    with tempfile.TemporaryDirectory(prefix="phasescope-") as root:
        with create_recording(root, study="doctor", config={}, runs=[{"seed": 0}]) as writer:
            writer.append(0, 1, {"x": 0.1})
            writer.commit()
            live = open_run(root, writer.id)
            seen = live.series("x").values[0], live.status
        after = open_run(root, writer.id)
        if seen != (0.1, "running") or after.series("x").values[0] != 0.1 or after.status != "finished":
            return "a temporary recording does not read as it was written"
    return None
