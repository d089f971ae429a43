"""Sandpiles in the calibration: the exact mean of topplings, and simple scaling where it is and is not."""

from __future__ import annotations

import numpy as np

from phasescope.measures.simple_scaling import simple_scaling
from phasescope.studies.criticality.calibration import Case, DecisionCase, EstimateCase, Estimates
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.sandpile import sandpile
from phasescope.synthetic.sandpile_group import mean_topplings

SIZE, GRAINS = 16, 20_000
LENGTHS, DROPPED = (16, 32, 64, 128), 100_000


def _mean(rng: np.random.Generator) -> Estimates:
    run = sandpile(SIZE, n_grains=GRAINS, rng=rng)
    return {"topplings per grain": (run.estimate, *run.interval)}


def _directed_scales_simply(rng: np.random.Generator) -> bool:
    return simple_scaling({n: directed_sandpile(n, n_grains=DROPPED, rng=rng).sizes for n in LENGTHS}).p_value <= 0.05


CASES: tuple[Case, ...] = (
    EstimateCase(
        name="sandpile of Bak, Tang and Wiesenfeld",
        system=f"{GRAINS:,} grains on a lattice of {SIZE} × {SIZE}, dropped at random",
        truths={"topplings per grain": mean_topplings(SIZE)},
        estimate=_mean,
    ),
    DecisionCase(
        name="simple scaling of the directed sandpile",
        system=f"directed sandpiles of {', '.join(map(str, LENGTHS))} rows, {DROPPED:,} grains each",
        decision="simple scaling rejected",
        is_true=False,
        bound=0.1,
        decide=_directed_scales_simply,
    ),
)
