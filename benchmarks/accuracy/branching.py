"""Bias, spread and coverage of the branching ratio, seen in full and in part.

- The calibration's records: m = 0.9 and 0.98, all events seen or a hundredth, 10,000 and 100,000 bins, and m = 0.98
  down to a thousandth; beside the interval of `branching_ratio` that of a block bootstrap on the same blocks.
- Short records, by their length in correlation times.
- Independent bins: how often a branching ratio is given without a caveat.

The naive estimate is r_1, whose expectation b·m is known: b = p/(p + (1 − p)(1 − m²)) with a share p seen.

    python benchmarks/accuracy/branching.py [--quick]      writes benchmarks/results/branching.json
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
from numpy.typing import NDArray

from phasescope.measures.autocorrelation import lagged_sums, regression_slopes
from phasescope.measures.branching import BranchingRatio, branching_ratio, fit_decay
from phasescope.measures.wilson import wilson_interval
from phasescope.studies.criticality.cases.branching import CASES, RECORDS, observed
from phasescope.synthetic.branching import subsampled_amplitude

SEED = 20261126
SHORT = (30, 60, 100, 200, 500)  # correlation times
REPLICAS = 200  # of the block bootstrap


def bootstrap_interval(activity: NDArray, found: BranchingRatio, rng: np.random.Generator) -> tuple[float, float]:
    """Percentiles of refits to blocks drawn with replacement, blocks and lags as for the jackknife."""
    reach = found.lags.size
    sums = lagged_sums(
        activity.astype(np.float64), max_lag=reach, block=max(1, (activity.size - reach) // found.n_blocks)
    )
    n = sums.n_pairs.size
    weights = rng.multinomial(n, np.full(n, 1 / n), size=REPLICAS).astype(np.float64)
    thetas = np.array([fit_decay(row)[0] for row in regression_slopes(sums, weights)[:, 1:]])
    low, high = np.exp(-np.exp(-np.quantile(thetas, [0.025, 0.975])))
    return float(low), float(high)


def coverage(ratio: float, sampling: float, n_bins: int, *, trials: int, bootstrap: bool) -> dict:
    """One setting: what the estimate, its interval, the naive estimate and the bootstrap do."""
    started = time.process_time()
    estimates, low, high, naive, within, without_answer = [], [], [], [], 0, 0
    for trial in range(trials):
        rng = np.random.default_rng([SEED, round(1e4 * ratio), round(1e4 * sampling), n_bins, trial])
        activity = observed(ratio, sampling, n_bins, rng)
        try:
            found = branching_ratio(activity)
        except ValueError:
            without_answer += 1
            continue
        estimates.append(found.estimate)
        low.append(found.interval[0])
        high.append(found.interval[1])
        naive.append(found.naive)
        if bootstrap:
            start, end = bootstrap_interval(activity, found, rng)
            within += start <= ratio <= end
    lows, highs = np.array(low), np.array(high)
    covered = float(np.count_nonzero((lows <= ratio) & (highs >= ratio))) / trials
    row = {
        "m": ratio,
        "sampling": sampling,
        "n_bins": n_bins,
        "correlation_times": -n_bins * math.log(ratio),
        "trials": trials,
        "without_answer": without_answer,
        "coverage": covered,
        "coverage_interval": wilson_interval(covered, trials).tolist(),
        "below": float(np.count_nonzero(highs < ratio)) / trials,
        "above": float(np.count_nonzero(lows > ratio)) / trials,
        "bias": float(np.mean(estimates)) - ratio,
        "spread": float(np.std(estimates, ddof=1)),
        "median_half_width": float(np.median(0.5 * (highs - lows))),
        "naive": float(np.mean(naive)),
        "naive_expected": ratio * subsampled_amplitude(ratio, sampling),
        "naive_spread": float(np.std(naive, ddof=1)),
    }
    if bootstrap:
        row["block_bootstrap_coverage"] = within / trials
    row["cpu_seconds"] = round(time.process_time() - started, 1)
    print({key: value for key, value in row.items() if key != "coverage_interval"}, flush=True)
    return row


def noise(trials: int) -> dict:
    """Share of independent series that are given a branching ratio."""
    case = next(case for case in CASES if case.name == "branching, independent bins")
    share = float(np.mean([case.decide(np.random.default_rng([SEED, 0, trial])) for trial in range(trials)]))
    row = {
        "system": case.system,
        "trials": trials,
        "share": share,
        "share_interval": wilson_interval(share, trials).tolist(),
    }
    print(row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="30 data sets per setting, results not written")
    options = parser.parse_args()
    trials, started = 30 if options.quick else 1_000, time.process_time()
    document: dict[str, object] = {"seed": SEED, "nominal": 0.95, "mean_activity": 1_000}
    document["coverage"] = [coverage(*record, trials=trials, bootstrap=True) for record in RECORDS]
    document["short_records"] = [
        coverage(0.98, sampling, round(times / -math.log(0.98)), trials=trials, bootstrap=True)
        for sampling in (1.0, 0.01)
        for times in SHORT
    ]
    document["independent_bins"] = noise(trials)
    document["cpu_seconds"] = round(time.process_time() - started, 1)
    document["versions"] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
    }
    if not options.quick:
        target = Path(__file__).parents[1] / "results" / "branching.json"
        target.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
