"""The mirage measure against known truth: string metrics, item counts, its null, its power and its interval.

python benchmarks/accuracy/mirage.py        writes benchmarks/results/mirage.json
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from phasescope.measures.edit_distance import (
    exact_match_probability,
    expected_levenshtein,
    expected_substitutions,
    levenshtein,
)
from phasescope.measures.mirage import mirage
from phasescope.measures.sharpness import sharpness

SEED = 20240502
LENGTH, VOCABULARY, N_STRINGS = 5, 10, 20_000
N_TRIALS = 200


def continuous(q: NDArray) -> dict[str, NDArray]:
    """The five continuous metrics of a two-outcome forecast that puts probability q on the truth."""
    return {
        "cross_entropy": -np.log(q),
        "brier": 2 * (1 - q) ** 2,
        "margin": 2 * q - 1,
        "log_odds": np.log(q / (1 - q)),
        "substitutions": expected_substitutions(q, LENGTH),
    }


def strings(rng: np.random.Generator) -> dict[str, object]:
    """Exact match and edit distances of simulated strings against their expectations."""
    q = np.linspace(0.5, 0.99, 50)
    substitutions = expected_substitutions(q, LENGTH)
    line = substitutions[0] + (substitutions[-1] - substitutions[0]) * (q - q[0]) / (q[-1] - q[0])
    truth = expected_levenshtein(q, LENGTH, vocabulary=VOCABULARY)
    z_levenshtein, z_exact = [], []
    for one, expected in zip(q, truth, strict=True):
        original = rng.integers(0, VOCABULARY, (N_STRINGS, LENGTH))
        wrong = rng.random(original.shape) >= one
        copy = np.where(wrong, (original + rng.integers(1, VOCABULARY, original.shape)) % VOCABULARY, original)
        distance = levenshtein(original, copy)
        z_levenshtein.append((distance.mean() - expected) / (distance.std() / np.sqrt(N_STRINGS)))
        hit = (distance == 0).mean()
        rate = exact_match_probability(one, LENGTH)
        z_exact.append((hit - rate) / np.sqrt(rate * (1 - rate) / N_STRINGS))
    return {
        "length": LENGTH,
        "vocabulary": VOCABULARY,
        "n_strings": N_STRINGS,
        "exact_match_minus_q5": float(np.abs(exact_match_probability(q, LENGTH) - q * q * q * q * q).max()),
        "substitutions_off_a_line": float(np.abs(substitutions - line).max()),
        "levenshtein_below_substitutions": float((substitutions - truth).max()),
        "levenshtein_z": {
            "n_q": len(q),
            "largest": float(np.abs(z_levenshtein).max()),
            "beyond_3": int((np.abs(z_levenshtein) > 3).sum()),
            "mean_square": float(np.mean(np.square(z_levenshtein))),
        },
        "exact_match_z_largest": float(np.abs(z_exact).max()),
    }


def flip() -> list[dict[str, object]]:
    """The verdict on q from 0.5 to 0.99, over numbers of points and axes, and by number of test items."""
    rows: list[dict[str, object]] = []
    axes: dict[str, Callable[[int], NDArray]] = {
        "1 … n": lambda n: np.arange(1, n + 1),
        "0 … n − 1": np.arange,
        "1 … 10⁴, geometric": lambda n: np.geomspace(1, 1e4, n),
    }
    for name, axis in axes.items():
        for n in (10, 20, 50, 100, 400):
            q = np.linspace(0.5, 0.99, n)
            found = mirage(axis(n), {"exact_match": q**LENGTH, "accuracy": q} | continuous(q))
            by_metric = {one.metric: [one.label, one.estimate] for one in found.metrics}
            rows.append({"steps": name, "n_steps": n, "n_items": None, "verdict": found.verdict, "metrics": by_metric})
    q = np.linspace(0.5, 0.99, 100)
    for n_items in (20, 200, 2000):
        found = mirage(
            np.arange(1, 101),
            {"exact_match": q**LENGTH, "accuracy": q} | continuous(q),
            n_items={"exact_match": n_items},
        )
        exact = found.metrics[0]
        rows.append(
            {
                "steps": "1 … n",
                "n_steps": 100,
                "n_items": n_items,
                "verdict": found.verdict,
                "exact_match": [exact.label, exact.estimate, exact.interval],
                "smallest_resolvable": exact.smallest_resolvable,
                "hidden_share": exact.hidden_share,
                "smooth_rise_could_be_seen": exact.foot_resolved,
                "summary": found.summary,
            }
        )
    return rows


def sigmoid(width: float) -> Callable[[NDArray], NDArray]:
    """Sigmoid in the middle of the record whose 10–90 % rise takes the share `width` of it."""
    return lambda x: 1 / (1 + np.exp(-(x - 0.5) * 2 * np.log(9) / width))


SHAPES: dict[str, Callable[[NDArray], NDArray]] = {
    "line": lambda x: x,
    "half a sine wave": lambda x: (1 - np.cos(np.pi * x)) / 2,
    "cross-entropy of q": lambda x: np.log((0.5 + 0.49 * x) / 0.5),
    "sigmoid, width 0.7": sigmoid(0.7),
    "q^5": lambda x: (0.5 + 0.49 * x) ** 5,
    "sigmoid, width 0.3": sigmoid(0.3),
    "sigmoid, width 0.2": sigmoid(0.2),
    "sigmoid, width 0.1": sigmoid(0.1),
    "step": lambda x: (x > 0.4999).astype(float),
}


def noisy(rng: np.random.Generator, n: int, sd: float, correlation: float) -> NDArray:
    """Stationary AR(1) noise."""
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    return sd * noise


def labels(rng: np.random.Generator) -> list[dict[str, object]]:
    """Shares of labels, and coverage of the interval, on a geometric axis where the log axis decides."""
    rows: list[dict[str, object]] = []
    for name, shape in SHAPES.items():
        for n in (100, 300):
            steps = np.geomspace(10, 1e4, n)
            clean = shape(np.linspace(0, 1, n))
            clean = (clean - clean[0]) / (clean[-1] - clean[0])
            exact = sharpness(steps, clean).estimate
            for sd, correlation in ((0.005, 0.0), (0.02, 0.0), (0.05, 0.0), (0.02, 0.5), (0.02, 0.8)):
                counts = {"sharp": 0, "smooth": 0, "unresolved": 0}
                covered = 0
                for _ in range(N_TRIALS):
                    found = sharpness(steps, clean + noisy(rng, n, sd, correlation))
                    counts[found.label] += 1
                    covered += found.interval is not None and found.interval[0] <= exact <= found.interval[1]
                rows.append(
                    {
                        "shape": name,
                        "steepness": exact,
                        "n_steps": n,
                        "noise": sd,
                        "correlation": correlation,
                        **{label: count / N_TRIALS for label, count in counts.items()},
                        "coverage": covered / N_TRIALS,
                    }
                )
    return rows


def main() -> None:
    started = time.process_time()
    rng = np.random.default_rng(SEED)
    document = {
        "measure": "phasescope.measures.mirage.mirage",
        "seed": SEED,
        "n_trials": N_TRIALS,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "strings": strings(rng),
        "flip": flip(),
        "labels": labels(rng),
    }
    document["cpu_seconds"] = round(time.process_time() - started, 1)
    target = Path(__file__).parents[1] / "results" / "mirage.json"
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(document["strings"], indent=1))
    for row in document["flip"]:
        print(row.get("summary") or (row["steps"], row["n_steps"], row["verdict"]))
    for row in document["labels"]:
        print(
            f"{row['shape']:<20} {row['steepness']:6.2f}  n={row['n_steps']} sd={row['noise']} r={row['correlation']}"
            f"  sharp {row['sharp']:.3f} smooth {row['smooth']:.3f} covers {row['coverage']:.3f}"
        )


if __name__ == "__main__":
    main()
