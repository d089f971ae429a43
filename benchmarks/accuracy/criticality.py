"""How often each verdict on criticality is reached: on noise, on networks without structure, on critical systems.

The cases are those of the calibration, `phasescope.studies.criticality.cases.verdicts`; here every verdict is counted,
with the time it took. Besides, how the silences of some records and of their phase-randomized surrogates vary.

    python benchmarks/accuracy/criticality.py [--quick] [--cases NAME …]      writes benchmarks/results/criticality.json

With `--cases` only those are run, and their rows replace the ones in the file; `--cases silences` runs no case.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import zlib
from collections import Counter
from pathlib import Path

import numba
import numpy as np
import scipy
import torch

from phasescope.measures.criticality import VERDICTS
from phasescope.measures.silences import silence_variation
from phasescope.measures.surrogates import fast_length, ornstein_uhlenbeck, phase_randomized
from phasescope.measures.wilson import wilson_interval
from phasescope.studies.criticality.cases.verdicts import CASES, VERDICT_OF, called_critical, in_time
from phasescope.synthetic.branching import branching_process
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import galton_watson

SEED = 20261127
TARGET = Path(__file__).parents[1] / "results" / "criticality.json"


def counted(name: str, trials: int) -> dict:
    """Verdicts of the trials of one case, each with the random stream that the calibration gives it."""
    started = time.process_time()
    counts: Counter[str] = Counter()
    for trial in range(trials):
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode()), trial])
        counts[VERDICT_OF[name](rng)] += 1
    called = sum(count for verdict, count in counts.items() if called_critical(verdict))
    return {
        "trials": trials,
        "called_critical": called,
        "interval": wilson_interval(called / trials, trials).round(3).tolist(),
        "verdicts": {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]},
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def silences() -> dict:
    """Standard deviation over mean of the silences: of records, and of three phase-randomized surrogates of each."""
    rng = np.random.default_rng([SEED, 1])
    trees = galton_watson(6_000, max_generations=10_000, profiles=True, rng=rng)
    walks = directed_sandpile(1_024, n_grains=20_000, profiles=True, rng=rng)
    records = {
        "critical trees": (in_time(trees, rng=rng), 0.0),
        "directed sandpile": (in_time(walks, rng=rng), 0.0),
        "driven branching, 0.999": (branching_process(ratio=0.999, drive=0.01, n_bins=500_000, rng=rng), 0.0),
    }
    for time_constant in (10, 100, 1_000):
        noise = ornstein_uhlenbeck(150_000, correlation_time=time_constant, rng=rng)
        records |= {f"Ornstein–Uhlenbeck, {time_constant}, above {level:g}": (noise, level) for level in (0.0, 1.5)}
    rate = ornstein_uhlenbeck(150_000, correlation_time=300, rng=rng)
    records["Poisson, Ornstein–Uhlenbeck rate, 300"] = (rng.poisson(3 * np.maximum(rate, 0)), 0.0)
    rows = {}
    for name, (record, level) in records.items():
        part = record[: fast_length(record.size)]
        surrogates = [silence_variation(phase_randomized(part, max_rounds=5, rng=rng), level=level) for _ in range(3)]
        rows[name] = {
            "data": round(silence_variation(record, level=level), 2),
            "surrogates": np.round(surrogates, 2).tolist(),
        }
        print(name, rows[name], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two trials a case, results not written")
    parser.add_argument("--cases", nargs="*", default=[], help="beginnings of names, without 'verdict/'")
    options = parser.parse_args()
    torch.set_num_threads(1)
    document = json.loads(TARGET.read_text()) if options.cases and TARGET.exists() else {"cases": {}}
    rows = document["cases"]
    for case in CASES:
        if options.cases and not any(case.name.removeprefix("verdict/").startswith(each) for each in options.cases):
            continue
        found = counted(case.name, 2 if options.quick else case.trials)
        rows[case.name] = {"system": case.system, "is_critical": case.is_true} | found
        print(case.name, found, flush=True)
        if not options.quick:  # after every case: hours of processor time
            document["cases"] = {each.name: rows[each.name] for each in CASES if each.name in rows}
            write(document)
    found = silences()
    if not options.quick:
        write(document | {"silence_variations": found})


def write(document: dict) -> None:
    versions = {"python": platform.python_version()} | {
        package.__name__: package.__version__ for package in (np, scipy, numba, torch)
    }
    document = {"seed": SEED} | document | {"versions": versions}
    TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
