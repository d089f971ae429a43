"""The Abelian sandpile against what is known exactly.

- Mean topplings per grain, uniform drive on an open square lattice: Σ (Δ⁻¹)_ij / N, at ten sizes; and over many short
  runs, whether the stated standard errors are those of the estimates.
- The same in three dimensions, and on a dissipative torus.
- Numbers of recurrent states: det Δ, and for L ≤ 3 counted by the burning test over all 4^N states.
- Heights: the center of L = 3, and the infinite lattice in the middle of a large one.
- The law of sizes in one dimension, exact for finite L.
- The identity of the group.

    python benchmarks/accuracy/sandpile.py [--quick]      writes benchmarks/results/sandpile.json
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from pathlib import Path

import numba
import numpy as np
import scipy
import scipy.stats

from phasescope.synthetic import sandpile_group as group
from phasescope.synthetic.sandpile import sandpile

SEED = 20261125
SIZES = (1, 2, 3, 4, 5, 6, 8, 16, 32, 64)
CENTER_OF_THREE = (0.09566327, 0.22193878, 0.31887755, 0.36352041)  # by counting all 100,352 recurrent states


def means(n_grains: int, repetitions: int) -> list[dict]:
    """Estimate and exact value at each size; spread of the deviation in standard errors over short runs."""
    rows = []
    for size in SIZES:
        run = sandpile(size, n_grains=n_grains, rng=np.random.default_rng([SEED, size]))
        exact = group.mean_topplings(size)
        row = {"L": size, "exact": exact, "estimate": run.estimate, "standard_error": run.standard_error}
        row |= {"grains": n_grains, "deviation": (run.estimate - exact) / max(run.standard_error, 1e-12)}
        if 1 < size <= 32:
            runs = [
                sandpile(size, n_grains=20_000, rng=np.random.default_rng([SEED, size, i])) for i in range(repetitions)
            ]
            row["spread_of_short_runs"] = np.std([(one.estimate - exact) / one.standard_error for one in runs])
        rows.append(row)
        print(row, flush=True)
    for name, options in (
        ("three dimensions", {"dimension": 3}),
        ("torus, one grain lost per toppling", {"boundary": "periodic", "dissipation": 1}),
    ):
        run = sandpile(8, n_grains=n_grains, rng=np.random.default_rng([SEED, 8, 8, 8]), **options)
        dimension = options.get("dimension", 2)
        exact = 1.0 if "boundary" in options else group.mean_topplings(8, dimension=dimension)  # 1: what falls must go
        row = {"L": 8, "lattice": name, "exact": exact, "estimate": run.estimate, "standard_error": run.standard_error}
        rows.append(row | {"grains": n_grains, "deviation": (run.estimate - exact) / run.standard_error})
        print(rows[-1], flush=True)
    return rows


def recurrent(largest_counted: int) -> list[dict]:
    """Determinant of Δ, and the number of states that burn."""
    rows = []
    for size in range(1, 6):
        row = {"L": size, "determinant": group.n_recurrent_states((size, size))}
        if size <= largest_counted:
            sites = size * size
            states = (np.arange(4**sites)[:, None] // 4 ** np.arange(sites)) % 4
            row["burning"] = sum(group.is_recurrent(state.reshape(size, size)) for state in states)
        rows.append(row)
        print(row, flush=True)
    return rows


def heights(samples: int, size: int, snapshots: int) -> dict:
    """Laws of the heights, each with its deviation in standard errors where samples are independent."""
    rng = np.random.default_rng([SEED, 0])
    run = sandpile(3, n_grains=100, rng=rng)
    counts = np.zeros(4)
    for _ in range(samples):  # ten grains per site between samples: nothing is remembered
        run = sandpile(3, n_grains=90, heights=run.heights, rng=rng)
        counts[run.heights[1, 1]] += 1
    exact = np.array(CENTER_OF_THREE)
    errors = np.sqrt(exact * (1 - exact) / samples)
    center = {
        "samples": samples,
        "exact": exact,
        "found": counts / samples,
        "deviation": (counts / samples - exact) / errors,
    }
    print("center of three", center, flush=True)
    run = sandpile(size, n_grains=1, rng=rng)
    shares = np.empty((snapshots, 4))
    middle = slice(size // 4, size - size // 4)
    for i in range(snapshots):
        run = sandpile(size, n_grains=size * size // 4, heights=run.heights, rng=rng)
        shares[i] = np.bincount(run.heights[middle, middle].ravel(), minlength=4) / (size // 2) ** 2
    batches = shares.reshape(10, -1, 4).mean(axis=1)
    infinite = {
        "L": size,
        "snapshots": snapshots,
        "exact": group.HEIGHT_PROBABILITIES,
        "found": shares.mean(axis=0),
        "standard_error": batches.std(axis=0, ddof=1) / math.sqrt(10),
        "mean_height": shares.mean(axis=0) @ np.arange(4),
    }
    print("infinite lattice", infinite, flush=True)
    return {"center_of_three": center, "middle_of_large": infinite}


def line_law(size: int) -> np.ndarray:
    """Exact P(size) in one dimension, sizes 0 … : L + 1 equally likely states, all ones or one hole at j."""
    found = []
    for grain in range(1, size + 1):
        found.append(grain * (size + 1 - grain))
        for hole in range(1, size + 1):
            found.append(grain * (hole - grain) if grain < hole else (grain - hole) * (size + 1 - grain))
    return np.bincount(found) / len(found)


def lines(n_grains: int) -> list[dict]:
    """χ² of the sizes of every tenth grain: one grain leaves a correlation of −1/L, ten leave none."""
    rows = []
    for size in (3, 10, 40):
        run = sandpile(size, dimension=1, n_grains=10 * n_grains, rng=np.random.default_rng([SEED, size, 1]))
        every = np.zeros(10 * n_grains, dtype=np.int64)
        every[run.grain_of] = run.avalanches.sizes
        exact = line_law(size)
        counts = np.bincount(every[::10], minlength=exact.size)
        possible = exact > 0
        test = scipy.stats.chisquare(counts[possible], n_grains * exact[possible])
        rows.append(
            {"L": size, "grains": n_grains, "sizes": int(possible.sum()), "chi2": test.statistic, "p": test.pvalue}
        )
        rows[-1]["impossible_sizes_seen"] = int(counts[~possible].sum()) if counts.size == exact.size else -1
        print(rows[-1], flush=True)
    return rows


def identities(sizes: tuple[int, ...]) -> list[dict]:
    """Whether e + e relaxes to e, e burns, and adding e leaves a recurrent state what it is."""
    rows = []
    for size in sizes:
        one = group.identity((size, size))
        state = sandpile(size, n_grains=size * size, rng=np.random.default_rng([SEED, size, 2])).heights
        rows.append(
            {
                "L": size,
                "idempotent": bool((group.relaxed(one + one) == one).all()),
                "recurrent": group.is_recurrent(one),
                "neutral": bool((group.relaxed(state + one) == state).all()),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few grains, results not written")
    quick = parser.parse_args().quick
    started = time.process_time()
    document = {
        "seed": SEED,
        "means": means(20_000 if quick else 1_000_000, 5 if quick else 100),
        "recurrent_states": recurrent(2 if quick else 3),
        "heights": heights(2_000 if quick else 100_000, 64 if quick else 256, 20 if quick else 200),
        "one_dimension": lines(10_000 if quick else 400_000),
        "identity": identities((4, 16) if quick else (4, 16, 64, 128)),
        "cpu_seconds": round(time.process_time() - started, 1),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "numba": numba.__version__,
        },
    }
    if not quick:
        target = Path(__file__).parents[1] / "results" / "sandpile.json"
        target.write_text(json.dumps(document, indent=1, default=lambda x: np.asarray(x).tolist()) + "\n")


if __name__ == "__main__":
    main()
