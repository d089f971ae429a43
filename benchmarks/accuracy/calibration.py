"""Every known system through the estimators that everybody calls: bias, spread, coverage, size and power.

What `phasescope calibrate` prints, written down for docs/reference/calibration.md. The verdicts on criticality, which
take most of the time, have a benchmark of their own, criticality.py, that also counts which verdict was given.

    python benchmarks/accuracy/calibration.py [--trials N] [--processes N]

writes benchmarks/results/calibration.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from phasescope.results import plain
from phasescope.store.environment import describe_environment
from phasescope.studies.criticality.calibration import calibrate
from phasescope.studies.criticality.cases import all_cases

SEED = 20261125


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, help="data sets per case; by default what each case asks for")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    done: dict[str, int] = {}

    def tell(name: str, n: int) -> None:
        done[name] = done.get(name, 0) + n
        print(f"{name}: {done[name]}", flush=True)

    names = [name for name in all_cases() if not name.startswith("verdict/")]
    found = calibrate(names, trials=options.trials, n_processes=options.processes, seed=SEED, on_progress=tell)
    document = {"environment": describe_environment(threads=1, device="cpu"), **found.to_dict()}
    target = Path(__file__).parents[1] / "results" / "calibration.json"
    target.write_text(json.dumps(plain(document), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
