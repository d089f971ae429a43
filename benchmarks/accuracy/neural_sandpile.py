"""Is the neural sandpile critical? Both criteria on both rules, N = 100 … 10,000, and what loss of stress does.

The study calls the published criterion and the rigorous verdict on 20 seeds of every system. The second table scales
the shares so that each toppling destroys a given part of the 4 it moves, on 1,000 parameters: all stress that comes
must go, so the mean size is at most mean drive / loss, and is that where next to nothing reaches the ends.

    python benchmarks/accuracy/neural_sandpile.py [--quick]      writes benchmarks/results/neural_sandpile.json
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numba
import numpy as np
import scipy

from phasescope.measures.published_rules import slope_criterion
from phasescope.studies.criticality.neural_sandpile import (
    N_DRIVES,
    N_SEEDS,
    SYSTEM_SIZES,
    WARMUP_PER_SITE,
    NeuralSandpileRule,
    neural_sandpile_study,
)
from phasescope.synthetic.neural_sandpile import (
    LARGE_DRIVE,
    LARGE_DRIVE_PROBABILITY,
    SMALL_DRIVE,
    THRESHOLD,
    line_with_far_links,
    neural_sandpile,
)

SEED = 20261125
MEAN_DRIVE = LARGE_DRIVE_PROBABILITY * LARGE_DRIVE + (1 - LARGE_DRIVE_PROBABILITY) * SMALL_DRIVE
LOSSES = (1.4, 0.7, 0.3, 0.1, 0.03, 0.01, 0.003, 0.0)


def table(rule: NeuralSandpileRule) -> list[dict]:
    """One row per system size, means over seeds."""
    rows = []
    for k, n_sites in enumerate(rule.system_sizes):
        row = {"rule": rule.rule, "N": int(n_sites), "passes_published": int(rule.passes[k].sum())}
        row |= {name: float(getattr(rule, name)[k].mean()) for name in ("slopes", "r_squared", "mean_sizes", "largest")}
        row["cut_off"] = [float(rule.cut_offs[k].mean()), float(rule.cut_offs[k].std(ddof=1))]
        rows.append(row)
        print(row, flush=True)
    return rows


def loss(n_sites: int, n_drives: int, repetitions: int) -> list[dict]:
    """Mean size, cut-off and the published criterion against the stress a toppling destroys."""
    neighbors, shares = line_with_far_links(n_sites)
    rows = []
    for part in LOSSES:
        found = []
        for i in range(repetitions):
            run = neural_sandpile(
                n_sites,
                n_drives=n_drives,
                graph=(neighbors, shares * (THRESHOLD - part) / shares.sum(axis=1, keepdims=True)),
                warmup_drives=WARMUP_PER_SITE * n_sites,
                rng=np.random.default_rng([SEED, i, LOSSES.index(part)]),
            )
            sizes = run.avalanches.sizes
            published = slope_criterion(sizes)
            found.append((run.estimate, (sizes**2).sum() / sizes.sum(), sizes.max(), published.self_organized_critical))
        mean, cut_off, largest, passes = np.mean(found, axis=0)
        row = {"loss": part, "mean_size": mean, "bound": MEAN_DRIVE / part if part else None}
        row |= {"lost_inside": mean * part / MEAN_DRIVE, "cut_off": cut_off, "largest": largest}
        rows.append(row | {"passes_published": round(passes * repetitions), "runs": repetitions})
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few seeds and small systems, results not written")
    quick = parser.parse_args().quick
    started = time.process_time()
    losses = loss(200 if quick else 1_000, 5_000 if quick else N_DRIVES, 2 if quick else 10)
    study = neural_sandpile_study(
        (100, 300) if quick else SYSTEM_SIZES,
        n_seeds=3 if quick else N_SEEDS,
        n_drives=5_000 if quick else N_DRIVES,
        seed=SEED,
    )
    rules = []
    for rule in study.rules:
        row = {"rule": rule.rule, "loss": rule.loss, "D": rule.estimate, "D_interval": rule.interval}
        row |= {name: {one: found.count(one) for one in sorted(set(found))} for name, found in summaries(rule)}
        row |= {"passes_published": int(rule.passes[-1].sum()), "critical": int(rule.critical.sum())}
        print(row, flush=True)
        rules.append(row | {"systems": table(rule)})
    document = {
        "seed": SEED,
        "seeds": N_SEEDS,
        "drives": N_DRIVES,
        "rules": rules,
        "loss": losses,
        "cpu_seconds": round(time.process_time() - started, 1),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "numba": numba.__version__,
        },
    }
    if not quick:
        target = Path(__file__).parents[1] / "results" / "neural_sandpile.json"
        target.write_text(json.dumps(document, indent=1, default=lambda x: np.asarray(x).tolist()) + "\n")


def summaries(rule: NeuralSandpileRule) -> list[tuple[str, tuple[str, ...]]]:
    """Verdicts over the seeds, on the largest system and over all of them."""
    return [("verdicts", rule.verdicts), ("reasons", rule.reasons), ("growth", rule.growth)]


if __name__ == "__main__":
    main()
