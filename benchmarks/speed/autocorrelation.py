"""Speed of the regression slopes behind the branching ratio, beside mrestimator 0.2.0 on the same series.

The peer runs in an environment of its own, named by --peers, one thread, CPU seconds, best of three after a first call
that compiles; with numba and without, since neither of its two forms is always the faster. Both packages get the same
driven branching process. The largest difference of their slopes is written down too: it is of the order of
max_lag/n_bins, since here every lag has the same first members, there as many as the lag leaves.

    python benchmarks/speed/autocorrelation.py --peers PYTHON [--quick]

writes benchmarks/results/autocorrelation.json.
"""

from __future__ import annotations

import argparse
import json
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

from phasescope.measures.autocorrelation import lagged_sums, regression_slopes
from phasescope.measures.branching import branching_ratio
from phasescope.synthetic.branching import branching_process

SEED = 20261126
FORMS = ("numba", "numpy")
SIZES = ((100_000, 500), (1_000_000, 50), (1_000_000, 500), (1_000_000, 2_000))
PEER = """
import json, logging, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
x, max_lag, form = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if form == "numpy":
    sys.modules["numba"] = None
import mrestimator
mrestimator.log.setLevel(logging.ERROR)
mrestimator.coefficients(x[:10_000], method="ts", steps=(1, max_lag), numboot=0)
seconds = []
for _ in range(3):
    start = time.process_time()
    found = mrestimator.coefficients(x, method="ts", steps=(1, max_lag), numboot=0)
    seconds.append(time.process_time() - start)
print(json.dumps({"seconds": min(seconds), "all": seconds, "version": mrestimator.__version__,
                  "slopes": [float(r) for r in found.coefficients]}))
"""


def ours(series: NDArray, max_lag: int) -> tuple[dict, NDArray]:
    """Seconds and slopes r_1 … r_max_lag."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        slopes = regression_slopes(lagged_sums(series, max_lag=max_lag, block=series.size))[1:]
        seconds.append(time.process_time() - start)
    return {"seconds": min(seconds), "all": seconds}, slopes


def peer(python: str, series: NDArray, max_lag: int, form: str) -> dict:
    """What mrestimator takes and finds, in the form that uses numba or in the one that does not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, series)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        done = subprocess.run(
            [python, "-c", PEER, str(path), str(max_lag), form],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of an environment with mrestimator 0.2.0")
    parser.add_argument("--quick", action="store_true", help="the smallest size, results not written")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    branching_ratio(branching_process(ratio=0.9, drive=10.0, n_bins=10_000, rng=rng))
    rows = []
    for n_bins, max_lag in SIZES[:1] if options.quick else SIZES:
        series = branching_process(ratio=0.98, drive=20.0, n_bins=n_bins, rng=rng).astype(np.float64)
        row, slopes = ours(series, max_lag)
        row = {"n_bins": n_bins, "max_lag": max_lag, "ours": row}
        if options.peers:
            row["mrestimator"] = forms = {form: peer(options.peers, series, max_lag, form) for form in FORMS}
            differences = [np.abs(slopes - found.pop("slopes")).max() for found in forms.values()]
            row["largest_difference"] = float(max(differences))
            row["times"] = min(found["seconds"] for found in forms.values()) / row["ours"]["seconds"]
        start = time.process_time()
        answer = branching_ratio(series)
        row["branching_ratio"] = {
            "seconds": time.process_time() - start,
            "estimate": answer.estimate,
            "interval": answer.interval,
        }
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
        target = Path(__file__).parents[1] / "results" / "autocorrelation.json"
        target.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
