"""Over which durations avalanches scale: read once, for their exponents and for the collapse of their shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.avalanches import Avalanches, CutBy
from phasescope.measures.censored_sample import few_bounds, sample_of
from phasescope.measures.mean_size import MeanSizeRange, mean_size_range
from phasescope.measures.scaling_range import ScalingRange, influence, scaling_range


@dataclass(frozen=True, slots=True)
class DurationRange:
    """The law of durations, and that of mean sizes over the durations for which it can be read."""

    law: ScalingRange
    law_influence: NDArray[np.float64]  # (n,) shift of the duration exponent that each avalanche causes
    mean_size: MeanSizeRange


def duration_range(found: Avalanches, blocks: NDArray[np.int64], cut_by: CutBy) -> DurationRange:
    """Find the ranges of durations.

    Mean sizes are read up to where a cut-off of the durations sets in, and below what was cut: given its duration, a
    complete avalanche is one like any other only up to there.

    Args:
        found: Avalanches of positive size.
        blocks: Block numbers, shape `(n,)`; empty where avalanches are independent.
        cut_by: What ended the censored ones.

    Raises:
        ValueError: If there are too few durations or complete avalanches.
    """
    durations, censored = found.durations, found.censored
    sample = sample_of(durations.astype(np.float64), censored, blocks, dependent=cut_by == "size")
    law = scaling_range(sample)
    if law is None:
        raise ValueError(
            f"the durations run from {durations.min()} to {durations.max()} in {np.unique(durations).size} distinct "
            "values, too few for a range of durations that scales; record more avalanches or take finer bins"
        )
    t_max = law.fit.window.x_max
    bent = math.isfinite(t_max)
    limit = few_bounds(durations, censored)
    if limit is not None and limit - 1 < t_max:
        t_max, bent = limit - 1, False
    mean_size = mean_size_range(found.sizes, durations, blocks, t_max=t_max, bent=bent, usable=~censored)
    if mean_size is None:
        raise ValueError(
            f"fewer than 100 complete avalanches over at least 5 durations up to {t_max:g} are left, so there is no "
            "range of durations to read mean sizes from; record longer, or more avalanches"
        )
    return DurationRange(law, influence(sample, law.fit), mean_size)
