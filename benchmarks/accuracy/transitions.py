"""False alarms, power and interval coverage of the transition detector and of the segmentation, by simulation.

    python benchmarks/accuracy/transitions.py [--n-sets 1000] [--only step_location] [--output FILE]
    python benchmarks/accuracy/transitions.py --match 'white noise 40' [--n-sets 1000]
    python benchmarks/accuracy/transitions.py --table

Noise has standard deviation 1, so heights are in σ. Steps run over four decades, evenly spaced in log10(step) unless
said otherwise. Every row has its own seed, written beside it, so `--match` can run some of them again; `--table` prints
the results as Markdown. Set OMP_NUM_THREADS=1: the matrices are small.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
import scipy
from numpy.typing import NDArray

from phasescope.measures.autoregression import color
from phasescope.measures.segmentation import segment
from phasescope.measures.sigmoids import sigmoid
from phasescope.measures.time_axis import time_axis
from phasescope.measures.transitions import find_transitions

FloatArray = NDArray[np.float64]
Curve = Callable[[FloatArray, np.random.Generator], FloatArray]
REFERENCE = 200  # points of a record
LENGTHS = (40, 120, 400)
DECADES = 4.0
SECTIONS = ("false_alarms", "detection", "step_location")
DEFAULT_OUTPUT = Path(__file__).resolve().parents[1] / "results" / "transitions.json"


def noise(n_points: int, rng: np.random.Generator, *, phi: float = 0.0, tails: float | None = None) -> FloatArray:
    """AR(1) noise of standard deviation 1, Gaussian or with Student-t innovations."""
    innovations = rng.standard_normal(n_points + 100)
    if tails is not None:
        innovations = rng.standard_t(tails, n_points + 100) / np.sqrt(tails / (tails - 2.0))
    return color(innovations * np.sqrt(1.0 - phi**2), phi)[100:]


def flat(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    return np.zeros_like(x)


def line(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    return float(rng.uniform(-10.0, 10.0)) * x


def parabola(x: FloatArray, rng: np.random.Generator, height: float = 5.0) -> FloatArray:
    return float(rng.choice([-1.0, 1.0])) * 4.0 * height * (x - rng.uniform(0.3, 0.7)) ** 2


def half_sine(x: FloatArray, rng: np.random.Generator, height: float = 5.0) -> FloatArray:
    return float(rng.choice([-1.0, 1.0])) * height * np.sin(np.pi * x)


def power_law(x: FloatArray, rng: np.random.Generator, height: float = 5.0) -> FloatArray:
    rate = rng.uniform(1.0, 3.0)  # the loss falls by e^rate over the record
    fall: FloatArray = height * (np.exp(-rate * x) - np.exp(-rate)) / (1.0 - np.exp(-rate))
    return fall


def relaxation(x: FloatArray, rng: np.random.Generator, height: float = 5.0, decades: float = 2.0) -> FloatArray:
    last = 1.0 / rng.uniform(0.05, 1.0)  # length of the record in units of the relaxation time
    return height * np.exp(-last * 10.0 ** (decades * (x - 1.0)))


def wide_sigmoid(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    return 6.5 * sigmoid(x, rng.uniform(0.3, 0.7), rng.uniform(0.8, 1.5))


# name: (group, curve, noise, evenly spaced in log-time); all obey the curvature bound of the null hypothesis
NULL_FAMILIES: dict[str, tuple[str, Curve, dict[str, float], bool]] = {
    "white noise": ("noise", flat, {}, True),
    "AR(1) noise, φ = 0.4": ("noise", flat, {"phi": 0.4}, True),
    "AR(1) noise, φ = 0.8": ("noise", flat, {"phi": 0.8}, True),
    "white t₅ noise": ("noise", flat, {"tails": 5.0}, True),
    "AR(1) t₅ noise, φ = 0.5": ("noise", flat, {"phi": 0.5, "tails": 5.0}, True),
    "line, slope −10σ … 10σ": ("drift", line, {}, True),
    "line, slope −10σ … 10σ, AR(1) φ = 0.5": ("drift", line, {"phi": 0.5}, True),
    "parabola, 5σ": ("smooth", parabola, {}, True),
    "parabola, 20σ": ("smooth", lambda x, rng: parabola(x, rng, 20.0), {}, True),
    "half sine, 5σ": ("smooth", half_sine, {}, True),
    "half sine, 20σ": ("smooth", lambda x, rng: half_sine(x, rng, 20.0), {}, True),
    "half sine, 5σ, AR(1) φ = 0.5": ("smooth", half_sine, {"phi": 0.5}, True),
    "half sine, 5σ, evenly spaced steps": ("smooth", half_sine, {}, False),
    "power law, falls e to e³ fold": ("smooth", power_law, {}, True),
    "exponential relaxation over 2 decades": ("smooth", relaxation, {}, True),
    "sigmoid, width 0.8–1.5": ("smooth", wide_sigmoid, {}, True),
}
SHORT_LIST = (
    "white noise",
    "AR(1) noise, φ = 0.4",
    "AR(1) noise, φ = 0.8",
    "white t₅ noise",
    "line, slope −10σ … 10σ, AR(1) φ = 0.5",
    "parabola, 5σ",
    "half sine, 5σ",
    "sigmoid, width 0.8–1.5",
)
REQUIRED = ("5σ, width up to 0.25", "5σ, width 0.25")
OUTSIDE: dict[str, Curve] = {
    "S over the whole record (cosine), 5σ": lambda x, rng: -2.5 * np.cos(np.pi * x),
    "S over the whole record (cosine), 20σ": lambda x, rng: -10.0 * np.cos(np.pi * x),
    "power law, falls 100 to 1,000 fold, 20σ": lambda x, rng: 20.0 * np.exp(-rng.uniform(4.6, 6.9) * x),
    "exponential relaxation over 3 decades, 20σ": lambda x, rng: relaxation(x, rng, 20.0, 3.0),
    "exponential relaxation over 4 decades, 5σ": lambda x, rng: relaxation(x, rng, 5.0, 4.0),
    "noise growing fourfold": flat,
}


def record(n_points: int, *, even: bool = True) -> tuple[FloatArray, FloatArray]:
    """Steps of a record and their positions in [0, 1] of log-time."""
    steps = np.geomspace(1.0, 10.0**DECADES, n_points)
    if not even:
        steps = np.linspace(10.0**DECADES / n_points, 10.0**DECADES, n_points)
    return steps, time_axis(steps, "log").position


def false_alarms(name: str, n_points: int, n_sets: int) -> dict[str, Any]:
    group, curve, settings, even = NULL_FAMILIES.get(name) or ("outside the null", OUTSIDE[name], {}, True)
    rng, seed = generator("false alarm", name, n_points)
    steps, x = record(n_points, even=even)
    loudness = np.linspace(0.5, 2.0, n_points) if name == "noise growing fourfold" else 1.0
    n_found = 0
    for _ in range(n_sets):
        values = curve(x, rng) + loudness * noise(n_points, rng, **settings)
        n_found += bool(find_transitions(steps, values, rng=rng))
    return {
        "group": group,
        "family": name,
        "n_points": n_points,
        "n_sets": n_sets,
        "seed": seed,
        "rate": n_found / n_sets,
    }


# name: (lowest width, highest width, height, φ, slope, depth of the parabola), widths in records
Setting = tuple[float, float, float, float, float, float]
SIGMOIDS: dict[str, Setting] = {
    "5σ, width up to 0.25": (0.0, 0.25, 5.0, 0.0, 0.0, 0.0),
    "5σ, width 0.25": (0.25, 0.25, 5.0, 0.0, 0.0, 0.0),
    "5σ, width 0.35": (0.35, 0.35, 5.0, 0.0, 0.0, 0.0),
    "5σ, width 0.5": (0.5, 0.5, 5.0, 0.0, 0.0, 0.0),
    "3σ, width 0.25": (0.25, 0.25, 3.0, 0.0, 0.0, 0.0),
    "5σ, width up to 0.25, AR(1) φ = 0.5": (0.0, 0.25, 5.0, 0.5, 0.0, 0.0),
    "5σ, width up to 0.15, on a slope of 3σ": (0.0, 0.15, 5.0, 0.0, 3.0, 0.0),
    "5σ, width up to 0.15, on a parabola of 2σ": (0.0, 0.15, 5.0, 0.0, 0.0, 2.0),
    "20σ, width up to 0.25": (0.0, 0.25, 20.0, 0.0, 0.0, 0.0),
}


def detection(name: str, n_points: int, n_sets: int) -> dict[str, Any]:
    """Power, and coverage among the detected; midpoint anywhere in the middle third of the record."""
    low_width, high_width, height, phi, slope, depth = SIGMOIDS[name]
    rng, seed = generator("detection", name, n_points)
    steps, x = record(n_points)
    covered: dict[str, list[bool]] = {"onset": [], "midpoint": [], "width": [], "amplitude": []}
    lengths: dict[str, list[float]] = {"onset": [], "midpoint": [], "width": []}
    errors: list[float] = []
    n_detected, n_extra = 0, 0
    for _ in range(n_sets):
        midpoint, width = rng.uniform(1 / 3, 2 / 3), rng.uniform(low_width, high_width)
        trend = slope * x + depth * 4.0 * (x - 0.5) ** 2
        values = height * sigmoid(x, midpoint, width) + trend + noise(n_points, rng, phi=phi)
        found = find_transitions(steps, values, rng=rng)
        n_detected += bool(found)
        n_extra += len(found) > 1
        if not found:
            continue
        truth = {
            "onset": 10.0 ** (DECADES * (midpoint - 0.5 * width)),
            "midpoint": 10.0 ** (DECADES * midpoint),
            "width": DECADES * width,
            "amplitude": height,
        }
        nearest = min(found, key=lambda one: abs(np.log10(one.midpoint) - DECADES * midpoint))
        errors.append(float(np.log10(nearest.midpoint) - DECADES * midpoint))
        for quantity, value in truth.items():
            low, high = getattr(nearest, f"{quantity}_interval")
            covered[quantity].append(low <= value <= high)
            if quantity != "amplitude":
                lengths[quantity].append(high - low if quantity == "width" else float(np.log10(high / low)))
    return {
        "family": name,
        "n_points": n_points,
        "n_sets": n_sets,
        "seed": seed,
        "power": n_detected / n_sets,
        "more_than_one": n_extra / n_sets,
        "midpoint_bias_decades": float(np.mean(errors)) if errors else None,
        "midpoint_sd_decades": float(np.std(errors)) if errors else None,
        "coverage": {quantity: float(np.mean(hits)) if hits else None for quantity, hits in covered.items()},
        "median_length_decades": {
            quantity: float(np.median(values)) if values else None for quantity, values in lengths.items()
        },
    }


def step_location(height: float, phi: float, n_points: int, n_sets: int) -> dict[str, Any]:
    """Coverage of a step's location interval from the segmentation; the step anywhere in the middle half."""
    rng, seed = generator("step", f"{height} {phi}", n_points)
    n_covered, n_one, widths = 0, 0, []
    for _ in range(n_sets):
        location = int(rng.integers(n_points // 4, 3 * n_points // 4))
        values = noise(n_points, rng, phi=phi) + height * (np.arange(n_points) >= location)
        result = segment(values, n_changes=1)
        low, high = result.breaks_interval[0].tolist()
        n_covered += bool(low <= location <= high)
        widths.append(high - low)
        n_one += segment(values).breaks.size == 1
    return {
        "height": height,
        "phi": phi,
        "n_points": n_points,
        "n_sets": n_sets,
        "seed": seed,
        "coverage": n_covered / n_sets,
        "median_width_samples": float(np.median(widths)),
        "one_break_by_default_penalty": n_one / n_sets,
    }


def generator(*key: object) -> tuple[np.random.Generator, int]:
    """A generator of the row's own, and its seed."""
    seed = zlib.crc32(" ".join(map(str, key)).encode())
    return np.random.default_rng(seed), seed


def rows(n_sets: int) -> Iterator[tuple[str, partial[dict[str, Any]]]]:
    """All rows, those at the reference length first; half the sets for what no requirement is stated for."""
    for height in (2.0, 3.0, 5.0):
        for phi in (0.0, 0.5, 0.8):
            yield "step_location", partial(step_location, height, phi, REFERENCE, n_sets)
    for name in REQUIRED:
        yield "detection", partial(detection, name, REFERENCE, n_sets)
    for name in NULL_FAMILIES:
        yield "false_alarms", partial(false_alarms, name, REFERENCE, n_sets)
    for name in SIGMOIDS:
        if name not in REQUIRED:
            yield "detection", partial(detection, name, REFERENCE, n_sets // 2)
    for n_points in LENGTHS:
        for name in REQUIRED:
            yield "detection", partial(detection, name, n_points, n_sets // 2)
        for name in SHORT_LIST:
            yield "false_alarms", partial(false_alarms, name, n_points, n_sets // 2)
    for name in OUTSIDE:
        yield "false_alarms", partial(false_alarms, name, REFERENCE, n_sets // 2)


def run_again(pattern: str, n_sets: int, output: Path) -> None:
    """Replace the rows whose arguments match; a row draws from a generator of its own, so the others stay true."""
    for section, measure in rows(n_sets):
        if re.search(pattern, " ".join(map(str, measure.args))):
            row = measure()
            results = json.loads(output.read_text(encoding="utf-8"))
            results[section] = [row if old["seed"] == row["seed"] else old for old in results[section]]
            output.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(section, row, flush=True)


def table(results: dict[str, Any]) -> str:
    """The results as Markdown tables."""
    out = ["| curve (no transition) | kind | points | sets | false alarms at 5 % |", "|---|---|---|---|---|"]
    for row in results["false_alarms"]:
        out.append(
            f"| {row['family']} | {row['group']} | {row['n_points']} | {row['n_sets']} | {100 * row['rate']:.1f} % |"
        )
    out += [
        "",
        "| sigmoid, midpoint in the middle third | points | sets | power | coverage: midpoint | onset | width |",
    ]
    out[-1] += " height | median length of the midpoint's interval, decades |"
    out += ["|---|---|---|---|---|---|---|---|---|"]
    for row in results["detection"]:
        if row["power"] == 0.0:
            continue
        cover = [f"{100 * row['coverage'][name]:.1f} %" for name in ("midpoint", "onset", "width", "amplitude")]
        cells = [row["family"], str(row["n_points"]), str(row["n_sets"]), f"{row['power']:.3f}", *cover]
        out.append(f"| {' | '.join(cells)} | {row['median_length_decades']['midpoint']:.2f} |")
    out += ["", "| step (segmentation) | noise | points | coverage | median width, samples | exactly one break found |"]
    out += ["|---|---|---|---|---|---|"]
    for row in results["step_location"]:
        out.append(
            f"| {row['height']:g}σ | AR(1) φ = {row['phi']:g} | {row['n_points']} | {100 * row['coverage']:.1f} % | "
            f"{row['median_width_samples']:g} | {100 * row['one_break_by_default_penalty']:.1f} % |"
        )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-sets", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument(
        "--only", choices=SECTIONS, help="run one section and keep the others as they are in the output"
    )
    parser.add_argument("--match", help="run again the rows whose name and length match this regular expression")
    parser.add_argument("--table", action="store_true", help="print the table of an earlier run and stop")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(arguments.output.read_text(encoding="utf-8"))))
        return
    if arguments.match is not None:
        run_again(arguments.match, arguments.n_sets, arguments.output)
        return
    sections = (arguments.only,) if arguments.only else SECTIONS
    kept = json.loads(arguments.output.read_text(encoding="utf-8")) if arguments.only else {}
    results: dict[str, Any] = {
        "command": f"python benchmarks/accuracy/transitions.py --n-sets {arguments.n_sets}",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
        | {"numba": numba.__version__},
        "date": time.strftime("%Y-%m-%d"),
    }
    results |= {section: [] if section in sections else kept[section] for section in SECTIONS}
    for section, measure in rows(arguments.n_sets):
        if section not in sections:
            continue
        results[section].append(measure())
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(section, results[section][-1], flush=True)


if __name__ == "__main__":
    main()
