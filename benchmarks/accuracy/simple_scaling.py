"""One and the same test of simple scaling on sandpiles that have it and one that has not, L = 32, 64, 128, 256.

The two-dimensional sandpile of Bak, Tang and Wiesenfeld is multiscaling and must be rejected; that of Manna and the
directed one scale simply and must not be. The same number of grains falls on each, and the test is `simple_scaling`
with its defaults. The first grains of every run alone show how many the rejection needs. Rates of false rejection are
read from many repetitions of two laws that scale simply by construction: the directed sandpile, which has corrections
to scaling, and s^−τ cut off sharply at L^D.

    python benchmarks/accuracy/simple_scaling.py [--quick] [--only-size]

writes benchmarks/results/simple_scaling.json
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import scipy
from numpy.typing import NDArray

from phasescope.measures.simple_scaling import simple_scaling
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.manna import manna_sandpile
from phasescope.synthetic.sandpile import SandpileRun, sandpile

SEED = 20261125
LENGTHS = (32, 64, 128, 256)
LEVEL = 0.05
FEWER = (5_000, 20_000, 100_000)  # grains
KNOWN = {
    "Manna": {"D": 2.750, "tau": 1.273},  # Huynh, Pruessner & Chew (2011)
    "directed": {"D": 1.5, "tau": 4 / 3},  # exact: s ~ T^(3/2) and the depth limits T
}


def every_size(run: SandpileRun) -> NDArray[np.float64]:
    """Sizes by grain, zero for grains that moved nothing."""
    sizes = np.zeros(run.n_grains)
    sizes[run.grain_of] = run.avalanches.sizes
    return sizes


SYSTEMS: dict[str, Callable[[int, int, np.random.Generator], NDArray[np.float64]]] = {
    "Bak–Tang–Wiesenfeld": lambda length, n, rng: every_size(sandpile(length, n_grains=n, rng=rng)),
    "Manna": lambda length, n, rng: every_size(manna_sandpile(length, n_grains=n, rng=rng)),
    "directed": lambda length, n, rng: directed_sandpile(length, n_grains=n, rng=rng).sizes,
}


def cut_power_law(length: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Continuous s^−1.3 from 1 to L^2.5."""
    return (1 + (length ** (-0.3 * 2.5) - 1) * rng.random(n)) ** (-1 / 0.3)


def judged(sizes: dict[int, NDArray[np.float64]]) -> dict:
    """What the test says, without the points behind it."""
    found = simple_scaling(sizes)
    row = {
        "p": found.p_value,
        "rejected": found.p_value < LEVEL,
        "curvature": found.estimate,
        "interval": found.interval,
    }
    row |= {"D": found.dimension, "D_interval": found.dimension_interval, "tau": found.size_exponent}
    row |= {"tau_interval": found.size_exponent_interval, "misfit": found.misfit, "correction": found.correction}
    return row | {"exponents": found.exponents.tolist()}


def sandpiles(n_grains: int, repetitions: int) -> list[dict]:
    """Rejections of each system, and with fewer grains."""
    rows = []
    for at, (name, simulate) in enumerate(SYSTEMS.items()):
        began = time.process_time()
        runs, fewer = [], dict.fromkeys([n for n in FEWER if n < n_grains], 0)
        for repetition in range(repetitions):
            sizes = {
                length: simulate(length, n_grains, np.random.default_rng([SEED, at, repetition, length]))
                for length in LENGTHS
            }
            runs.append(judged(sizes))
            for n in fewer:
                part = {length: values[: n * values.size // n_grains] for length, values in sizes.items()}
                fewer[n] += simple_scaling(part).p_value < LEVEL
            print(name, repetition, {key: runs[-1][key] for key in ("p", "curvature", "D", "tau")}, flush=True)
        row = {"system": name, "L": LENGTHS, "grains": n_grains, "repetitions": repetitions}
        row |= {"rejected": sum(run["rejected"] for run in runs), "rejected_with_fewer_grains": fewer}
        row |= {key: [np.mean([run[key] for run in runs]), np.std([run[key] for run in runs])] for key in ("D", "tau")}
        row |= {"curvature": [np.mean([run["curvature"] for run in runs]), np.std([run["curvature"] for run in runs])]}
        row["mean_exponents"] = np.mean([run["exponents"] for run in runs], axis=0).tolist()
        for key, value in KNOWN.get(name, {}).items():
            inside = sum(run[f"{key}_interval"][0] <= value <= run[f"{key}_interval"][1] for run in runs)
            row |= {f"{key}_known": value, f"{key}_covered": inside}
        row |= {"cpu_seconds": round(time.process_time() - began, 1), "runs": runs}
        rows.append(row)
        print({key: value for key, value in row.items() if key != "runs"}, flush=True)
    return rows


def size_of_the_test(grains: tuple[int, ...], repetitions: int) -> list[dict]:
    """How often laws that scale simply are rejected at the level of 0.05."""
    rows = []
    for at, (name, draw) in enumerate((("directed", SYSTEMS["directed"]), ("cut power law", cut_power_law))):
        for n in grains:
            found = []
            for repetition in range(repetitions):
                rngs = {length: np.random.default_rng([SEED, 10 + at, repetition, length, n]) for length in LENGTHS}
                found.append(simple_scaling({length: draw(length, n, rng) for length, rng in rngs.items()}).p_value)
            row = {"law": name, "grains": n, "repetitions": repetitions, "mean_p": np.mean(found)}
            rows.append(row | {"rejected": float(np.mean(np.array(found) < LEVEL))})
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few grains, results not written")
    parser.add_argument("--only-size", action="store_true", help="redo the size of the test, keep the other results")
    arguments = parser.parse_args()
    quick = arguments.quick
    target = Path(__file__).parents[1] / "results" / "simple_scaling.json"
    kept = json.loads(target.read_text()) if arguments.only_size else {}
    rows = kept.get("sandpiles") or sandpiles(20_000 if quick else 500_000, 2 if quick else 10)
    started = time.process_time()
    document = {
        "seed": SEED,
        "level": LEVEL,
        "required": {"Bak–Tang–Wiesenfeld": "rejected in at least 9 of 10", "others": "in at most 1 of 10"},
        "sandpiles": rows,
        "size_of_the_test": size_of_the_test((20_000,) if quick else (5_000, 50_000), 10 if quick else 300),
        "cpu_seconds": round(time.process_time() - started + sum(row["cpu_seconds"] for row in rows), 1),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "numba": numba.__version__,
        },
    }
    if not quick:
        target.write_text(json.dumps(document, indent=1, default=lambda x: np.asarray(x).tolist()) + "\n")


if __name__ == "__main__":
    main()
