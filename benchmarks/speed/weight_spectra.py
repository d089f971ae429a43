"""Speed and memory of the spectra of a randomly initialized GPT-2-small, beside WeightWatcher on the same weights.

12 × (768 × 2304, 768 × 768, 768 × 3072, 3072 × 768) and the embedding, 50,257 × 768, standard deviation .02, float32.
The peer skips the embedding, so the ratio is that of the 48 layers both analyze. It runs in an environment of its own,
named by --peers, one thread, CPU seconds, the two taking turns; memory is the peak above that with the weights loaded
and one small matrix analyzed.

    python benchmarks/speed/weight_spectra.py [--peers PYTHON] [--quick]

writes benchmarks/results/weight_spectra.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import Counter
from pathlib import Path

SHAPES = ((768, 2304), (768, 768), (768, 3072), (3072, 768))
VOCABULARY, WIDTH = 50_257, 768
SEED = 20261126
PEER = """
import json, logging, sys, time, torch
import weightwatcher
logging.disable(logging.CRITICAL)
torch.set_num_threads(1)
torch.manual_seed(int(sys.argv[1]))
class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        pairs = json.loads(sys.argv[2]) * int(sys.argv[3])
        self.layers = torch.nn.ModuleList([torch.nn.Linear(n, m, bias=False) for m, n in pairs])
        for layer in self.layers:
            torch.nn.init.normal_(layer.weight, std=0.02)
model = Layers()
start = time.process_time()
table = weightwatcher.WeightWatcher(model=model).analyze()
seconds = time.process_time() - start
alpha = table["alpha"]
print(json.dumps({
    "version": weightwatcher.__version__, "seconds": seconds, "n_layers": len(table),
    "alpha_min": float(alpha.min()), "alpha_median": float(alpha.median()), "alpha_max": float(alpha.max()),
    "warnings": {str(k): int(v) for k, v in table["warning"].value_counts().items()},
}))
"""


def ours(n_blocks: int, dtype: str, vocabulary: int) -> dict:
    """Seconds for the layers and for the embedding, peak memory and verdicts; in this process."""
    import time

    import numpy as np
    import torch

    from phasescope.measures.gram import gram_spectrum
    from phasescope.measures.layer_spectra import layer_spectra
    from phasescope.measures.matrix_spectrum import matrix_spectrum

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    weights = {
        f"{block}.{place}": torch.empty(shape).normal_(std=0.02)
        for block in range(n_blocks)
        for place, shape in enumerate(SHAPES)
    }
    embedding = torch.empty(vocabulary, WIDTH).normal_(std=0.02)
    rng = np.random.default_rng(SEED)
    matrix_spectrum(torch.empty(30, 40).normal_(), rng=rng)
    before = _reset_peak()
    start = time.process_time()
    found = layer_spectra(weights, dtype=dtype, rng=rng)
    layers_s = time.process_time() - start
    start = time.process_time()
    of_embedding = matrix_spectrum(embedding, dtype=dtype, rng=rng)
    embedding_s = time.process_time() - start
    above = _peak() - before
    errors, stated = [], []
    if dtype == "float32":
        for name in list(weights)[: len(SHAPES)]:
            exact = np.sort(np.linalg.svd(weights[name].double().numpy(), compute_uv=False) ** 2)
            quick = gram_spectrum(weights[name], dtype=dtype)
            errors.append(float(np.abs(quick.eigenvalues - exact).max() / exact[-1]))
            stated.append(quick.error / float(exact[-1]))
    return {
        "dtype": dtype,
        "n_layers": len(weights),
        "layers_seconds": layers_s,
        "embedding_seconds": embedding_s,
        "peak_mib_above_weights": above / 2**20,
        "verdicts": dict(Counter(found.verdicts)),
        "heavy_tailed": found.n_heavy_tailed,
        "smallest_p": float(found.p_values.min()),
        "smallest_adjusted_p": float(found.adjusted_p_values.min()),
        "embedding_verdict": of_embedding.verdict,
        "embedding_p": of_embedding.p_value,
        "largest_error_over_largest_eigenvalue": max(errors, default=None),
        "stated_error_over_largest_eigenvalue": min(stated, default=None),
    }


def _reset_peak() -> int:
    """Resident memory now, in bytes; from here on `_peak` counts."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {key}")


def _child(command: list[str]) -> dict:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of an environment with weightwatcher 0.7.7 and torch")
    parser.add_argument("--quick", action="store_true", help="two blocks, a small vocabulary, results not written")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    n_blocks, vocabulary, rounds = (2, 10_000, 1) if options.quick else (12, VOCABULARY, 3)
    if options.one:
        print(json.dumps(ours(n_blocks, options.one, vocabulary), ensure_ascii=False))
        return
    rows: list[dict] = []
    peers: list[dict] = []
    quick = ["--quick"] if options.quick else []
    for _ in range(rounds):
        for dtype in ("float64", "float32"):
            rows.append(_child([sys.executable, __file__, "--one", dtype, *quick]))
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
        if options.peers:
            peers.append(_child([options.peers, "-c", PEER, str(SEED), json.dumps(SHAPES), str(n_blocks)]))
            print(json.dumps(peers[-1]), flush=True)
    document: dict = {"seed": SEED, "unit": "CPU seconds, one thread", "rounds": rounds, "ours": rows, "peer": peers}
    for dtype in ("float64", "float32"):
        mine = sorted(row["layers_seconds"] for row in rows if row["dtype"] == dtype)
        document[f"{dtype}_layers_seconds"] = mine[len(mine) // 2]
        if peers:
            theirs = sorted(row["seconds"] for row in peers)
            document[f"{dtype}_ratio"] = theirs[len(theirs) // 2] / mine[len(mine) // 2]
            document[f"{dtype}_ratio_worst"] = theirs[0] / mine[-1]
    import numpy
    import scipy
    import torch

    document["versions"] = {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "torch": torch.__version__,
    }
    print(json.dumps({key: value for key, value in document.items() if "float" in key}))
    if not options.quick:
        target = Path(__file__).parents[1] / "results" / "weight_spectra.json"
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
