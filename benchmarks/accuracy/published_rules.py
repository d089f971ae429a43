"""What published rules for heavy tails and criticality say of data whose law is known, and of noise.

python benchmarks/accuracy/published_rules.py [--quick]      writes benchmarks/results/published_rules.json
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import scipy

from phasescope.measures.power_law import fit_power_law
from phasescope.measures.published_rules import OF, ascending_ccdf_regression, log_log_regression, slope_criterion
from phasescope.synthetic.neural_sandpile import neural_sandpile

SEED = 20261124
N = 10_000


def regression(trials: int, rng: np.random.Generator) -> list[dict]:
    """Exponents of zeta laws by regression, beside maximum likelihood, and coverage of the regression's interval."""
    rows = []
    for alpha in (1.5, 2.5, 3.5):
        samples = [rng.zipf(alpha, N).astype(float) for _ in range(trials)]
        likelihood = [fit_power_law(x, discrete=True, x_min=1, n_bootstrap=0, rng=rng).estimate for x in samples]
        row = {"alpha": alpha, "likelihood": {"mean": np.mean(likelihood), "spread": np.std(likelihood)}}
        for of in OF:
            lines = [log_log_regression(x, of=of) for x in samples]
            found = [line.estimate for line in lines]
            row[of] = {"mean": np.mean(found), "spread": np.std(found)}
            row[of]["coverage"] = np.mean([line.interval[0] <= alpha <= line.interval[1] for line in lines])
        rows.append(row)
        print(row, flush=True)
    return rows


def noise(trials: int, rng: np.random.Generator) -> list[dict]:
    """The rule for spectra on matrices of independent normal entries."""
    rows = []
    for n, m in ((20, 60), (32, 128), (100, 10_000), (300, 900), (768, 3072)):
        lines = []
        for _ in range(trials if n * m < 1e5 else 3):
            weight = rng.standard_normal((n, m)) / np.sqrt(m)
            lines.append(ascending_ccdf_regression(np.linalg.eigvalsh(weight @ weight.T)))
        r_squared = [line.r_squared for line in lines]
        exponents = [line.estimate for line in lines]
        rows.append({"shape": [n, m], "matrices": len(lines), "exponent": np.mean(exponents), "max": max(exponents)})
        rows[-1]["r_squared"] = {"mean": np.mean(r_squared), "least": min(r_squared), "most": max(r_squared)}
        print(rows[-1], flush=True)
    return rows


def criterion(trials: int, rng: np.random.Generator) -> dict[str, list[dict]]:
    """The slope criterion on geometric sizes, and on the neural sandpile as published at three sizes."""
    geometric = []
    for p in (0.05, 0.1, 0.2, 0.3, 0.5):
        found = [slope_criterion(rng.geometric(p, N)) for _ in range(trials)]
        geometric.append({"p": p, "critical": np.mean([one.self_organized_critical for one in found])})
        geometric[-1] |= {name: np.mean([getattr(one, name) for one in found]) for name in ("slope", "r_squared")}
        print(geometric[-1], flush=True)
    sandpile = []
    for n_sites in (100, 1_000, 10_000):
        runs = [neural_sandpile(n_sites, n_drives=20_000, rng=rng).avalanches.sizes for _ in range(trials // 5)]
        found = [slope_criterion(sizes) for sizes in runs]
        fits = [fit_power_law(sizes, discrete=True, n_bootstrap=100, rng=rng) for sizes in runs]
        verdicts = [fit.verdict for fit in fits]
        row = {"sites": n_sites, "runs": len(runs), "critical": np.mean([one.self_organized_critical for one in found])}
        row |= {name: np.mean([getattr(one, name) for one in found]) for name in ("slope", "r_squared", "largest")}
        row |= {"verdicts": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}}
        sandpile.append(row | {"decades": np.mean([fit.decades for fit in fits])})
        print(sandpile[-1], flush=True)
    return {"geometric": geometric, "neural_sandpile": sandpile}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few trials, results not written")
    quick = parser.parse_args().quick
    started, rng, trials = time.process_time(), np.random.default_rng(SEED), 5 if quick else 100
    document = {
        "seed": SEED,
        "n": N,
        "trials": trials,
        "regression": regression(trials, rng),
        "noise": noise(trials, rng),
        "criterion": criterion(trials, rng),
        "cpu_seconds": round(time.process_time() - started, 1),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    }
    if not quick:
        target = Path(__file__).parents[1] / "results" / "published_rules.json"
        target.write_text(json.dumps(document, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
