"""Everything that is read from one set of avalanches, and how it is kept in a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.avalanche_exponents import AvalancheExponents
from phasescope.measures.avalanches import Avalanches
from phasescope.measures.criticality import Criticality, criticality
from phasescope.measures.power_law import PowerLaw, fit_power_law
from phasescope.measures.published_rules import SlopeCriterion, slope_criterion
from phasescope.measures.shape_collapse import ShapeCollapse, shape_collapse
from phasescope.store.writer import RecordingWriter

N_BOOTSTRAP = 500  # of the power-law fit: p to ± 0.02
FEWEST_SIZES = 10  # below, nothing is fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class AvalancheReading:
    """What the measures say of a set of avalanches; `None` where one has no answer, with the reason in `omitted`."""

    avalanches: Avalanches
    criticality: Criticality
    exponents: AvalancheExponents | None
    power_law: PowerLaw | None  # of sizes; over their scaling range, where it has an end
    collapse: ShapeCollapse | None
    published: SlopeCriterion | None  # the criterion in circulation, for comparison
    omitted: tuple[str, ...]


def read_avalanches(
    found: Avalanches,
    *,
    profiled: Avalanches | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    rng: np.random.Generator,
) -> AvalancheReading:
    """Judge avalanches, fit their sizes, collapse their shapes, and apply the published criterion beside.

    Args:
        found: The avalanches.
        profiled: Some of them, or others of the same system, with profiles; `found` itself if it has them.
        n_bootstrap: Refits behind interval and goodness of fit of the power law.
        rng: Source of randomness for these.

    Returns:
        All results.
    """
    judged = criticality(found, rng=rng)
    omitted: list[str] = []
    if judged.exponents is None:
        omitted.append(f"exponents: {judged.reason}")
    power_law = _power_law(found, judged.exponents, n_bootstrap, rng, omitted)
    shapes = found if profiled is None and found.offsets.size else profiled
    published = None
    try:
        published = slope_criterion(found.sizes)
    except ValueError as error:
        omitted.append(f"published criterion: {error}")
    return AvalancheReading(
        avalanches=found,
        criticality=judged,
        exponents=judged.exponents,
        power_law=power_law,
        collapse=_collapse(shapes, omitted),
        published=published,
        omitted=tuple(omitted),
    )


def _power_law(
    found: Avalanches,
    exponents: AvalancheExponents | None,
    n_bootstrap: int,
    rng: np.random.Generator,
    omitted: list[str],
) -> PowerLaw | None:
    sizes = found.sizes[~found.censored]
    if np.unique(sizes).size < FEWEST_SIZES:
        omitted.append(f"power law: fewer than {FEWEST_SIZES} distinct sizes")
        return None
    discrete = bool((sizes == np.round(sizes)).all())
    fit = partial(fit_power_law, discrete=discrete, n_bootstrap=n_bootstrap, rng=rng)
    try:
        if exponents is not None and exponents.cut_off[0]:  # the range over which sizes were found to scale
            return fit(sizes, x_min=exponents.size_range[0], x_max=exponents.size_range[1])
        return fit(found.sizes, censored=found.censored) if found.censored.any() else fit(sizes)
    except ValueError as error:
        omitted.append(f"power law: {error}")
        return None


def _collapse(shapes: Avalanches | None, omitted: list[str]) -> ShapeCollapse | None:
    if shapes is None or not shapes.offsets.size:
        omitted.append("shape collapse: profiles of these avalanches are not kept")
        return None
    try:
        return shape_collapse(shapes)
    except ValueError as error:
        omitted.append(f"shape collapse: {error}")
        return None


def record_reading(recording: RecordingWriter, run: int, reading: AvalancheReading, *, step: int) -> None:
    """Write avalanches and results of one run; `step` is how long the system was driven."""
    found = reading.avalanches
    recording.write_array(run, "avalanches/sizes", step, _small(found.sizes))
    recording.write_array(run, "avalanches/durations", step, _small(found.durations))
    recording.write_array(run, "avalanches/censored", step, found.censored)
    results = {
        "criticality": reading.criticality,
        "exponents": reading.exponents,
        "power_law": reading.power_law,
        "collapse": reading.collapse,
        "published": reading.published,
    }
    for name, result in results.items():
        if result is not None:
            recording.write_result(run, name, result.to_dict())
    recording.write_result(run, "omitted", {"reasons": list(reading.omitted), "caveats": []})


def _small(values: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.generic]:
    """Whole numbers in the smallest signed type that holds them."""
    if not np.array_equal(values, np.round(values)):
        return values
    return np.asarray(values.astype(np.min_scalar_type(-max(int(values.max(initial=1)), 1))))
