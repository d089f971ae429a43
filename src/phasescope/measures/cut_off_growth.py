"""Does the largest avalanche grow with the system? Without that there is no criticality, whatever the slope."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from phasescope.measures.arrays import as_finite
from phasescope.results import Result

FloatArray = NDArray[np.float64]
N_BLOCKS = 32
NO_GROWTH = 0.1  # exponents up to here are called none: a factor of 1.26 per decade of system size


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffGrowth(Result):
    """Exponent D of the cut-off s_c ~ N^D, between the two largest systems."""

    estimate: float  # D between the two largest systems
    interval: tuple[float, float]  # 95 %, block jackknife
    overall: float  # D from a weighted regression over all systems
    verdict: str  # "grows", "does not grow" or "undecided"
    system_sizes: FloatArray  # (n_systems,)
    cut_offs: FloatArray  # (n_systems,) ⟨s²⟩/⟨s⟩
    cut_off_errors: FloatArray  # (n_systems,) standard errors


def cut_off_growth(sizes: Mapping[float, ArrayLike]) -> CutOffGrowth:
    """Measure how the cut-off of avalanche sizes grows with the system.

    The ratio ⟨s²⟩/⟨s⟩ is proportional to the cut-off for any law s^−τ G(s/s_c) with 1 < τ < 2, and to the square of the
    mean for a law without a power in it. *Grows* means that the 95 % interval of D between the two largest systems lies
    above 0.1; *does not grow*, that it lies below.

    Args:
        sizes: Avalanche sizes in the order in which they occurred, by system size; at least two systems. Those of size
            zero change nothing and may be left out.

    Returns:
        The exponent with its interval, and the verdict.

    Raises:
        ValueError: If there are fewer than two systems, sizes are negative, or a system has fewer than 64 avalanches.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> bounded = {n: rng.geometric(0.2, 5_000) for n in (100, 1_000)}
        >>> cut_off_growth(bounded).verdict
        'does not grow'
    """
    if len(sizes) < 2:
        raise ValueError(f"growth needs at least two systems of different size; {len(sizes)} arrived")
    lengths = np.array(sorted(sizes), dtype=np.float64)
    if lengths[0] <= 0:
        raise ValueError(f"system sizes must be positive; the smallest is {lengths[0]:g}")
    logs, errors = np.empty(lengths.size), np.empty(lengths.size)
    for i, length in enumerate(sorted(sizes)):
        logs[i], errors[i] = _log_cut_off(as_finite(sizes[length], name=f"sizes[{length:g}]", ndim=1), length)
    steps = np.diff(np.log(lengths))
    slope = float((logs[-1] - logs[-2]) / steps[-1])
    half = float(stdtrit(N_BLOCKS - 1, 0.975)) * math.hypot(errors[-1], errors[-2]) / float(steps[-1])
    low, high = slope - half, slope + half
    weights = 1 / np.maximum(errors, 1e-12) ** 2
    x = np.log(lengths) - np.average(np.log(lengths), weights=weights)
    verdict = "grows" if low > NO_GROWTH else "does not grow" if high < NO_GROWTH else "undecided"
    caveats: tuple[str, ...] = ()
    if lengths[-1] < 4 * lengths[-2] and verdict == "does not grow":
        caveats = ("the two largest systems differ by less than a factor of four; slow growth would not be seen",)
    return CutOffGrowth(
        estimate=slope,
        interval=(low, high),
        overall=float((weights * x) @ logs / ((weights * x) @ x)),
        verdict=verdict,
        system_sizes=lengths,
        cut_offs=np.exp(logs),
        cut_off_errors=np.exp(logs) * errors,
        caveats=caveats,
    )


def _log_cut_off(values: FloatArray, length: float) -> tuple[float, float]:
    """Logarithm of ⟨s²⟩/⟨s⟩ and its standard error, from a jackknife over blocks of consecutive avalanches."""
    if values.min() < 0:
        raise ValueError(
            f"avalanche sizes are not negative; the smallest of system size {length:g} is {values.min():g}"
        )
    moved = values[values > 0]
    if moved.size < 2 * N_BLOCKS:
        raise ValueError(
            f"system size {length:g} has {moved.size} avalanches; at least {2 * N_BLOCKS} are needed: drive it longer"
        )
    edges = np.linspace(0, moved.size, N_BLOCKS + 1).astype(np.int64)[:-1]
    first, second = np.add.reduceat(moved, edges), np.add.reduceat(moved**2, edges)
    without = np.log((second.sum() - second) / (first.sum() - first))
    error = math.sqrt((N_BLOCKS - 1) / N_BLOCKS * float(((without - without.mean()) ** 2).sum()))
    return math.log(float(second.sum() / first.sum())), error
