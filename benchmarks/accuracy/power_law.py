"""Bias and coverage of power-law fits, size and power of their goodness of fit, and the published data sets.

Coverage of the 95 % interval of α = 2.5, by sample size:
- x_min given: a Pareto law from 1 on; the same discrete (zeta law); censored by an independent Pareto law of exponent
  2, which cuts 40 % of the points; ended at x_max = 20;
- x_min scanned: the Pareto law; the Pareto law beyond a uniform body that holds half of the points, so that the density
  jumps; the law of Clauset, Shalizi & Newman, eq. 3.10, whose exponential body joins smoothly at x_min and holds 87 %;
  the Pareto law censored, and ended, as above.

Published data: fits, p, and Vuong's ratios beside the published ones.

Goodness of fit: with x_min given, p must be uniform; with x_min scanned, the share of p below each level is the curve
of its size. Power: lognormal data with σ = 1.5, and sizes at which they are rejected. Verdicts: how often each is
given, by law and size.

    python benchmarks/accuracy/power_law.py [--quick]      writes benchmarks/results/power_law.json
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import scipy
import scipy.stats
from numpy.typing import NDArray

from phasescope.measures.power_law import bias_corrected, fit_power_law
from phasescope.measures.power_law_fit import TailFit, fit_tail
from phasescope.measures.power_law_sample import power_law_sample, tail_sample
from phasescope.measures.vuong import compare_with_alternatives

ALPHA, X_MAX = 2.5, 20.0
SEED, SCAN_SEED = 20261124, 20261201
DATA = Path(__file__).parents[1] / "data"
PUBLISHED = {"words": (True, 1, 0.49, 0.68), "terrorism": (True, 1, 0.68, 0.68), "blackouts": (False, 1000, 0.62, 0.63)}
# Clauset, Shalizi & Newman (2009), tables 6.2 and 6.3: normalized ratios, and the raw one of the truncated law
RATIOS = {
    "words": {"lognormal": 0.395, "exponential": 9.09, "stretched_exponential": 4.13, "truncated_power_law": -0.899},
    "terrorism": {
        "lognormal": -0.278,
        "exponential": 2.457,
        "stretched_exponential": 0.772,
        "truncated_power_law": -0.077,
    },
    "blackouts": {
        "lognormal": -0.412,
        "exponential": 1.21,
        "stretched_exponential": -0.417,
        "truncated_power_law": -0.382,
    },
}

Draw = Callable[[int, np.random.Generator], tuple[NDArray, NDArray | None]]


def pareto(n: int, rng: np.random.Generator, alpha: float = ALPHA) -> NDArray:
    return (1 - rng.random(n)) ** (-1 / (alpha - 1))


def ended(n: int, rng: np.random.Generator) -> NDArray:
    below = 1 - X_MAX ** (1 - ALPHA)
    return (1 - below * rng.random(n)) ** (-1 / (ALPHA - 1))


def censored(n: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    true, limit = pareto(n, rng), pareto(n, rng, alpha=2.0)
    return np.minimum(true, limit), true > limit


def jump(n: int, rng: np.random.Generator) -> NDArray:
    return np.where(rng.random(n) < 0.5, rng.random(n), pareto(n, rng))


def smooth(n: int, rng: np.random.Generator) -> NDArray:
    body, tail = math.expm1(ALPHA) / ALPHA, 1 / (ALPHA - 1)
    inside = -np.log(1 - rng.random(n) * -math.expm1(-ALPHA)) / ALPHA
    return np.where(rng.random(n) < body / (body + tail), inside, pareto(n, rng))


CASES: dict[str, tuple[Draw, bool, float | None]] = {  # draws, discrete, x_max
    "Pareto": (lambda n, rng: (pareto(n, rng), None), False, None),
    "zeta": (lambda n, rng: (rng.zipf(ALPHA, n).astype(float), None), True, None),
    "Pareto, censored": (censored, False, None),
    "Pareto, ended": (lambda n, rng: (ended(n, rng), None), False, X_MAX),
    "uniform body": (lambda n, rng: (jump(n, rng), None), False, None),
    "exponential body": (lambda n, rng: (smooth(n, rng), None), False, None),
}


def fit(
    values: NDArray,
    flags: NDArray | None,
    *,
    discrete: bool,
    x_max: float | None,
    given: bool,
    resampled: int,
    synthetic: int,
    rng: np.random.Generator,
) -> tuple[TailFit, float]:
    """The fit inside `fit_power_law`, without curves and alternatives, and its bias-corrected exponent."""
    sample, _ = power_law_sample(values, discrete=discrete, x_max=x_max, censored=flags, weights=None)
    sample = tail_sample(sample, 1.0, discrete=discrete) if given else sample
    end = math.inf if x_max is None else x_max
    found = fit_tail(
        sample,
        fixed=given,
        two_sided=False,
        discrete=discrete,
        x_max=end,
        n_resampled=resampled,
        n_synthetic=synthetic,
        rng=rng,
    )
    return found, bias_corrected(found, int(sample.censored[found.place :].sum()), end, discrete)


def coverage(case: str, n: int, *, given: bool, trials: int, replicas: int, rng: np.random.Generator) -> dict:
    """Coverage and width of the interval, bias and spread of the estimate."""
    draw, discrete, x_max = CASES[case]
    started, fits, corrected = time.process_time(), [], []
    for _ in range(trials):
        values, flags = draw(n, rng)
        one, without_bias = fit(
            values, flags, discrete=discrete, x_max=x_max, given=given, resampled=replicas, synthetic=0, rng=rng
        )
        fits.append(one)
        corrected.append(without_bias)
    estimates = np.array([one.alpha for one in fits])
    low, high = np.array([one.interval for one in fits]).T
    return {
        "law": case,
        "n": n,
        "x_min": "given" if given else "scanned",
        "trials": trials,
        "replicas": replicas,
        "coverage": float(np.mean((low <= ALPHA) & (high >= ALPHA))),
        "above": float(np.mean(low > ALPHA)),
        "below": float(np.mean(high < ALPHA)),
        "median_width": float(np.median(high - low)),
        "relative_bias": float(np.mean(estimates) / ALPHA - 1),
        "relative_bias_corrected": float(np.mean(corrected) / ALPHA - 1),
        "relative_bias_of_median": float(np.median(estimates) / ALPHA - 1),
        "spread": float(np.std(estimates)),
        "median_standard_error": float(np.median([one.standard_error for one in fits])),
        "median_n_tail": float(np.median([one.n_tail for one in fits])),
        "median_x_min": float(np.median([one.x_min for one in fits])),
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def p_values(
    n: int, *, alpha: float, given: bool, trials: int, replicas: int, rng: np.random.Generator, lognormal: bool = False
) -> NDArray:
    """Goodness-of-fit p of Pareto data, or of lognormal data with σ = 1.5."""
    found = []
    for _ in range(trials):
        values = np.exp(1.5 * rng.standard_normal(n)) if lognormal else pareto(n, rng, alpha)
        one, _ = fit(values, None, discrete=False, x_max=None, given=given, resampled=0, synthetic=replicas, rng=rng)
        found.append(one.p_value)
    return np.array(found)


def published(replicas: int, rng: np.random.Generator) -> list[dict]:
    """Fits of the published data sets, with p by both conventions."""
    rows = []
    for name, (discrete, unit, p_published, p_expected) in PUBLISHED.items():
        values, counts = np.loadtxt(DATA / f"{name}.txt").T
        sample, _ = power_law_sample(values / unit, discrete=discrete, x_max=None, censored=None, weights=counts)
        row = {"data": name, "n": int(counts.sum()), "p_published": p_published, "p_expected": p_expected}
        for convention in ("one_sided", "two_sided"):
            one = fit_tail(
                sample,
                fixed=False,
                two_sided=convention == "two_sided",
                discrete=discrete,
                x_max=math.inf,
                n_resampled=replicas,
                n_synthetic=replicas,
                rng=rng,
            )
            row[convention] = {
                "alpha": one.alpha,
                "interval": one.interval,
                "x_min": one.x_min,
                "x_min_interval": one.x_min_interval,
                "n_tail": one.n_tail,
                "distance": one.distance,
                "p_value": one.p_value,
            }
        row["comparisons"] = [
            {
                "law": other.law,
                "parameters": other.parameters,
                "log_ratio": other.log_ratio,
                "normalized_ratio": other.normalized_ratio,
                "p_value": other.p_value,
                "bend": other.bend,
                "published": RATIOS[name][other.law],
            }
            for other in compare_with_alternatives(
                sample.values[one.place :],
                alpha=one.alpha,
                x_min=one.x_min,
                x_max=None,
                discrete=discrete,
                weights=sample.events[one.place :],
            )
        ]
        rows.append(row)
    return rows


def cut_off(n: int, rng: np.random.Generator) -> NDArray:
    """x^−2.5 e^(−x/100) from 1 on."""
    kept: list[NDArray] = []
    while sum(part.size for part in kept) < n:
        one = pareto(n, rng)
        kept.append(one[rng.random(n) < np.exp(-(one - 1) / 100)])
    return np.concatenate(kept)[:n]


def verdicts(n: int, *, trials: int, rng: np.random.Generator) -> list[dict]:
    """How often each verdict is given, x_min scanned."""
    draws = {
        "Pareto": lambda: pareto(n, rng),
        "zeta": lambda: rng.zipf(ALPHA, n),
        "Pareto with cut-off 100": lambda: cut_off(n, rng),
        "lognormal, σ = 1.5": lambda: np.exp(1.5 * rng.standard_normal(n)),
        "exponential": lambda: rng.exponential(1, n),
    }
    rows = []
    for law, draw in draws.items():
        given = [fit_power_law(draw(), discrete=law == "zeta", n_bootstrap=200, rng=rng).verdict for _ in range(trials)]
        shares = {verdict: given.count(verdict) / trials for verdict in sorted(set(given))}
        rows.append({"law": law, "n": n, "trials": trials, "verdicts": shares})
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few trials, results not written")
    quick = parser.parse_args().quick
    started = time.process_time()
    rng = np.random.default_rng(SEED)
    trials, replicas = (40, 200) if quick else (1_000, 400)
    sizes = (300,) if quick else (300, 1_000, 10_000)
    document: dict[str, object] = {"alpha": ALPHA, "x_max": X_MAX, "seed": SEED, "nominal": 0.95}
    document["published"] = published(500 if quick else 10_000, rng)
    for row in document["published"]:
        print(row["data"], row["one_sided"], "two-sided p", row["two_sided"]["p_value"], flush=True)
    document["coverage"] = rows = []
    for given, cases in (
        (True, ("Pareto", "zeta", "Pareto, censored", "Pareto, ended")),
        (False, ("Pareto", "uniform body", "exponential body", "Pareto, censored", "Pareto, ended")),
    ):
        for case in cases:
            for n in sizes:
                few = n == 10_000 or not given
                own = np.random.default_rng([SEED if given else SCAN_SEED, n, given, list(CASES).index(case)])
                row = coverage(case, n, given=given, trials=trials, replicas=200 if few else replicas, rng=own)
                rows.append(row)
                print(
                    {
                        key: row[key]
                        for key in (
                            "law",
                            "n",
                            "x_min",
                            "coverage",
                            "relative_bias",
                            "relative_bias_corrected",
                            "cpu_seconds",
                        )
                    },
                    flush=True,
                )
    uniform = []
    for alpha in (1.5, 2.5, 3.5):
        found = p_values(1_000, alpha=alpha, given=True, trials=60 if quick else 500, replicas=500, rng=rng)
        jittered = found - rng.random(found.size) / 500  # p is a multiple of 1/500; a continuous law is its test
        test = scipy.stats.kstest(np.clip(jittered, 0, 1), "uniform")
        uniform.append(
            {"alpha": alpha, "n": 1_000, "mean_p": found.mean(), "ks_p": test.pvalue, "at_0.1": np.mean(found <= 0.1)}
        )
        print(uniform[-1], flush=True)
    document["goodness_of_fit_x_min_given"] = uniform
    levels = np.linspace(0.02, 1, 50)
    document["goodness_of_fit_x_min_scanned"] = scanned = []
    for n, count in ((300, 500), (1_000, 500), (10_000, 200)):
        if quick and n > 300:
            continue
        found = p_values(n, alpha=ALPHA, given=False, trials=40 if quick else count, replicas=300, rng=rng)
        size = [float(np.mean(found <= level)) for level in levels]
        scanned.append({"n": n, "trials": found.size, "mean_p": found.mean(), "at_0.1": np.mean(found <= 0.1)})
        scanned[-1] |= {"levels": levels.tolist(), "size": size}
        print(n, "scanned: mean p", found.mean(), "share at 0.1", np.mean(found <= 0.1), flush=True)
    document["power_against_lognormal"] = powers = []
    for n, count in ((100, 300), (300, 300), (1_000, 300), (3_000, 200), (10_000, 100), (30_000, 40)):
        if quick and n > 1_000:
            continue
        found = p_values(n, alpha=0, given=False, trials=30 if quick else count, replicas=200, rng=rng, lognormal=True)
        powers.append({"n": n, "trials": found.size, "rejected": float(np.mean(found <= 0.1))})
        print("lognormal", powers[-1], flush=True)
    document["verdicts"] = [
        row for n in ((300,) if quick else (1_000, 10_000)) for row in verdicts(n, trials=20 if quick else 50, rng=rng)
    ]
    document["cpu_seconds"] = round(time.process_time() - started, 1)
    document["versions"] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
    }
    if not quick:
        target = Path(__file__).parents[1] / "results" / "power_law.json"
        target.write_text(json.dumps(document, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
