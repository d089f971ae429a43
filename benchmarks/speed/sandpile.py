"""Topplings per CPU second of the driven Abelian sandpile, beside the usual loop on the same lattice and grains.

The usual loop finds the unstable sites of the whole lattice with np.where and hands their grains on with np.add.at,
once per wave. Both begin with one stationary lattice and get the same grains; their avalanches must be equal. The two
take turns, and the medians are reported. One thread.

    python benchmarks/speed/sandpile.py [--quick]      writes benchmarks/results/sandpile_speed.json
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from phasescope.synthetic.manna import manna_sandpile
from phasescope.synthetic.neural_sandpile import neural_sandpile
from phasescope.synthetic.sandpile import sandpile

SEED = 20261125
REQUIRED, REQUIRED_RATIO = 5e7, 200


def usual_loop(heights: NDArray[np.int32], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Size of the avalanche of every grain, one wave at a time on a lattice padded by a rim that is emptied."""
    z = np.pad(heights, 1).astype(np.int64)
    sizes = np.zeros(rows.size, dtype=np.int64)
    for i in range(rows.size):
        z[rows[i] + 1, columns[i] + 1] += 1
        while True:
            x, y = np.where(z >= 4)
            if x.size == 0:
                break
            sizes[i] += x.size
            z[x, y] -= 4
            np.add.at(z, (x + 1, y), 1)
            np.add.at(z, (x - 1, y), 1)
            np.add.at(z, (x, y + 1), 1)
            np.add.at(z, (x, y - 1), 1)
            z[0, :] = z[-1, :] = z[:, 0] = z[:, -1] = 0
    return sizes


def compare(size: int, *, grains: int, usual_grains: int, repetitions: int) -> dict:
    """Both programs in turn on the first grains of one stream; ours runs on to `grains`."""
    start = sandpile(size, n_grains=1, rng=np.random.default_rng([SEED, size])).heights
    ours, usual = [], []
    for i in range(repetitions):
        began = time.process_time()
        run = sandpile(size, n_grains=grains, heights=start, rng=np.random.default_rng([SEED, size, i]))
        ours.append(run.total_topplings / (time.process_time() - began))
        sites = np.random.default_rng([SEED, size, i]).integers(size * size, size=grains)[:usual_grains]
        began = time.process_time()
        sizes = usual_loop(start, sites // size, sites % size)
        usual.append(sizes.sum() / (time.process_time() - began))
        every = np.zeros(grains, dtype=np.int64)
        every[run.grain_of] = run.avalanches.sizes
        np.testing.assert_array_equal(sizes, every[:usual_grains])
    row = {"L": size, "grains": grains, "usual_grains": usual_grains, "repetitions": repetitions}
    row |= {"topplings_per_second": np.median(ours), "slowest": min(ours), "usual": np.median(usual)}
    row |= {"usual_fastest": max(usual), "ratio": np.median(ours) / np.median(usual)}
    print(row, flush=True)
    return row


def others(repetitions: int) -> list[dict]:
    """Our speed on the other sandpiles, warm-up included."""
    rows = []
    for name, simulate in (
        ("Manna, L = 128", lambda rng: manna_sandpile(128, n_grains=20_000, rng=rng)),
        (
            "neural, conservative, N = 1000",
            lambda rng: neural_sandpile(1000, n_drives=2_000, conservative=True, rng=rng),
        ),
    ):
        found = []
        for i in range(repetitions + 1):
            began = time.process_time()
            run = simulate(np.random.default_rng([SEED, i]))
            found.append(run.total_topplings / (time.process_time() - began))
        rows.append({"sandpile": name, "topplings_per_second": np.median(found[1:])})  # the first may compile
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few grains, results not written")
    quick = parser.parse_args().quick
    started, repetitions = time.process_time(), 1 if quick else 5
    sandpile(8, n_grains=10, rng=np.random.default_rng(0))  # compiles, or loads what was compiled
    grains = {64: 200_000, 128: 100_000, 256: 30_000}
    rows = [
        compare(
            size, grains=n // 20 if quick else n, usual_grains=n // (2_000 if quick else 50), repetitions=repetitions
        )
        for size, n in grains.items()
    ]
    document = {
        "seed": SEED,
        "required": {"topplings_per_second": REQUIRED, "ratio": REQUIRED_RATIO},
        "driven": rows,
        "others": others(repetitions),
        "reached": all(row["topplings_per_second"] >= REQUIRED and row["ratio"] >= REQUIRED_RATIO for row in rows),
        "cpu_seconds": round(time.process_time() - started, 1),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__},
        "machine": platform.machine(),
    }
    print("reached" if document["reached"] else "NOT reached")
    if not quick:
        target = Path(__file__).parents[1] / "results" / "sandpile_speed.json"
        target.write_text(json.dumps(document, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
