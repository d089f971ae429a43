"""Spectra of matrices whose answer is known: false alarms, power against spikes, and the tail index of Lévy matrices.

1. Matrices of independent entries of several laws and shapes: how often the Tracy–Widom p-value falls below .05 and
   .01, and every verdict. 2. Networks as torch initializes them, all layers tested together. 3. One spike around the
   threshold θ = √c of Baik, Ben Arous & Péché: how often it is found, and whether its interval covers θ. 4. Pareto
   entries, N = 1,000: does the interval of the eigenvalues' index cover 1 + μ/2, beside that of a plain fit which takes
   eigenvalues as independent and scans for x_min, and beside the verdict. 5. The bias of that index against N, for
   μ = 0.8, 1.2, 1.6 and tails of several lengths.

    python benchmarks/accuracy/spectra.py [--quick]

writes benchmarks/results/spectra.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
import torch

from phasescope.measures.eigenvalue_tail_index import eigenvalue_tail_index
from phasescope.measures.gram import gram_spectrum
from phasescope.measures.layer_spectra import layer_spectra
from phasescope.measures.matrix_spectrum import matrix_spectrum
from phasescope.measures.power_law import fit_power_law
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix, spiked_matrix

SEED = 20261125
SHAPES = ((10, 10), (10, 100), (20, 20), (20, 80), (50, 50), (50, 500), (100, 100), (100, 300), (200, 200))
STRENGTHS = (0.0, 0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)  # in units of the threshold √c
INDICES = (0.8, 1.2, 1.6)
LONGEST = 0.2  # share of the eigenvalues in the longest tail
ENTRIES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda rng, shape: gaussian_matrix(*shape, rng=rng),
    "uniform": lambda rng, shape: rng.uniform(-(3**0.5), 3**0.5, shape),
    "sign": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "normal, half dropped": lambda rng, shape: 2**0.5 * rng.standard_normal(shape) * (rng.random(shape) < 0.5),
    "Laplace": lambda rng, shape: rng.laplace(scale=0.5**0.5, size=shape),
}
NETWORKS: dict[str, Callable[[], torch.nn.Module]] = {
    "perceptron": lambda: torch.nn.Sequential(
        torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 64)
    ),
    "convolutions": lambda: torch.nn.Sequential(
        torch.nn.Conv2d(3, 32, 3), torch.nn.Conv2d(32, 64, 3), torch.nn.Conv2d(64, 128, 3), torch.nn.Linear(128, 64)
    ),
    "transformer": lambda: torch.nn.Sequential(
        torch.nn.Embedding(1_000, 96),
        torch.nn.TransformerEncoderLayer(96, 4, 384),
        torch.nn.TransformerEncoderLayer(96, 4, 384),
        torch.nn.TransformerDecoderLayer(96, 4, 384),
    ),
    "recurrent": lambda: torch.nn.Sequential(torch.nn.LSTM(64, 96), torch.nn.GRU(96, 96)),
}


def false_alarms(n_matrices: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    for entries, draw in ENTRIES.items():
        for shape in SHAPES:
            found = [matrix_spectrum(draw(rng, shape), rng=rng) for _ in range(n_matrices)]
            p = np.array([one.p_value for one in found])
            rows.append(
                {
                    "entries": entries,
                    "shape": list(shape),
                    "n_matrices": n_matrices,
                    "p_below_0.05": float((p < 0.05).mean()),
                    "p_below_0.01": float((p < 0.01).mean()),
                    "bias_of_variance": float(np.mean([one.noise_variance for one in found]) - 1),
                    "ks_above_noise": float(np.mean([one.ks_distance > one.ks_noise for one in found])),
                    "verdicts": dict(Counter(one.verdict for one in found)),
                }
            )
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return rows


def networks(n_networks: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    torch.manual_seed(SEED)
    for kind, build in NETWORKS.items():
        found = [layer_spectra(build().named_parameters(), rng=rng) for _ in range(n_networks)]
        p = np.concatenate([one.p_values for one in found])
        rows.append(
            {
                "network": kind,
                "n_networks": n_networks,
                "n_layers": len(found[0].names),
                "networks_with_an_alarm": int(np.sum([one.n_unlike_noise > 0 for one in found])),
                "level": found[0].level,
                "p_below_0.05": float((p < 0.05).mean()),
                "p_below_0.01": float((p < 0.01).mean()),
                "heavy_tailed": int(np.sum([one.n_heavy_tailed for one in found])),
                "verdicts": dict(Counter(verdict for one in found for verdict in one.verdicts)),
            }
        )
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return rows


def spikes(n_matrices: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    for n_rows, n_columns in ((100, 400), (300, 300), (400, 1600)):
        for relative in STRENGTHS:
            theta = relative * (n_rows / n_columns) ** 0.5
            found = [
                matrix_spectrum(spiked_matrix(n_rows, n_columns, strengths=[theta], rng=rng), rng=rng)
                for _ in range(n_matrices)
            ]
            seen = [one for one in found if one.n_spikes == 1]
            covered = [abs(one.spike_strengths[0] - theta) <= 1.96 * one.spike_errors[0] for one in seen]
            rows.append(
                {
                    "shape": [n_rows, n_columns],
                    "strength_over_threshold": relative,
                    "n_matrices": n_matrices,
                    "found": float(np.mean([one.n_spikes > 0 for one in found])),
                    "more_than_one": float(np.mean([one.n_spikes > 1 for one in found])),
                    "mean_strength_over_threshold": float(
                        np.mean([one.spike_strengths[0] for one in seen]) / (n_rows / n_columns) ** 0.5
                    )
                    if seen
                    else None,
                    "covered_where_found": float(np.mean(covered)) if seen else None,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def levy_coverage(n_matrices: int, size: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    for mu in INDICES:
        truth = 1 + mu / 2
        cover, alone, plain, estimates, plain_estimates, caveats, verdicts = [], [], [], [], [], [], Counter()
        for _ in range(n_matrices):
            matrix = pareto_matrix(size, size, tail_index=mu, rng=rng)
            found = eigenvalue_tail_index(matrix, rng=rng)
            spectrum = gram_spectrum(matrix)
            resolved = spectrum.eigenvalues[spectrum.eigenvalues > spectrum.resolution]
            scanned = fit_power_law(resolved, n_bootstrap=200, rng=rng)
            estimates.append(found.estimate)
            plain_estimates.append(scanned.estimate)
            cover.append(found.interval[0] <= truth <= found.interval[1])
            alone.append(found.independent_interval[0] <= truth <= found.independent_interval[1])
            plain.append(scanned.interval[0] <= truth <= scanned.interval[1])
            caveats.append(any("steeper than its limit" in one for one in found.caveats))
            verdicts[matrix_spectrum(matrix, n_bootstrap=200, rng=rng).verdict.split(",")[0]] += 1
        rows.append(
            {
                "mu": mu,
                "size": size,
                "truth": truth,
                "n_matrices": n_matrices,
                "covered": int(np.sum(cover)),
                "bias": float(np.mean(estimates) - truth),
                "standard_deviation": float(np.std(estimates)),
                "covered_if_independent": int(np.sum(alone)),
                "caveat_raised": int(np.sum(caveats)),
                "covered_by_scanned_fit": int(np.sum(plain)),
                "bias_of_scanned_fit": float(np.mean(plain_estimates) - truth),
                "verdicts_of_matrix_spectrum": dict(verdicts),
            }
        )
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return rows


def levy_bias(sizes: tuple[int, ...], n_matrices: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    for mu in INDICES:
        for size in sizes:
            repeats = max(n_matrices * sizes[0] // size, 10)
            spectra = [
                gram_spectrum(
                    pareto_matrix(size, size, tail_index=mu, rng=rng), n_exact=round(LONGEST * size) + 1
                ).eigenvalues[::-1]
                for _ in range(repeats)
            ]
            row = {"mu": mu, "size": size, "n_matrices": repeats, "bias": {}, "standard_error": {}}
            for share in (0.02, 0.05, 0.1, LONGEST):
                k = max(round(share * size), 2)
                alpha = [1 + (k - 1) / np.log(one[:k] / one[k]).sum() for one in spectra]
                row["bias"][str(share)] = float(np.mean(alpha) - 1 - mu / 2)
                row["standard_error"][str(share)] = float(np.std(alpha) / repeats**0.5)
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few and small matrices, results not written")
    quick = parser.parse_args().quick
    started = time.process_time()
    rng = np.random.default_rng(SEED)
    document = {
        "seed": SEED,
        "false_alarms": false_alarms(100 if quick else 2_000, rng),
        "networks": networks(5 if quick else 200, rng),
        "spikes": spikes(20 if quick else 200, rng),
        "levy_coverage": levy_coverage(3 if quick else 100, 500 if quick else 1_000, rng),
        "levy_bias": levy_bias((250, 500) if quick else (250, 500, 1_000, 2_000), 20 if quick else 400, rng),
        "cpu_seconds": round(time.process_time() - started, 1),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "torch": torch.__version__,
        },
    }
    if not quick:
        target = Path(__file__).parents[1] / "results" / "spectra.json"
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
