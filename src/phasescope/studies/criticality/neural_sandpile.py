"""Is the neural sandpile critical? The published criterion and the rigorous verdict, side by side, as it grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from phasescope.measures.criticality import CRITICAL, CUT_OFF, Criticality, criticality
from phasescope.measures.cut_off_growth import CutOffGrowth, cut_off_growth
from phasescope.measures.published_rules import slope_criterion
from phasescope.results import Result
from phasescope.synthetic.neural_sandpile import FAR_SHARE, NEAR_SHARE, THRESHOLD, neural_sandpile

FloatArray = NDArray[np.float64]

SYSTEM_SIZES = (100, 300, 1_000, 3_000, 10_000)
N_SEEDS, N_DRIVES = 20, 20_000
WARMUP_PER_SITE = 2  # drives; mean sizes are steady from 1.5 on, and conservative lines make this expensive
GROWS = "grows"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuralSandpileRule(Result):
    """What one rule does as the system grows, and what each criterion says of it."""

    estimate: float  # D of the cut-off s_c ~ N^D between the two largest systems, mean over seeds
    interval: tuple[float, float]  # 95 %, from the spread over seeds
    rule: str  # "published" or "conservative"
    loss: float  # stress destroyed by every toppling away from the ends, of the 4 it moves
    system_sizes: NDArray[np.int64]  # (n_systems,) parameters N
    mean_sizes: FloatArray  # (n_systems, n_seeds) topplings per drive
    cut_offs: FloatArray  # (n_systems, n_seeds) ⟨s²⟩/⟨s⟩ in topplings
    largest: FloatArray  # (n_systems, n_seeds) topplings
    slopes: FloatArray  # (n_systems, n_seeds) of the published regression
    r_squared: FloatArray  # (n_systems, n_seeds) of it
    passes: NDArray[np.bool_]  # (n_systems, n_seeds) whether the published criterion calls it critical
    verdicts: tuple[str, ...]  # (n_seeds,) of `criticality`, on the largest system
    reasons: tuple[str, ...]  # (n_seeds,) of these verdicts
    growth: tuple[str, ...]  # (n_seeds,) of `cut_off_growth`
    critical: NDArray[np.bool_]  # (n_seeds,) sizes and durations scale, and the cut-off grows with the system


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuralSandpileStudy(Result):
    """The published and the conservative rule under both criteria."""

    rules: tuple[NeuralSandpileRule, ...]
    n_drives: int  # recorded for every system
    seed: int


def neural_sandpile_study(
    system_sizes: Sequence[int] = SYSTEM_SIZES,
    *,
    n_seeds: int = N_SEEDS,
    n_drives: int = N_DRIVES,
    seed: int = 0,
) -> NeuralSandpileStudy:
    """Ask both criteria of both rules of the neural sandpile.

    The published criterion calls a system critical when its log–log histogram of sizes has a slope of 1 to 3 and
    R² > 0.8. The rigorous one wants sizes and durations of the largest system to scale and to obey the crackling-noise
    relation, and a cut-off that grows with the system.

    Args:
        system_sizes: Numbers of parameters N, at least two.
        n_seeds: Independent repetitions, at least two.
        n_drives: Recorded drives per system.
        seed: Start of all randomness.

    Returns:
        Both rules, with every verdict.

    Raises:
        ValueError: If there are too few systems or seeds, or too few avalanches to judge by.

    Example:
        >>> found = neural_sandpile_study([100, 1_000], n_seeds=2, n_drives=10_000)
        >>> [rule.growth for rule in found.rules]
        [('does not grow', 'does not grow'), ('grows', 'grows')]
    """
    sizes = sorted(set(system_sizes))
    if len(sizes) < 2 or sizes[0] < 1 or n_seeds < 2:
        raise ValueError(
            f"growth needs two systems of at least one parameter and two seeds; got {list(system_sizes)} and {n_seeds}"
        )
    rules = tuple(_rule(conservative, sizes, n_seeds, n_drives, seed) for conservative in (False, True))
    caveats = tuple(
        f"{np.count_nonzero(rule.passes[-1])} of {n_seeds} runs of the {rule.rule} rule pass the published criterion, "
        f"and {rule.growth.count(GROWS)} have a cut-off that grows with the system"
        for rule in rules
        if np.count_nonzero(rule.passes[-1]) != rule.growth.count(GROWS)
    )
    return NeuralSandpileStudy(rules=rules, n_drives=n_drives, seed=seed, caveats=caveats)


def _rule(conservative: bool, sizes: list[int], n_seeds: int, n_drives: int, seed: int) -> NeuralSandpileRule:
    table = np.empty((5, len(sizes), n_seeds))
    passes = np.zeros((len(sizes), n_seeds), dtype=np.bool_)
    judged: list[Criticality] = []
    growths: list[CutOffGrowth] = []
    for i in range(n_seeds):
        avalanches = {}
        for k, n_sites in enumerate(sizes):
            rng = np.random.default_rng([seed, int(conservative), i, n_sites])
            run = neural_sandpile(
                n_sites,
                n_drives=n_drives,
                conservative=conservative,
                warmup_drives=WARMUP_PER_SITE * n_sites,
                rng=rng,
            )
            avalanches[n_sites] = run.avalanches
            published = slope_criterion(run.avalanches.sizes)
            table[1:, k, i] = run.estimate, published.largest, published.slope, published.r_squared
            passes[k, i] = published.self_organized_critical
        growths.append(cut_off_growth({n_sites: found.sizes for n_sites, found in avalanches.items()}))
        table[0, :, i] = growths[-1].cut_offs
        judged.append(criticality(avalanches[sizes[-1]], rng=np.random.default_rng([seed, i])))
    cut_offs, means, largest, slopes, r_squared = table
    exponents = np.array([growth.estimate for growth in growths])
    half = float(stdtrit(n_seeds - 1, 0.975)) * float(exponents.std(ddof=1)) / math.sqrt(n_seeds)
    growth = tuple(one.verdict for one in growths)
    scales = [one.verdict in (CRITICAL, CUT_OFF) for one in judged]
    return NeuralSandpileRule(
        estimate=float(exponents.mean()),
        interval=(float(exponents.mean()) - half, float(exponents.mean()) + half),
        rule="conservative" if conservative else "published",
        loss=0.0 if conservative else THRESHOLD - 2 * (NEAR_SHARE + FAR_SHARE),
        system_sizes=np.array(sizes, dtype=np.int64),
        mean_sizes=means,
        cut_offs=cut_offs,
        largest=largest,
        slopes=slopes,
        r_squared=r_squared,
        passes=passes,
        verdicts=tuple(one.verdict for one in judged),
        reasons=tuple(one.reason for one in judged),
        growth=growth,
        critical=np.array([scale and one == GROWS for scale, one in zip(scales, growth, strict=True)]),
    )
