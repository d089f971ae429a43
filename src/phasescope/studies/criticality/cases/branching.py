"""Driven branching, seen in full and in part: does the multistep regression find m, and is noise told from it?"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.branching import branching_ratio
from phasescope.studies.criticality.calibration import DecisionCase, EstimateCase, Estimates
from phasescope.synthetic.branching import branching_process, subsampled

MEAN_ACTIVITY = 1_000.0  # events per bin before any are lost
RECORDS = (
    *((ratio, sampling, n_bins) for n_bins in (10_000, 100_000) for ratio in (0.9, 0.98) for sampling in (1.0, 0.01)),
    *((0.98, sampling, 100_000) for sampling in (0.1, 0.001)),
)  # m, share of the events that is seen, bins


def observed(ratio: float, sampling: float, n_bins: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Activity of a driven branching process with 1,000 events per bin, of which a share is seen, shape `(n_bins,)`."""
    activity = branching_process(ratio=ratio, drive=MEAN_ACTIVITY * (1 - ratio), n_bins=n_bins, rng=rng)
    return activity if sampling == 1 else subsampled(activity, probability=sampling, rng=rng)


def _estimated(ratio: float, sampling: float, n_bins: int, rng: np.random.Generator) -> Estimates:
    found = branching_ratio(observed(ratio, sampling, n_bins, rng))
    return {"m": (found.estimate, *found.interval)}


def _found_in_noise(rng: np.random.Generator) -> bool:
    """Whether independent bins are given a branching ratio without the caveat that there is none."""
    try:
        found = branching_ratio(rng.poisson(10, size=10_000))
    except ValueError:  # the slopes do not fall from a positive value
        return False
    return not any("not determined" in caveat for caveat in found.caveats)


CASES = (
    *(
        EstimateCase(
            name=f"branching, m = {ratio:g}, {100 * sampling:g} % seen, {n_bins:,} bins",
            system=f"driven branching, {MEAN_ACTIVITY:,.0f} events per bin, each seen with probability {sampling:g}",
            truths={"m": ratio},
            estimate=partial(_estimated, ratio, sampling, n_bins),
        )
        for ratio, sampling, n_bins in RECORDS
    ),
    DecisionCase(
        name="branching, independent bins",
        system="Poisson noise, 10 events per bin, 10,000 bins",
        decision="a branching ratio is determined",
        is_true=False,
        bound=0.05,
        decide=_found_in_noise,
        trials=1_000,
    ),
)
