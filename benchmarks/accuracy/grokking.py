"""Do the benches grok as they should? Crossings over seeds, random labels as a control, and the circuit's losses.

python benchmarks/accuracy/grokking.py      writes benchmarks/results/grokking.json; about four CPU-minutes
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from phasescope.store.environment import describe_environment
from phasescope.store.runs import open_run
from phasescope.studies.grokking.benches import bench
from phasescope.studies.grokking.run import Place, carry_out, group_runs, lay_down, summaries

# (bench, seeds): the seeds are 0, 1, 2, …; none was chosen by its outcome.
CROSSINGS = (("F3", 8), ("F1", 16), ("T1", 3), ("F6", 4))


def study(store: Path, name: str, seeds: int, **changes: Any) -> list[str]:
    """Train and judge the seeds of a bench; returns the run ids."""
    chosen = bench(name, **changes)
    group = f"{name}-{'-'.join(map(str, changes.values()))}"
    processes = os.cpu_count() or 1
    place = Place(store=store, group=group, n_processes=processes)
    units = lay_down(place, chosen, [chosen.run(seed) for seed in range(seeds)])
    failed = [outcome.error for outcome in carry_out(units, n_processes=processes) if outcome.error]
    assert not failed, failed
    return group_runs(store, group).seeds


def crossings(store: Path, name: str, seeds: int) -> dict[str, Any]:
    """First steps at 0.99 and delays of a bench."""
    rows = summaries(store, study(store, name, seeds))
    keys = ("seed", "memorization_step", "generalization_step", "delay", "final_test_accuracy", "verdict")
    reached, n_keys = [], []
    steepness: dict[str, list[float]] = {}
    for row in rows:
        run = open_run(store, row["id"])
        test = run.series("test/accuracy")
        n_keys.append(len(run.result("key_frequencies")["keys"]))
        for metric in run.result("mirage")["metrics"]:
            steepness.setdefault(metric["metric"], []).append(metric["estimate"])
        reached.append(next((int(s) for s, v in zip(test.steps, test.values, strict=True) if v >= 0.98), None))
    delays = [row["delay"] for row in rows if row["delay"] is not None]
    return {
        "runs": [{key: row[key] for key in keys} for row in rows],
        "first_step_at_0.98": reached,
        "median_delay": float(np.median(delays)) if delays else None,
        "n_key_frequencies": n_keys,
        "median_steepness": {metric: float(np.median(values)) for metric, values in steepness.items()},
    }


def random_labels(store: Path) -> dict[str, Any]:
    """Bench F3 with labels drawn at random, for all of its 1,500 steps."""
    chance = 1 / 59
    rows = []
    for row in summaries(store, study(store, "F3", 8, labels="random")):
        run = open_run(store, row["id"])
        test = run.series("test_all/accuracy")
        unmirrored = run.series("test/accuracy")
        n_test = 59**2 - round(0.4 * 59**2)
        sigma = math.sqrt(chance * (1 - chance) / n_test)
        rows.append(
            {
                "seed": row["seed"],
                "final_train_accuracy": row["final_train_accuracy"],
                "steps": run.steps,
                "mean_test_accuracy_minus_chance": float(test.values.mean() - chance),
                "mean_unmirrored_test_accuracy_minus_chance": float(unmirrored.values.mean() - chance),
                "largest_deviation_sigma": float(np.abs(test.values - chance).max() / sigma),
                "verdict": row["verdict"],
            }
        )
    return {"chance": chance, "runs": rows}


def circuit_losses(store: Path) -> dict[str, Any]:
    """Restricted and excluded loss of bench F6 over 3,000 steps, keys of the final network applied at every step.

    The circuit goes on being cleaned up long after test accuracy has arrived, so no run ends early here.
    """
    rows = []
    for row in summaries(store, study(store, "F6", 4, steps=3000, settle=None)):
        run = open_run(store, row["id"])
        restricted, excluded = run.series("fourier/restricted_loss"), run.series("fourier/excluded_loss")
        train = run.series("train/loss")
        memorized = int(np.searchsorted(restricted.steps, row["memorization_step"]))
        rows.append(
            {
                "seed": row["seed"],
                "n_keys": len(run.result("key_frequencies")["keys"]),
                "restricted_at_start": float(restricted.values[0]),
                "restricted_at_memorization": float(restricted.values[memorized]),
                "restricted_after": float(restricted.values[-1]),
                "restricted_null": run.result("restricted_loss")["null_interval"],
                "excluded_after": float(excluded.values[-1]),
                "train_loss_after": float(train.values[-1]),
                "ratio": float(excluded.values[-1] / train.values[-1]),
            }
        )
    return {"runs": rows}


def main() -> None:
    """Run everything and write the JSON."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        document: dict[str, Any] = {"environment": describe_environment(threads=1, device="cpu")}
        for name, seeds in CROSSINGS:
            document[name] = crossings(store, name, seeds)
            print(name, json.dumps(document[name]))
        document["random_labels"] = random_labels(store)
        print("random labels", json.dumps(document["random_labels"]))
        document["circuit_losses"] = circuit_losses(store)
        print("F6 losses", json.dumps(document["circuit_losses"]))
    path = Path(__file__).parent.parent / "results" / "grokking.json"
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
