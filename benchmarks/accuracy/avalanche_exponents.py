"""Exponents and shapes of avalanches against systems whose exponents are exact.

1. The cases of `phasescope calibrate` whose names begin with "avalanches": coverage of τ, α, γ and the γ of shapes on
   critical trees and on the directed sandpile; whole, cut short, read from a raster, and off critical; and how often
   the crackling-noise relation and one common shape are wrongly rejected.
2. The first 100 data sets of the whole systems, counted.
3. Mean size of trees by duration against the exact law, bin by bin, and what a regression of its logarithm makes of it.
4. Shape collapse of profiles without noise.
5. What a choice of bins, or seeing some of the events, does to critical trees.
6. Off critical: of the intervals that miss, how many come without a caveat. The same sandpile with and without the
   avalanches that reach its last row marked as censored.

    python benchmarks/accuracy/avalanche_exponents.py [--quick] [--processes N]

writes benchmarks/results/avalanche_exponents.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import platform
import time
import zlib
from pathlib import Path

import numba
import numpy as np
import scipy
from scipy.special import chdtrc

from phasescope.measures.avalanche_exponents import avalanche_exponents
from phasescope.measures.avalanches import Avalanches, avalanches
from phasescope.measures.shape_collapse import shape_collapse
from phasescope.results import plain
from phasescope.studies.criticality.calibration import calibrate
from phasescope.studies.criticality.cases.avalanches import FEW, TREES, WHOLE, relation_rejected, sandpile, trees
from phasescope.studies.criticality.cases.verdicts import in_time
from phasescope.synthetic.branching import subsampled
from phasescope.synthetic.galton_watson import galton_watson, mean_size_of_duration

SEED = 20261126
LONGEST = 200  # generations of the trees whose mean sizes are compared
REGRESSED = (5, 150)
PARTS = {"τ": "sizes: ", "α": "durations: ", "γ": "mean sizes: "}


def coverage(trials: int | None, n_processes: int) -> dict:
    found = calibrate(["avalanches"], trials=trials, n_processes=n_processes, seed=SEED, on_progress=progress)
    for row in found.estimates:
        print(f"{row.case} · {row.quantity}: {row.coverage:.3f}, bias {row.bias:+.4f}, spread {row.spread:.4f}")
    for row in found.decisions:
        print(f"{row.case}: {row.share:.3f}")
    return {
        "estimates": [plain(row.to_dict()) for row in found.estimates],
        "decisions": [plain(row.to_dict()) for row in found.decisions],
        "cpu_seconds": round(found.cpu_seconds, 1),
    }


def progress(case: str, n: int) -> None:
    print(f"{case}: {n} more", flush=True)


def first_hundred(n: int) -> list[dict]:
    """How many of the first data sets of each whole system have all intervals on the truth, and reject the relation."""
    rows = []
    for name, (truths, draw) in WHOLE.items():
        covered, rejected = dict.fromkeys(truths, 0), 0
        for trial in range(n):
            drawn = draw(stream(f"avalanches, {name}", trial))
            for quantity, (low, high) in intervals(drawn).items():
                covered[quantity] += low <= truths[quantity] <= high
            rejected += relation_rejected(lambda rng, found=drawn: found, np.random.default_rng(0))
        rows.append({"system": name, "n": n, "covered": covered, "relation_rejected": rejected})
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return rows


def stream(case: str, trial: int) -> np.random.Generator:
    """The random numbers that the calibration gives that trial."""
    return np.random.default_rng([SEED, zlib.crc32(case.encode()), trial])


def intervals(drawn: Avalanches) -> dict[str, tuple[float, float]]:
    found = avalanche_exponents(drawn)
    return {
        "τ": found.size_exponent_interval,
        "α": found.duration_exponent_interval,
        "γ": found.mean_size_exponent_interval,
        "γ of shapes": shape_collapse(drawn).interval,
    }


def mean_sizes(n_trees: int) -> list[dict]:
    rows = []
    for offspring in ("poisson", "geometric"):
        found = galton_watson(
            n_trees, offspring=offspring, max_generations=LONGEST, rng=np.random.default_rng([SEED, len(offspring)])
        )
        whole = ~found.censored
        t, sizes = found.durations[whole], found.sizes[whole]
        exact = mean_size_of_duration(LONGEST, offspring=offspring)
        edges = np.unique(np.round(np.concatenate([np.arange(1, 10), np.geomspace(10, LONGEST, 12)]))).astype(int)
        bins = []
        for low, high in itertools.pairwise(edges):
            inside = (t >= low) & (t < high)
            excess = sizes[inside] - exact[t[inside] - 1]
            error = float(excess.std() / inside.sum() ** 0.5)
            bins.append(
                {
                    "durations": [int(low), int(high - 1)],
                    "n": int(inside.sum()),
                    "mean_size": float(sizes[inside].mean()),
                    "exact": float(exact[t[inside] - 1].mean()),
                    "standard_errors_apart": float(excess.mean() / error) if error > 0 else 0.0,
                }
            )
        apart = np.array([one["standard_errors_apart"] for one in bins[1:]])  # a tree of one generation has size 1
        first, last = REGRESSED
        durations = np.arange(first, last + 1)
        means = np.bincount(t, weights=sizes, minlength=last + 1) / np.maximum(np.bincount(t, minlength=last + 1), 1)
        few = avalanche_exponents(galton_watson(20_000, offspring=offspring, rng=np.random.default_rng(SEED)))
        rows.append(
            {
                "offspring": offspring,
                "n_trees": n_trees,
                "bins": bins,
                "largest_standard_errors_apart": float(np.abs(apart).max()),
                "chi_square_p": float(chdtrc(apart.size, float(apart @ apart))),
                "regression_of_exact_curve": slope(durations, exact[durations - 1]),
                "regression_of_simulated_means": slope(durations, means[durations]),
                "corrected_exponent_of_20000_trees": few.mean_size_exponent,
                "corrected_interval": few.mean_size_exponent_interval,
            }
        )
        print(json.dumps({key: value for key, value in rows[-1].items() if key != "bins"}), flush=True)
    return rows


def slope(t: np.ndarray, means: np.ndarray) -> float:
    return float(np.polyfit(np.log(t), np.log(means), 1)[0])


def profiles_without_noise() -> list[dict]:
    lengths = np.arange(10, 101)
    rows = []
    for gamma in (0.3, 1.0, 2.0):
        middles = [(np.arange(t) + 0.5) / t for t in lengths]
        profiles = [t**gamma * 4 * u * (1 - u) for t, u in zip(lengths, middles, strict=True)]
        perfect = Avalanches(
            sizes=np.array([one.sum() for one in profiles]),
            durations=lengths,
            censored=np.zeros(lengths.size, dtype=bool),
            profiles=np.concatenate(profiles),
            offsets=np.concatenate(([0], np.cumsum(lengths))),
            n_bins=0,
        )
        found = shape_collapse(perfect, durations=(10, 100))
        rows.append({"gamma": gamma, "estimate": found.estimate, "error": found.estimate / gamma - 1})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def off_critical(n: int) -> list[dict]:
    """Misses with and without a caveat that says that the law of that quantity ends, or spans less than a decade."""
    rows = []
    for ratio in (0.98, 0.95, 0.9):
        missed, silent, answers = dict.fromkeys(PARTS, 0), dict.fromkeys(PARTS, 0), 0
        for trial in range(n):
            rng = np.random.default_rng([SEED, int(100 * ratio), trial])
            found = avalanche_exponents(trees(FEW, rng, ratio=ratio))
            answers += 1
            ends = (found.size_exponent_interval, found.duration_exponent_interval, found.mean_size_exponent_interval)
            for (quantity, name), (low, high) in zip(PARTS.items(), ends, strict=True):
                if not low <= TREES[quantity] <= high:
                    missed[quantity] += 1
                    silent[quantity] += not any(one.startswith(name) for one in found.caveats)
        rows.append({"ratio": ratio, "n": answers, "missed": missed, "missed_without_caveat": silent})
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return rows


def unmarked_ends(n: int, n_rows: int) -> dict:
    """The directed sandpile, with avalanches that reach the last row taken for such as ended there."""
    truths = WHOLE[f"directed sandpile, {FEW:,}"][0]
    covered = {"marked": dict.fromkeys(PARTS, 0), "not marked": dict.fromkeys(PARTS, 0)}
    cut_offs = {"marked": 0, "not marked": 0}
    reach = 0
    for trial in range(n):
        marked = sandpile(FEW, np.random.default_rng([SEED, n_rows, trial]), n_rows=n_rows)
        reach += int(marked.censored.sum())
        blind = dataclasses.replace(marked, censored=np.zeros(len(marked), dtype=bool))
        for name, drawn in (("marked", marked), ("not marked", blind)):
            found = avalanche_exponents(drawn)
            ends = (found.size_exponent_interval, found.duration_exponent_interval, found.mean_size_exponent_interval)
            for quantity, (low, high) in zip(PARTS, ends, strict=True):
                covered[name][quantity] += low <= truths[quantity] <= high
            cut_offs[name] += any(found.cut_off) or not all(found.accepted)
    row = {"n_rows": n_rows, "n": n, "mean_cut": reach / n, "covered": covered, "cut_off_seen": cut_offs}
    print(json.dumps(row, ensure_ascii=False), flush=True)
    return row


def regressions(n: int) -> dict:
    """What a regression of the logarithms of mean sizes finds in data sets of 20,000 trees."""
    first, last = REGRESSED
    slopes = []
    for trial in range(n):
        found = galton_watson(20_000, max_generations=3_000, rng=np.random.default_rng([SEED, 7, trial]))
        t, sizes = found.durations[~found.censored], found.sizes[~found.censored]
        counts = np.bincount(t, minlength=last + 1)[first : last + 1]
        totals = np.bincount(t, weights=sizes, minlength=last + 1)[first : last + 1]
        seen = counts > 0
        slopes.append(slope(np.arange(first, last + 1)[seen], totals[seen] / counts[seen]))
    row = {"n": n, "n_trees": 20_000, "mean": float(np.mean(slopes)), "standard_deviation": float(np.std(slopes))}
    print(json.dumps(row), flush=True)
    return row


def choices(n: int) -> list[dict]:
    """Exponents of one and the same trees in time, when bins are joined, or only a share of the events is seen."""
    rows = []
    for bin_size, sampling in ((1, 1.0), (2, 1.0), (4, 1.0), (8, 1.0), (1, 0.5), (1, 0.1)):
        read = []
        for trial in range(n):
            rng = np.random.default_rng([SEED, 8, trial])
            activity = in_time(trees(FEW, rng), rng=rng)
            seen = activity if sampling == 1 else subsampled(activity, probability=sampling, rng=rng)
            try:
                found = avalanche_exponents(avalanches(seen, bin_size=bin_size))
            except ValueError:  # too few are left
                continue
            ends = (found.size_exponent_interval, found.duration_exponent_interval, found.mean_size_exponent_interval)
            hit = [low <= truth <= high for (low, high), truth in zip(ends, TREES.values(), strict=False)]
            read.append([found.size_exponent, found.duration_exponent, found.mean_size_exponent, found.n, *hit])
        middle = np.median(read, axis=0)
        rows.append(
            {
                "bin_size": bin_size,
                "sampling": sampling,
                "n": n,
                "answers": len(read),
                "median": dict(zip(PARTS, middle[:3].tolist(), strict=True)),
                "covered": dict(zip(PARTS, np.sum(read, axis=0)[4:].astype(int).tolist(), strict=True)),
                "median_avalanches": float(middle[3]),
            }
        )
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few data sets, results not written")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    quick = options.quick
    started = time.process_time()
    document = {
        "seed": SEED,
        "profiles_without_noise": profiles_without_noise(),
        "mean_sizes": mean_sizes(100_000 if quick else 1_000_000),
        "first_hundred": first_hundred(10 if quick else 100),
        "off_critical": off_critical(20 if quick else 200),
        "unmarked_ends": [unmarked_ends(10 if quick else 100, n_rows) for n_rows in (64, 20_000)],
        "regressions": regressions(10 if quick else 200),
        "choices": choices(4 if quick else 40),
        "coverage": coverage(10 if quick else None, options.processes),
    }
    document["versions"] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
    }
    document["own_cpu_seconds"] = round(time.process_time() - started, 1)
    if not quick:
        target = Path(__file__).parents[1] / "results" / "avalanche_exponents.json"
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
