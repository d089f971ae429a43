"""Avalanches whose exponents are exact: critical trees and the directed sandpile, whole, cut, in time, off critical."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from phasescope.measures.avalanche_exponents import avalanche_exponents
from phasescope.measures.avalanches import Avalanches, CutBy, avalanches
from phasescope.measures.shape_collapse import shape_collapse
from phasescope.studies.criticality.calibration import DecisionCase, EstimateCase, Estimates
from phasescope.studies.criticality.cases.verdicts import in_time, scattered
from phasescope.synthetic.directed_sandpile import (
    DURATION_EXPONENT,
    SIZE_DURATION_EXPONENT,
    SIZE_EXPONENT,
    directed_sandpile,
)
from phasescope.synthetic.galton_watson import Offspring, galton_watson

Draw = Callable[[np.random.Generator], Avalanches]

N_ROWS = 1_024
GENERATIONS = 20_000  # beyond which hardly a tree goes on
TREES = {"τ": 1.5, "α": 2.0, "γ": 2.0, "γ of shapes": 1.0}
SANDPILE = {
    "τ": SIZE_EXPONENT,
    "α": DURATION_EXPONENT,
    "γ": SIZE_DURATION_EXPONENT,
    "γ of shapes": SIZE_DURATION_EXPONENT - 1,
}


def trees(
    n: int,
    rng: np.random.Generator,
    *,
    offspring: Offspring = "poisson",
    ratio: float = 1.0,
    max_generations: int = GENERATIONS,
    max_size: int = 10**9,
) -> Avalanches:
    """Galton–Watson trees with their profiles."""
    return galton_watson(
        n,
        ratio=ratio,
        offspring=offspring,
        max_generations=max_generations,
        max_size=max_size,
        profiles=True,
        rng=rng,
    )


def sandpile(n: int, rng: np.random.Generator, *, n_rows: int = N_ROWS) -> Avalanches:
    """About n avalanches of the directed sandpile."""
    return directed_sandpile(n_rows, n_grains=2 * n, profiles=True, rng=rng)


def recorded(draw: Draw, rng: np.random.Generator) -> Avalanches:
    """The avalanches read back from a raster, where they follow each other in time and are scattered over units.

    Whatever cut them is forgotten there, so hardly any should be cut.
    """
    return avalanches(scattered(in_time(draw(rng), rng=rng), rng=rng))


def exponents(draw: Draw, cut_by: CutBy, rng: np.random.Generator) -> Estimates:
    """All exponents of one data set, shapes included, through the functions that everybody calls."""
    found = draw(rng)
    read = avalanche_exponents(found, cut_by=cut_by)
    collapse = shape_collapse(found, cut_by=cut_by)
    return {
        "τ": (read.size_exponent, *read.size_exponent_interval),
        "α": (read.duration_exponent, *read.duration_exponent_interval),
        "γ": (read.mean_size_exponent, *read.mean_size_exponent_interval),
        "γ of shapes": (collapse.estimate, *collapse.interval),
    }


def relation_rejected(draw: Draw, rng: np.random.Generator) -> bool:
    """Whether the crackling-noise relation is rejected at 0.05."""
    return avalanche_exponents(draw(rng)).crackling.p_value <= 0.05


def shapes_differ(draw: Draw, rng: np.random.Generator) -> bool:
    """Whether one shape for all durations is rejected at 0.05."""
    return shape_collapse(draw(rng)).p_value <= 0.05


N_TRIALS, N_SLOW = 1_000, 500  # of small data sets, and of large ones
FEW, MANY = 5_000, 20_000
WHOLE: dict[str, tuple[dict[str, float], Draw]] = {
    f"Poisson trees, {FEW:,}": (TREES, partial(trees, FEW)),
    f"Poisson trees, {MANY:,}": (TREES, partial(trees, MANY)),
    f"geometric trees, {FEW:,}": (TREES, partial(trees, FEW, offspring="geometric")),
    f"directed sandpile, {FEW:,}": (SANDPILE, partial(sandpile, FEW)),
    f"directed sandpile, {MANY:,}": (SANDPILE, partial(sandpile, MANY)),
}
CRITICAL: tuple[tuple[str, str, dict[str, float], Draw], ...] = (
    *((name, "avalanches that are trials of their own", truths, draw) for name, (truths, draw) in WHOLE.items()),
    (
        f"Poisson trees in time, {FEW:,}",
        "one after the other, 5 silent bins between them on average, read from a raster of 20 units",
        TREES,
        partial(recorded, partial(trees, FEW, max_generations=10 * GENERATIONS)),
    ),
    (
        f"Poisson trees cut at 100 generations, {FEW:,}",
        "those that live longer, 2 %, are censored",
        TREES,
        partial(trees, FEW, max_generations=100),
    ),
    (
        f"Poisson trees cut at 1,000 individuals, {FEW:,}",
        "those that grow larger, 3 %, are censored",
        TREES,
        partial(trees, FEW, max_size=1_000),
    ),
    (
        f"directed sandpile of 64 rows, {FEW:,}",
        "those that reach the last row, 14 %, are censored",
        SANDPILE,
        partial(sandpile, FEW, n_rows=64),
    ),
)

CASES = (
    *(
        EstimateCase(
            name=f"avalanches, {name}",
            system=system,
            truths=truths,
            estimate=partial(exponents, draw, "size" if "individuals" in name else "duration"),
            trials=N_TRIALS if name.endswith(f"{FEW:,}") and "in time" not in name else N_SLOW,
        )
        for name, system, truths, draw in CRITICAL
    ),
    *(
        EstimateCase(
            name=f"avalanches, Poisson trees off critical, m = {ratio:g}, {FEW:,}",
            system=f"their law is cut off at about {1 / (1 - ratio):.0f} generations; the truths are those of m = 1",
            truths=TREES,
            estimate=partial(exponents, partial(trees, FEW, ratio=ratio), "duration"),
            trials=N_SLOW,
        )
        for ratio in (0.98, 0.95)
    ),
    *(
        DecisionCase(
            name=f"avalanches, {what}, {name}",
            system=f"{name} avalanches",
            decision=f"{what} rejected",
            is_true=False,
            bound=0.05,
            decide=partial(decide, WHOLE[name][1]),
            trials=N_SLOW,
        )
        for what, decide in (("crackling relation", relation_rejected), ("one shape", shapes_differ))
        for name in (f"Poisson trees, {FEW:,}", f"directed sandpile, {FEW:,}")
    ),
)
