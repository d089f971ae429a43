"""Speed of the x_min scan and of the goodness of fit, beside powerlaw 2.0 and igraph (plfit) on the same data.

The peers run in an environment of their own, named by --peers, one subprocess per figure, one thread, CPU seconds.
igraph has no scan alone: its fit with a p-value of precision ½ is the scan of the data and of one replica, so half of
it is taken as one scan. The full scan, which ours must equal, is written out here and compiled.

    python benchmarks/speed/power_law.py --peers PYTHON [--quick]      writes benchmarks/results/power_law_speed.json
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
import scipy
from numba import njit
from numpy.typing import NDArray

from phasescope.measures.power_law_bootstrap import fitted
from phasescope.measures.power_law_fit import EVERY_CANDIDATE, fit_tail
from phasescope.measures.power_law_sample import power_law_sample

SEED = 20261124
B = 2_500
PEER = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
what, path = sys.argv[1:]
x = np.load(path)
if what == "powerlaw":
    import powerlaw
    start = time.process_time()
    fit = powerlaw.Fit(x, discrete=False, verbose=0)
    found = {"seconds": time.process_time() - start, "x_min": float(fit.xmin), "alpha": float(fit.power_law.alpha),
             "distance": float(fit.power_law.D), "version": powerlaw.__version__}
else:
    import igraph
    precision = {"igraph scan": 0.5, "igraph p": 0.01}[what]
    data = x.tolist()
    start = time.process_time()
    fit = igraph.power_law_fit(data, p_precision=precision)
    seconds = time.process_time() - start
    found = {"seconds": seconds / 2 if what == "igraph scan" else seconds, "x_min": fit.xmin, "alpha": fit.alpha,
             "distance": fit.D, "p_value": fit.p, "version": igraph.__version__}
print(json.dumps(found))
"""


@njit
def full_scan(x: NDArray) -> tuple[float, float, float]:
    """Every point of every tail, for rising continuous data without ties."""
    n = x.size
    best_x, best_alpha, best = 0.0, 0.0, np.inf
    logs = np.log(x)
    for i in range(n - 1):
        total = 0.0
        for j in range(n - 1, i, -1):
            total += logs[j] - logs[i]
        alpha = 1.0 + (n - i) / total
        largest = 0.0
        for j in range(i, n):
            largest = max(largest, abs((n - j) / (n - i) - math.exp((1.0 - alpha) * (logs[j] - logs[i]))))
        if largest < best:
            best_x, best_alpha, best = x[i], alpha, largest
    return best_x, best_alpha, best


def scan(values: NDArray, *, discrete: bool = False) -> dict[str, float]:
    """Our scan, sorting included."""
    start = time.process_time()
    sample, _ = power_law_sample(values, discrete=discrete, x_max=None, censored=None, weights=None)
    place, alpha, _, distance, _, _ = fitted(sample, False, False, discrete, math.inf, EVERY_CANDIDATE)
    seconds = time.process_time() - start
    return {"seconds": seconds, "x_min": float(sample.values[place]), "alpha": alpha, "distance": distance}


def goodness_of_fit(values: NDArray) -> dict[str, float]:
    """Our fit with p from 2,500 replicas."""
    start = time.process_time()
    sample, _ = power_law_sample(values, discrete=False, x_max=None, censored=None, weights=None)
    setting = {"fixed": False, "two_sided": False, "discrete": False, "x_max": math.inf, "n_resampled": 0}
    one = fit_tail(sample, n_synthetic=B, rng=np.random.default_rng(0), **setting)
    return {"seconds": time.process_time() - start, "p_value": one.p_value, "x_min": one.x_min, "alpha": one.alpha}


def peer(python: str, what: str, values: NDArray) -> dict[str, float]:
    """What a peer finds and how long it takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, values)
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [python, "-c", PEER, what, str(path)], env=environment, capture_output=True, text=True, check=True
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of an environment with powerlaw 2.0 and igraph 1.0")
    parser.add_argument("--quick", action="store_true", help="n = 10,000 at most, results not written")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    warm = rng.pareto(1.5, 100) + 1
    scan(warm), scan(np.floor(warm), discrete=True), goodness_of_fit(warm), full_scan(np.sort(warm))
    document: dict[str, object] = {"seed": SEED, "unit": "CPU seconds, one thread"}
    n = 10_000 if options.quick else 100_000
    pareto = (1 - rng.random(n)) ** (-1 / 1.5)
    laws = {
        "Pareto": pareto,
        "lognormal": np.exp(1.5 * rng.standard_normal(n)),
        "uniform body": np.where(rng.random(n) < 0.6, rng.random(n), pareto),
    }
    document["scan"] = rows = []
    for law, values in laws.items():
        ours = min((scan(values) for _ in range(3)), key=lambda one: one["seconds"])
        start = time.process_time()
        x_min, alpha, distance = full_scan(np.sort(values))
        row = {"law": law, "n": n, "ours": ours, "full scan seconds": time.process_time() - start}
        row["same x_min"] = bool(x_min == ours["x_min"])
        row["difference of α"], row["difference of D"] = abs(alpha - ours["alpha"]), abs(distance - ours["distance"])
        if options.peers and law == "Pareto":
            for what in ("igraph scan", "powerlaw"):
                row[what] = peer(options.peers, what, values)
                row[f"times {what}"] = row[what]["seconds"] / ours["seconds"]
        rows.append(row)
        print(json.dumps(row, ensure_ascii=False), flush=True)
    large = 100_000 if options.quick else 1_000_000
    document["large"] = {"Pareto": scan((1 - rng.random(large)) ** (-1 / 1.5)) | {"n": large}}
    document["large"]["lognormal"] = scan(np.exp(1.5 * rng.standard_normal(large))) | {"n": large}
    document["large"]["zeta"] = scan(rng.zipf(2.5, large).astype(float), discrete=True) | {"n": large}
    print(json.dumps(document["large"]), flush=True)
    document["goodness of fit"] = tests = []
    for n in (1_000,) if options.quick else (1_000, 10_000):
        values = (1 - rng.random(n)) ** (-1 / 1.5)
        row = {"n": n, "B": B, "ours": goodness_of_fit(values)}
        if options.peers and n == 1_000:
            row["igraph p"] = peer(options.peers, "igraph p", values)
            row["times igraph"] = row["igraph p"]["seconds"] / row["ours"]["seconds"]
        tests.append(row)
        print(json.dumps(row), flush=True)
    document["versions"] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
    }
    if not options.quick:
        target = Path(__file__).parents[1] / "results" / "power_law_speed.json"
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
