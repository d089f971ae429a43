"""What batching buys: CPU time per run and step over batch sizes, one thread.

python benchmarks/speed/ensemble.py         writes benchmarks/results/ensemble.json; about one CPU-minute
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

from phasescope.store.environment import describe_environment
from phasescope.studies.grokking.benches import Bench, bench
from phasescope.training.ensemble import Ensemble
from phasescope.training.threads import keep_freed_memory, pin_threads

N_ROUNDS = 7


def small() -> Bench:
    """The smallest network of the comparison: p = 23, H = 32, 40 % of the rows."""
    return dataclasses.replace(bench("F1", width=32), name="p23-H32", fraction=0.4)


def cpu_ms_per_run_step(chosen: Bench, n_runs: int, n_steps: int) -> float:
    """CPU milliseconds per run and step of one batch."""
    ensemble = Ensemble(chosen.training, [chosen.run(seed) for seed in range(n_runs)])
    for _ in range(5):
        ensemble.step()
    start = time.process_time()
    for _ in range(n_steps):
        ensemble.step()
    return (time.process_time() - start) / (n_steps * n_runs) * 1e3


def main() -> None:
    """Time every size in alternation and write the JSON."""
    pin_threads(1)
    keep_freed_memory()
    plan = [(small(), (1, 2, 4, 8, 16, 32)), (bench("F1"), (1, 4, 16)), (bench("F3"), (1, 4, 8, 16))]
    plan += [(bench("F6"), (1, 2, 4, 8)), (bench("T1"), (1, 2, 4, 8)), (bench("P113"), (1, 2))]
    rows = []
    for chosen, sizes in plan:
        times: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(N_ROUNDS):
            for size in sizes:
                once = cpu_ms_per_run_step(chosen, size, n_steps=max(3, 60 // size if chosen.name != "P113" else 3))
                times[size].append(once)
        best = {size: min(values) for size, values in times.items()}
        median = {size: sorted(values)[N_ROUNDS // 2] for size, values in times.items()}
        row = {
            "bench": chosen.name,
            "cpu_ms_per_run_step_median": median,
            "cpu_ms_per_run_step_best": best,
            "gain_median": {size: median[1] / value for size, value in median.items()},
        }
        rows.append(row)
        print(json.dumps(row))
    document = {"environment": describe_environment(threads=1, device="cpu"), "rows": rows}
    path = Path(__file__).parent.parent / "results" / "ensemble.json"
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
