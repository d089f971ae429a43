"""Circuit measures against known truth: clock and pizza, parallelograms, Fourier nulls, interval coverage, time.

python benchmarks/accuracy/circuit_measures.py      writes benchmarks/results/circuit_measures.json
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit

from phasescope.measures.clock_and_pizza import (
    distance_irrelevance,
    gradient_symmetricity,
    symmetricity_of_gradients,
)
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.fourier import embedding_spectrum, key_frequencies, table_spectrum
from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
from phasescope.measures.representation import circularity, representation_quality
from phasescope.synthetic.circuits import circuit

SEED = 20240503
NOISE = 0.01
N_NETWORKS = 20  # noise draws and frequency sets per kind and modulus
N_EMBEDDINGS = 200
N_TRIALS = 1000


def clock_and_pizza(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Both measures on hand-built networks of 2 to 5 random frequencies, with two kinds of logit noise."""
    rows = []
    for p in (23, 59, 113):
        for kind in ("clock", "pizza"):
            found: dict[str, list[float]] = {"symmetricity": [], "irrelevance": [], "irrelevance_iid_noise": []}
            n_networks = N_NETWORKS if p < 100 else 4
            for i in range(n_networks):
                frequencies = 1 + rng.choice((p - 1) // 2, size=2 + i % 4, replace=False)
                network = circuit(kind, p=p, frequencies=frequencies, noise=NOISE, rng=rng)
                clean = circuit(kind, p=p, frequencies=frequencies).table()
                symmetric = gradient_symmetricity(network.logits, network.embedding, network.embedding, rng=rng)
                found["symmetricity"].append(symmetric.estimate)
                found["irrelevance"].append(distance_irrelevance(network.table()).estimate)
                iid = clean + rng.normal(scale=NOISE, size=clean.shape)
                found["irrelevance_iid_noise"].append(distance_irrelevance(iid).estimate)
                exact = distance_irrelevance(clean)
            rows.append(
                {"p": p, "kind": kind, "n_networks": n_networks, "logit_noise": NOISE}
                | {name: [min(values), max(values)] for name, values in found.items()}
                | {"without_noise": exact.caveats[0] if exact.caveats else exact.estimate}
            )
    return rows


def parallelograms(rng: np.random.Generator) -> dict[str, Any]:
    """The three indices on lines, circles of every frequency, and Gaussian embeddings."""
    lines, circles, gaussians = [], [], []
    for p in (10, 23, 31, 59, 113):
        line = representation_quality(np.arange(p)[:, None])
        lines.append({"p": p, "ordinary": line.estimate, "modular": line.modular})
        found = []
        for k in range(1, (p - 1) // 2 + 1):
            if np.gcd(k, p) == 1:
                angle = 2 * np.pi * k * np.arange(p) / p
                found.append(representation_quality(np.stack([np.cos(angle), np.sin(angle)], axis=1)))
        circles.append(
            {
                "p": p,
                "ordinary": [min(r.estimate for r in found), max(r.estimate for r in found)],
                "modular": [min(r.modular for r in found), max(r.modular for r in found)],
                "phase": min(r.phase for r in found),
            }
        )
    for p in (31, 59, 113):
        for n_dimensions in (1, 2, 4, 128):
            n = N_EMBEDDINGS if p < 100 else 40
            found = [representation_quality(rng.normal(size=(p, n_dimensions))) for _ in range(n)]
            phases = [r.phase for r in found if r.phase is not None]
            gaussians.append(
                {"p": p, "n_dimensions": n_dimensions, "n_embeddings": n}
                | {"ordinary_mean": float(np.mean([r.estimate for r in found]))}
                | {"ordinary_max": max(r.estimate for r in found), "modular_max": max(r.modular for r in found)}
                | {"phase_mean": float(np.mean(phases)) if phases else None, "phase_max": max(phases, default=None)}
            )
    return {"line": lines, "circle": circles, "gaussian": gaussians}


def null_bands(rng: np.random.Generator) -> list[dict[str, Any]]:
    """How often Gaussian embeddings and white-noise tables fall in the 95 % null band that is printed beside them."""
    measures: dict[str, Callable[[NDArray], Any]] = {
        "embedding_spectrum": lambda e: embedding_spectrum(e, rng=rng),
        "circularity": lambda e: circularity(e, rng=rng),
        "principal_plane": lambda e: principal_plane(e, rng=rng),
        "representation_quality": lambda e: representation_quality(e, rng=rng),
    }
    rows = []
    for name, measure in measures.items():
        for shape in ((31, 1), (31, 8), (59, 128)) if name == "representation_quality" else ((31, 8), (59, 128)):
            results = [measure(rng.normal(size=shape)) for _ in range(N_EMBEDDINGS)]
            inside = [r.null_interval[0] <= r.estimate <= r.null_interval[1] for r in results]
            if name == "representation_quality" and shape[1] > 1:
                phases = [r.phase_null_interval[0] <= r.phase <= r.phase_null_interval[1] for r in results]
                rows.append(
                    {"measure": f"{name}, phase", "shape": list(shape), "inside_95_band": float(np.mean(phases))}
                )
            rows.append(
                {"measure": name, "shape": list(shape), "n": len(inside), "inside_95_band": float(np.mean(inside))}
                | {"null_median": float(np.median([r.null for r in results]))}
            )
    for p, n in ((11, 4), (31, 31)):
        tables = [table_spectrum(rng.normal(size=(p, p, n))) for _ in range(N_TRIALS if p < 20 else 200)]
        inside = [t.null_interval[0] <= t.estimate <= t.null_interval[1] for t in tables]
        rows.append(
            {
                "measure": "table_spectrum",
                "shape": [p, p, n],
                "n": len(inside),
                "inside_95_band": float(np.mean(inside)),
            }
        )
    return rows


def symmetricity_coverage(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Coverage of the mean over all triples, on blends of clock and pizza and two hard laws; Student's t beside it."""
    p, rows = 23, []
    populations = {}
    clock, pizza = (circuit(kind, p=p, frequencies=[2, 5, 9], noise=NOISE, rng=rng) for kind in ("clock", "pizza"))
    for share in (0.0, 0.1, 0.3, 1.0):
        populations[f"{share:.0%} clock"] = gradient_symmetricity(
            lambda x, y, s=share: s * clock.logits(x, y) + (1 - s) * pizza.logits(x, y),
            clock.embedding,
            clock.embedding,
            n_triples=p**3,
            rng=rng,
        ).cosines
    populations["piled up at 1, long tail"] = 1 - 2 * rng.beta(0.3, 40, size=100_000)
    populations["3 % of triples anywhere"] = np.where(rng.random(100_000) < 0.03, rng.uniform(-1, 1, 100_000), 0.999)
    for name, cosines in populations.items():
        truth = float(cosines.mean())
        for n_triples in (30, 100, 400):
            covered = covered_t = 0
            widths = []
            for _ in range(N_TRIALS):
                drawn = cosines[rng.integers(len(cosines), size=n_triples)]
                left = np.stack([drawn, np.sqrt(np.maximum(1 - drawn**2, 0))], axis=1)
                low, high = symmetricity_of_gradients(left, np.tile([1.0, 0.0], (n_triples, 1))).interval
                covered += low <= truth <= high
                widths.append(high - low)
                half = stdtrit(n_triples - 1, 0.975) * drawn.std(ddof=1) / np.sqrt(n_triples)
                covered_t += abs(drawn.mean() - truth) <= half
            rows.append(
                {"cosines": name, "truth": truth, "n_triples": n_triples}
                | {"coverage": covered / N_TRIALS, "coverage_of_student_t": covered_t / N_TRIALS}
                | {"median_width": float(np.median(widths))}
            )
    return rows


def irrelevance_coverage(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Coverage over tables whose distances are drawn from one law; d and −d are equal, as in a symmetric network."""

    def columns(law: str, p: int, n: int) -> NDArray:
        mean = np.abs(np.cos(rng.uniform(0, np.pi, (n, 3)))).sum(axis=1)
        if law == "clock":
            return rng.normal(size=(p, n))
        if law == "pizza":
            return mean + 0.05 * rng.normal(size=(p, n))
        if law == "mixed":
            return mean + 0.5 * rng.gamma(3, 1 / 3, n) * rng.normal(size=(p, n))
        return rng.standard_t(4, n) + rng.gamma(1, 1, n) * rng.normal(size=(p, n))  # heavy tails

    rows = []
    for p in (23, 59):
        a, b = np.ogrid[:p, :p]
        for law in ("clock", "pizza", "mixed", "heavy tails"):
            many = columns(law, p, 50_000)
            truth = float(many.std(axis=0).mean() / many.std())
            n_trials, covered = N_TRIALS, 0
            widths = []
            for _ in range(n_trials):
                half = columns(law, p, (p + 1) // 2)
                matrix = np.concatenate([half, half[:, :0:-1]], axis=1)
                logits = np.zeros((p, p, p), dtype=np.float32)
                logits[a, b, (a + b) % p] = matrix[(a + b) % p, (a - b) % p]
                low, high = distance_irrelevance(logits).interval
                covered += low <= truth <= high
                widths.append(high - low)
            rows.append(
                {"p": p, "law": law, "truth": truth, "n_trials": n_trials}
                | {"coverage": covered / n_trials, "median_width": float(np.median(widths))}
            )
    return rows


def seconds(rng: np.random.Generator) -> dict[str, float]:
    """CPU seconds of one call at p = 113, without null bands: best of three."""
    p = 113
    network = circuit("clock", p=p, frequencies=[14, 35, 41, 42, 52], noise=NOISE, rng=rng)
    logits = torch.as_tensor(network.table(), dtype=torch.float32)
    mask = rng.random((p, p)) < 0.3
    neurons = torch.as_tensor(rng.normal(size=(p, p, 512)), dtype=torch.float32)
    embedding = rng.normal(size=(p, 128))
    keys = key_frequencies(logits).keys
    calls: dict[str, Callable[[], Any]] = {
        "key_frequencies, logit variance": lambda: key_frequencies(logits),
        "key_frequencies, 512 neurons": lambda: key_frequencies(neurons, method="neuron_argmax"),
        "restricted_loss, 5 keys": lambda: restricted_loss(logits, keys=keys),
        "excluded_loss, 5 keys": lambda: excluded_loss(logits, mask, keys=keys),
        "representation_quality": lambda: representation_quality(embedding),
        "principal_plane": lambda: principal_plane(embedding),
        "circularity": lambda: circularity(embedding),
        "distance_irrelevance": lambda: distance_irrelevance(logits),
        "gradient_symmetricity, 100 triples": lambda: gradient_symmetricity(
            network.logits, network.embedding, network.embedding, rng=rng
        ),
    }
    measured = {}
    for name, call in calls.items():
        times = []
        for _ in range(3):
            started = time.process_time()
            call()
            times.append(time.process_time() - started)
        measured[name] = round(min(times), 4)
    return measured


def main() -> None:
    torch.set_num_threads(1)
    started = time.process_time()
    rng = np.random.default_rng(SEED)
    parts = (clock_and_pizza, parallelograms, null_bands, symmetricity_coverage, irrelevance_coverage)
    results = {part.__name__: part(rng) for part in parts} | {"cpu_seconds_at_p_113": seconds(rng)}
    document = {
        "measures": "phasescope.measures: fourier, fourier_losses, representation, embedding_plane, clock_and_pizza",
        "seed": SEED,
        "cpu_seconds": round(time.process_time() - started, 1),
        "threads": 1,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "torch": torch.__version__,
        },
    } | results
    target = Path(__file__).parents[1] / "results" / "circuit_measures.json"
    target.write_text(json.dumps(document, indent=1) + "\n")
    for name, result in results.items():
        print(name)
        rows = result if isinstance(result, list) else [{key: value} for key, value in result.items()]
        for one in rows:
            print("  ", json.dumps(one))


if __name__ == "__main__":
    main()
