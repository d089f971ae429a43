"""Coverage of the interval of a Kaplan–Meier median, over numbers of runs and censored shares.

Log-normal steps with median 1,000 and a spread of 0.4 in the logarithm, which is wider than published seeds; censoring
by an independent exponential or by one common horizon. Four intervals compete: the beta product limits that
`kaplan_meier` uses, their mid-p version, and Brookmeyer and Crowley's with Greenwood's variance, plain and on the
log-log scale.

    python benchmarks/accuracy/survival.py      writes benchmarks/results/survival.json
"""

from __future__ import annotations

import json
import math
import platform
import time
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import optimize, stats

from phasescope.measures.survival import kaplan_meier

MEDIAN, SPREAD = 1000.0, 0.4
N_TRIALS = 2000
SEED = 20240501


def censoring_scale(share: float) -> float:
    """Scale of an exponential censoring time that cuts off `share` of the runs."""
    grid = stats.lognorm(SPREAD, scale=MEDIAN).ppf((np.arange(4000) + 0.5) / 4000)
    return float(optimize.brentq(lambda scale: np.mean(1 - np.exp(-grid / scale)) - share, 10.0, 1e7))


def brookmeyer_crowley(times: NDArray, observed: NDArray, *, scale: str) -> tuple[float, float]:
    """Steps at which S(t) = ½ is not rejected with Greenwood's variance, on the plain or the log-log scale."""
    event_times = np.unique(times[observed])
    risk = (times[None, :] >= event_times[:, None]).sum(axis=1)
    events = ((times[None, :] == event_times[:, None]) & observed[None, :]).sum(axis=1)
    survival = np.cumprod(1 - events / risk)
    greenwood = np.cumsum(events / np.maximum(risk * (risk - events), 1e-12))
    inner = (survival > 1e-12) & (survival < 1 - 1e-12)
    z = np.where(survival < 0.5, -np.inf, np.inf)
    s = survival[inner]
    if scale == "plain":
        z[inner] = (s - 0.5) / (s * np.sqrt(greenwood[inner]))
    else:
        error = np.sqrt(greenwood[inner]) / np.abs(np.log(s))
        z[inner] = (math.log(math.log(2)) - np.log(-np.log(s))) / error
    kept = np.flatnonzero(np.abs(z) <= stats.norm.ppf(0.975))
    low_side, high_side = np.flatnonzero(z > stats.norm.ppf(0.975)), np.flatnonzero(z < -stats.norm.ppf(0.975))
    if kept.size:
        low = event_times[kept[0]]
    elif low_side.size and low_side[-1] + 1 < len(event_times):
        low = event_times[low_side[-1] + 1]
    else:
        low = times.max()
    return float(low), float(event_times[high_side[0]]) if high_side.size else math.inf


def mid_p(times: NDArray, observed: NDArray) -> tuple[float, float]:
    """Mid-p beta product limits: half the weight on each of the two beta variables, by their exact mixture."""
    order = np.lexsort((~observed, times))
    t, o = times[order], observed[order]
    risk = np.arange(len(t), 0, -1).astype(float)
    mean = square = 1.0
    low, high = None, math.inf
    for i in range(len(t) + 1):
        left = risk[i] if i < len(t) else 0.0
        upper = _below_half(mean, square)
        lower = _below_half(mean * left / (left + 1), square * left / (left + 2))
        p_low = (upper + lower) / 2  # probability that S is below one half
        if low is None and p_low > 0.025:
            low = 0.0 if i == 0 else t[i - 1]
        if p_low >= 0.975:
            high = t[i - 1]
            break
        if i < len(t) and o[i]:
            mean, square = mean * risk[i] / (risk[i] + 1), square * risk[i] / (risk[i] + 2)
    return float(t[-1] if low is None else low), float(high)


def _below_half(mean: float, square: float) -> float:
    variance = square - mean**2
    if variance < 1e-15:
        return float(mean < 0.5)
    size = mean * (1 - mean) / variance - 1
    return float(stats.beta.cdf(0.5, mean * size, (1 - mean) * size))


METHODS = {
    "beta product": lambda t, o: kaplan_meier(t, o).interval,
    "beta product, mid-p": mid_p,
    "Brookmeyer-Crowley log-log": lambda t, o: brookmeyer_crowley(t, o, scale="log-log"),
    "Brookmeyer-Crowley plain": lambda t, o: brookmeyer_crowley(t, o, scale="plain"),
}


def row(n_runs: int, censored: float, kind: str, rng: np.random.Generator) -> dict[str, object]:
    """Coverage, median relative width and share of unbounded intervals of every method, and the median's bias."""
    scale = censoring_scale(censored) if censored and kind == "random" else math.inf
    horizon = stats.lognorm(SPREAD, scale=MEDIAN).ppf(1 - censored) if kind == "horizon" else math.inf
    cover = dict.fromkeys(METHODS, 0)
    widths: dict[str, list[float]] = {name: [] for name in METHODS}
    medians = []
    for _ in range(N_TRIALS):
        true = MEDIAN * np.exp(SPREAD * rng.standard_normal(n_runs))
        limit = np.minimum(rng.exponential(scale, n_runs) if math.isfinite(scale) else math.inf, horizon)
        times, observed = np.minimum(true, limit), true <= limit
        medians.append(kaplan_meier(times, observed).estimate)
        for name, method in METHODS.items():
            low, high = method(times, observed)
            cover[name] += low <= MEDIAN <= high
            widths[name].append((high - low) / MEDIAN)
    reached = [median for median in medians if median is not None]
    return {
        "n_runs": n_runs,
        "censored": censored,
        "censoring": kind,
        "median_reached": len(reached) / N_TRIALS,
        "bias_of_reached": float(np.mean(reached) / MEDIAN - 1),
        "methods": {
            name: {
                "coverage": cover[name] / N_TRIALS,
                "median_width": float(w) if math.isfinite(w := np.median(widths[name])) else None,
                "unbounded": float(np.mean(np.isinf(widths[name]))),
            }
            for name in METHODS
        },
    }


def main() -> None:
    started = time.process_time()
    rng = np.random.default_rng(SEED)
    cases = [(n, 0.0, "none") for n in (8, 16, 50)]
    cases += [(n, c, kind) for kind in ("random", "horizon") for n in (8, 16, 50) for c in (0.2, 0.4)]
    rows = [row(*case, rng) for case in cases]
    document = {
        "measure": "phasescope.measures.survival.kaplan_meier",
        "nominal": 0.95,
        "n_trials": N_TRIALS,
        "seed": SEED,
        "cpu_seconds": round(time.process_time() - started, 1),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "rows": rows,
    }
    target = Path(__file__).parents[1] / "results" / "survival.json"
    target.write_text(json.dumps(document, indent=1) + "\n")
    for one in rows:
        methods = "  ".join(f"{name} {value['coverage']:.3f}" for name, value in one["methods"].items())
        print(f"n={one['n_runs']:<3} censored {one['censored']:.0%} {one['censoring']:<8} {methods}")


if __name__ == "__main__":
    main()
