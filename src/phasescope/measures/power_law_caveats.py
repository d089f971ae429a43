"""Sentences about assumptions of a power-law fit that did not hold."""

from __future__ import annotations

import numpy as np

from phasescope.measures.power_law_bootstrap import MAX_CANDIDATES
from phasescope.measures.power_law_fit import TailFit
from phasescope.measures.power_law_scan import Sample

_MANY_TIES = 0.5  # share of observations that share their value with another, of data called continuous
_MUCH_CENSORING = 0.5


def fit_caveats(
    sample: Sample,
    fit: TailFit,
    *,
    fixed: bool,
    discrete: bool,
    n_above: int,
    n_bootstrap: int,
) -> tuple[str, ...]:
    """Caveats of a fit.

    Args:
        sample: All the data up to x_max.
        fit: What was found in it.
        fixed: Whether x_min was given.
        discrete: Whether the law is.
        n_above: Observations left out above x_max.
        n_bootstrap: Replicas asked for.
    """
    caveats: list[str] = []
    counts = sample.events + sample.censored
    n, place = int(counts.sum()), int(np.searchsorted(sample.values, fit.x_min))
    if n_bootstrap and not fixed:
        caveats.append(
            "x_min was chosen from the same data, which makes p conservative: true power laws are rejected at p ≤ 0.1 "
            "in fewer than one case in ten, and deviations are found later"
        )
    if not n_bootstrap:
        caveats.append("without bootstrap there is no p, and the interval takes x_min as known")
    if fit.grid_change is not None:
        caveats.append(
            f"replicas were scanned at {MAX_CANDIDATES} of {np.count_nonzero(sample.events)} candidates for x_min; "
            f"on the data this grid finds a distance {fit.grid_change:.1e} above the exact one that is given"
        )
    if fit.n_failed:
        caveats.append(f"{fit.n_failed} of {n_bootstrap} resampled data sets had no tail to fit and are left out")
    if n_above:
        caveats.append(f"{n_above} of {n + n_above} observations above x_max are left out")
    tied = counts[place:][counts[place:] > 1].sum()
    if not discrete and tied > _MANY_TIES * counts[place:].sum():
        whole = bool(np.all(sample.values == np.floor(sample.values)))
        remedy = "they are whole numbers: fit them with discrete=True" if whole else "rounding moves x_min and p"
        caveats.append(
            f"{int(tied)} of {int(counts[place:].sum())} points of the tail share their value with another; {remedy}"
        )
    n_cut = int(sample.censored[place:].sum())
    if n_cut:
        caveats.append(
            "other laws are not compared where data are censored, so the verdict rests on the goodness of fit alone"
        )
    if n_cut > _MUCH_CENSORING * counts[place:].sum():
        caveats.append(
            f"{n_cut} of {int(counts[place:].sum())} points of the tail are censored; the exponent rests on the rest"
        )
    return tuple(caveats)
