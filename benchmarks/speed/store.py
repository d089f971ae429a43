"""Speed and safety of the run store: rows per second, time to list and to read, and kill −9 trials.

Run: `python benchmarks/speed/store.py [--trials 40]`; the figures land in `benchmarks/results/store.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from phasescope.store import queries
from phasescope.store.connections import reading
from phasescope.store.runs import create_recording, list_runs, open_run

RESULTS = Path(__file__).parents[1] / "results" / "store.json"
SERIES = [f"layer{number}/gradient_norm" for number in range(50)]

CHILD = """
import sys
from phasescope.store.runs import create_recording
writer = create_recording(sys.argv[1], study="killed", config={}, runs=[{"seed": 0}, {"seed": 1}])
print(writer.id, flush=True)
step = 0
while True:
    for _ in range(5):
        step += 1
        for run in range(2):
            writer.append(run, step, {"a": step * 0.5, "b": -step, "c": run})
    writer.commit()
    print(step, flush=True)
"""


def append_rates(root: Path, n_steps: int) -> dict[str, float]:
    """Rows per second, 50 scalars per step, committing each step, each 10, each 100, and as the writer does alone."""
    rates = {}
    for name, every in (("each step", 1), ("each 10 steps", 10), ("each 100 steps", 100), ("by itself", None)):
        values = dict.fromkeys(SERIES, 0.0)
        with create_recording(root, study="append", config={}, runs=[{"seed": 0}]) as writer:
            start = time.perf_counter()
            for step in range(n_steps):
                for series in SERIES:
                    values[series] = step * 1.1
                writer.append(0, step, values)
                if every and step % every == every - 1:
                    writer.commit()
            writer.commit()
            rates[name] = round(n_steps * len(SERIES) / (time.perf_counter() - start))
    return rates


def read_times(root: Path, n_points: int) -> dict[str, float]:
    """Seconds to append and to read one series, and what the same points cost as rows alone."""
    with create_recording(root, study="read", config={}, runs=[{"seed": 0}]) as writer:
        start = time.perf_counter()
        for step in range(n_points):
            writer.append(0, step, {"train/loss": 1.0 / (step + 1)})
        writer.commit()
        appended = time.perf_counter() - start
        run = open_run(root, writer.id)
        live = best_of(5, lambda: run.series("train/loss"))
    closed = best_of(5, lambda: run.series("train/loss"))
    rows = sqlite3.connect(":memory:")
    rows.execute("CREATE TABLE scalar (run, series, step, value, PRIMARY KEY (run, series, step)) WITHOUT ROWID")
    rows.executemany("INSERT INTO scalar VALUES (0, 0, ?, ?)", ((step, 1.0 / (step + 1)) for step in range(n_points)))
    kind = np.dtype([("step", "i8"), ("value", "f8")])
    plain = best_of(3, lambda: np.fromiter(rows.execute("SELECT step, value FROM scalar ORDER BY step"), dtype=kind))
    return {
        "points": n_points,
        "append_s": round(appended, 2),
        "read_while_written_s": round(live, 4),
        "read_closed_s": round(closed, 4),
        "read_as_rows_alone_s": round(plain, 4),
    }


def listing_times(root: Path) -> dict[str, float]:
    """Seconds to list a thousand runs: closed, in recordings of one and of four, and all interrupted."""
    times = {}
    for name, n_recordings, n_runs in (("1000 recordings x 1 run", 1000, 1), ("250 recordings x 4 runs", 250, 4)):
        store = root / f"list-{n_runs}"
        settings = [{"seed": seed, "weight_decay": 1.0, "fraction": 0.4} for seed in range(n_runs)]
        config = {"task": "modular addition", "modulus": 97, "steps": 2500, "model": {"width": 256, "activation": "x²"}}
        with create_recording(store, study="grokking", config=config, runs=settings) as writer:
            for run in range(n_runs):
                for step in range(150):
                    writer.append(run, step, dict.fromkeys(SERIES[:20], step * 0.1))
                writer.write_result(run, "verdict", {"label": "grokking"})
        for number in range(1, n_recordings):
            shutil.copytree(writer.path, store / f"{writer.id}-{number}")
        if len(list_runs(store)) != 1000:
            raise RuntimeError("the store does not hold a thousand runs")
        times[name] = round(best_of(5, lambda store=store: list_runs(store)), 3)
        for manifest in store.glob("*/run.json"):
            document = json.loads(manifest.read_text()) | {"status": "running"}
            manifest.write_text(json.dumps(document))
        times[f"{name}, all interrupted"] = round(best_of(3, lambda store=store: list_runs(store)), 3)
    return times


def kill_trials(root: Path, n_trials: int, rng: random.Random) -> dict[str, Any]:
    """Kill a writer at a random moment; count acknowledged steps that are missing, and views that mix two moments."""
    acknowledged = lost = torn = views = mixed = unlisted = 0
    for trial in range(n_trials):
        store = root / f"kill-{trial}"
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(store)], stdout=subprocess.PIPE, text=True)
        recording = child.stdout.readline().strip()
        deadline = time.monotonic() + rng.uniform(0.2, 0.8)
        while time.monotonic() < deadline:
            with reading(store / recording) as connection:
                names = queries.series_names(connection, 0)
                lengths = {len(queries.series(connection, run, name)) for run in range(2) for name in names}
            views += 1
            mixed += len(lengths) > 1
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        printed = child.stdout.read().split()
        child.wait()
        last = int(printed[-1]) if printed else 0
        acknowledged += last
        series = open_run(store, f"{recording}.1").all_series()
        lengths = {len(curve) for curve in series.values()} or {0}
        torn += len(lengths) > 1 or any(not np.array_equal(c.steps, np.arange(1, len(c) + 1)) for c in series.values())
        lost += max(0, last - min(lengths))
        unlisted += [run.status for run in list_runs(store)] != ["interrupted"] * 2
    return {
        "trials": n_trials,
        "acknowledged_steps": acknowledged,
        "lost_steps": lost,
        "torn_recordings": torn,
        "not_listed_as_interrupted": unlisted,
        "views_while_written": views,
        "views_mixing_two_moments": mixed,
    }


def commit_cost(root: Path, n_commits: int) -> dict[str, float]:
    """Milliseconds of one commit of 51 rows."""
    with create_recording(root, study="commit", config={}, runs=[{"seed": 0}]) as writer:
        times = []
        for step in range(n_commits):
            writer.append(0, step, dict.fromkeys(SERIES, step * 0.1))
            start = time.perf_counter()
            writer.commit()
            times.append(1e3 * (time.perf_counter() - start))
    return {"p50_ms": round(statistics.median(times), 3), "p99_ms": round(statistics.quantiles(times, n=100)[98], 3)}


def best_of(repeats: int, action: Any) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="phasescope-store-") as directory:
        root = Path(directory)
        figures = {
            "rows_per_s": append_rates(root, 20_000),
            "commit": commit_cost(root, 1_000),
            "read_one_series": read_times(root, 1_000_000),
            "list_s": listing_times(root),
            "kill": kill_trials(root, arguments.trials, random.Random(arguments.seed)),
            "setting": {
                "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version,
                "numpy": np.__version__,
                "system": platform.system(),
                "machine": platform.machine(),
                "cpu_count": os.cpu_count(),
                "load": round(os.getloadavg()[0], 1),
                "seed": arguments.seed,
            },
        }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
