"""Speed of the likelihood ratios of a power law against four other laws, beside powerlaw 2.0 on the same tail.

The truncated power law contains the power law, so its ratio cannot be positive at the optimum: what each finds is
written down beside the time. The peer runs in an environment of its own, named by --peers, one thread, CPU seconds.

    python benchmarks/speed/likelihood_ratios.py --peers PYTHON [--quick]

writes benchmarks/results/likelihood_ratios.json.
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
from numpy.typing import NDArray

from phasescope.measures.power_law_exponent import discrete_exponent
from phasescope.measures.vuong import compare_with_alternatives

SEED = 20261124
PEER = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
x = np.load(sys.argv[1])
import powerlaw
fit = powerlaw.Fit(x, xmin=float(sys.argv[2]), discrete=False, verbose=0)
found = {"version": powerlaw.__version__}
for law in ("lognormal", "exponential", "stretched_exponential", "truncated_power_law"):
    start = time.process_time()
    ratio, p = fit.distribution_compare("power_law", law)
    found[law] = {"log_ratio": float(ratio), "seconds": time.process_time() - start}
print(json.dumps(found))
"""


def ours(values: NDArray, *, x_min: float, discrete: bool) -> dict[str, float]:
    """Seconds for all four ratios, best of three, and the ratios."""
    seconds = math.inf
    for _ in range(3):
        start = time.process_time()
        mean = float(np.log(values / x_min).mean())
        alpha = discrete_exponent(mean, x_min, math.inf, 0.0) if discrete else 1 + 1 / mean
        found = compare_with_alternatives(values, alpha=alpha, x_min=x_min, x_max=None, discrete=discrete)
        seconds = min(seconds, time.process_time() - start)
    return {"seconds": seconds} | {one.law: one.log_ratio for one in found}


def peer(python: str, values: NDArray, x_min: float) -> dict:
    """What powerlaw finds for each law, and how long it takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, values)
        command = [python, "-c", PEER, str(path), str(x_min)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of an environment with powerlaw 2.0")
    parser.add_argument("--quick", action="store_true", help="10,000 points, results not written")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    n = 10_000 if options.quick else 100_000
    pareto = (1 - rng.random(n)) ** (-1 / 1.5)
    lognormal = np.exp(1.5 * rng.standard_normal(2 * n + 1000))
    tails = {
        "Pareto": (pareto, 1.0, False),
        "lognormal": (lognormal[lognormal > 1][:n], 1.0, False),
        "zeta": (rng.zipf(2.5, n).astype(float), 1.0, True),
        "large whole numbers": (np.floor(20 * (1 - rng.random(n)) ** (-1 / 0.6)), 20.0, True),
    }
    rows = []
    for law, (values, x_min, discrete) in tails.items():
        row = {"data": law, "n": values.size, "ours": ours(values, x_min=x_min, discrete=discrete)}
        if options.peers and law in ("Pareto", "lognormal"):
            row["powerlaw"] = peer(options.peers, values, x_min)
        rows.append(row)
        print(json.dumps(row), flush=True)
    document = {
        "seed": SEED,
        "unit": "CPU seconds, one thread",
        "rows": rows,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "numba": numba.__version__,
        },
    }
    if not options.quick:
        target = Path(__file__).parents[1] / "results" / "likelihood_ratios.json"
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
