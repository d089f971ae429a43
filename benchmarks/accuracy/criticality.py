"""How often each verdict on criticality is reached: on noise, on networks without structure, on critical systems.

The cases are those of the calibration, `phasescope.studies.criticality.cases.verdicts`; here every verdict is counted,
with the time it took.

    python benchmarks/accuracy/criticality.py [--quick] [--cases NAME …]      writes benchmarks/results/criticality.json

With `--cases` only those are run, and their rows replace the ones in the file.
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
from phasescope.measures.wilson import wilson_interval
from phasescope.studies.criticality.cases.verdicts import CASES, VERDICT_OF, called_critical

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two trials a case, results not written")
    parser.add_argument("--cases", nargs="*", default=[], help="beginnings of names, without 'verdict/'")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(TARGET.read_text())["cases"] if options.cases and TARGET.exists() else {}
    for case in CASES:
        if options.cases and not any(case.name.removeprefix("verdict/").startswith(each) for each in options.cases):
            continue
        found = counted(case.name, 2 if options.quick else case.trials)
        rows[case.name] = {"system": case.system, "is_critical": case.is_true} | found
        print(case.name, found, flush=True)
        if not options.quick:  # after every case: hours of processor time
            document = {
                "seed": SEED,
                "cases": {each.name: rows[each.name] for each in CASES if each.name in rows},
                "versions": {
                    "python": platform.python_version(),
                    "numpy": np.__version__,
                    "scipy": scipy.__version__,
                    "numba": numba.__version__,
                    "torch": torch.__version__,
                },
            }
            TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
