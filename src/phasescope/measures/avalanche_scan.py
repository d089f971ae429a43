"""Avalanches over a grid of thresholds and bin sizes: which exponents belong to the system, which to the choice?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_finite
from phasescope.measures.avalanche_exponents import FEWEST_AVALANCHES, avalanche_exponents
from phasescope.measures.avalanches import Avalanches, avalanches, avalanches_of_signal
from phasescope.measures.scaling_trouble import scaling_trouble
from phasescope.results import Result

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AvalancheScan(Result):
    """Exponents at every threshold and bin size; NaN where there is no scaling."""

    estimate: float  # share of the settings at which sizes, durations and mean sizes scale
    agreement: (
        float | None
    )  # spread of τ over these settings in units of its standard error; about 1 if τ is one number
    thresholds: FloatArray  # (n_thresholds,)
    bin_sizes: NDArray[np.int64]  # (n_bin_sizes,)
    n_avalanches: NDArray[np.int64]  # (n_thresholds, n_bin_sizes); 0 where always or never active
    active_share: FloatArray  # (n_thresholds, n_bin_sizes) bins in an avalanche
    exponents: FloatArray  # (n_thresholds, n_bin_sizes, 3) τ, α, γ
    errors: FloatArray  # (n_thresholds, n_bin_sizes, 3) standard errors
    crackling_p: FloatArray  # (n_thresholds, n_bin_sizes)
    troubles: tuple[str, ...]  # why there is no scaling, threshold by threshold; empty where there is


def avalanche_scan(
    record: ArrayLike, *, thresholds: Sequence[float], bin_sizes: Sequence[int] = (1, 2, 4, 8)
) -> AvalancheScan:
    """Read avalanches and their exponents at every threshold and bin size.

    A threshold and a bin size are choices, and exponents may follow them: longer bins join avalanches and lower τ,
    higher thresholds split them. A law that belongs to the system holds on a region of this grid with one exponent.

    Args:
        record: Activity per unit, shape `(n_units, n_bins)`: an event is a value above the threshold, an avalanche a
            run of bins with an event. Or one signal, shape `(n_bins,)`, summed over the bins that are joined: an
            avalanche is an excursion above threshold times bin size, its size the area above.
        thresholds: In the unit of the record; of z-scores, standard deviations.
        bin_sizes: Numbers of neighboring bins that are joined.

    Returns:
        Exponents, their errors and what stood in the way, over the grid.

    Raises:
        ValueError: If the record is not of that form, or no setting has any avalanche.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal((20, 20_000))
        >>> avalanche_scan(noise, thresholds=(2.0, 2.5, 3.0), bin_sizes=(1, 2)).estimate
        0.0
    """
    values = np.asarray(record)
    if values.ndim not in (1, 2):
        raise ValueError(f"record needs shape (n_units, n_bins) or (n_bins,); it has shape {values.shape}")
    values = as_finite(values, name="record", ndim=values.ndim)
    return scan_of(lambda threshold, bin_size: _found(values, threshold, bin_size), thresholds, bin_sizes)


def scan_of(
    find: Callable[[float, int], Avalanches], thresholds: Sequence[float], bin_sizes: Sequence[int]
) -> AvalancheScan:
    """The scan of `avalanche_scan` for avalanches that are found in another way.

    Args:
        find: Avalanches at a threshold and a bin size; a ValueError says why there are none.
        thresholds: In the unit that `find` takes.
        bin_sizes: Numbers of neighboring bins that are joined.

    Returns:
        The scan.

    Raises:
        ValueError: If no setting has any avalanche.
    """
    levels, sizes = np.asarray(thresholds, dtype=np.float64), np.asarray(bin_sizes, dtype=np.int64)
    if levels.ndim != 1 or sizes.ndim != 1 or levels.size == 0 or sizes.size == 0 or sizes.min() < 1:
        raise ValueError(f"need at least one threshold and one bin size ≥ 1; got {thresholds} and {bin_sizes}")
    shape = (levels.size, sizes.size)
    n_avalanches, active = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    exponents, errors = np.full((*shape, 3), np.nan), np.full((*shape, 3), np.nan)
    crackling = np.full(shape, np.nan)
    troubles: list[str] = []
    for i, threshold in enumerate(levels):
        for j, bin_size in enumerate(sizes):
            try:
                found = find(float(threshold), int(bin_size))
            except ValueError as error:
                trouble = str(error)
            else:
                n_avalanches[i, j] = len(found)
                active[i, j] = found.durations.sum() / found.n_bins
                trouble = _fill(found, exponents[i, j], errors[i, j], crackling[i : i + 1, j])
            troubles.append(trouble)
    if not n_avalanches.any():
        raise ValueError(f"no threshold among {levels.tolist()} gives avalanches; at the first, {troubles[0]}")
    scaling = np.isfinite(exponents[..., 0])
    agreement: float | None = None
    caveats: tuple[str, ...] = ()
    if scaling.sum() > 1:
        tau, spread = exponents[..., 0][scaling], errors[..., 0][scaling]
        center = np.average(tau, weights=spread**-2.0)
        agreement = float(np.sqrt(np.mean(((tau - center) / spread) ** 2)))
        caveats = ("settings share their data, so agreement below 1 is no evidence, only disagreement above 2 is",)
    return AvalancheScan(
        estimate=float(scaling.mean()),
        agreement=agreement,
        thresholds=levels,
        bin_sizes=sizes,
        n_avalanches=n_avalanches,
        active_share=active,
        exponents=exponents,
        errors=errors,
        crackling_p=crackling,
        troubles=tuple(troubles),
        caveats=caveats,
    )


def _found(values: FloatArray, threshold: float, bin_size: int) -> Avalanches:
    if values.ndim == 2:
        return avalanches((values > threshold).sum(axis=0), bin_size=bin_size)
    whole = values.size // bin_size * bin_size
    joined = values[:whole].reshape(-1, bin_size).sum(axis=1)
    return avalanches_of_signal(joined, threshold=threshold * bin_size)


def _fill(found: Avalanches, exponents: FloatArray, errors: FloatArray, crackling: FloatArray) -> str:
    """Write the exponents of one setting, or say why there are none."""
    if len(found) < FEWEST_AVALANCHES:
        return f"{len(found)} avalanches; exponents need {FEWEST_AVALANCHES}"
    try:
        fit = avalanche_exponents(found)
    except ValueError as error:
        return str(error)
    trouble = scaling_trouble(fit)
    if trouble is None:
        exponents[:] = fit.size_exponent, fit.duration_exponent, fit.mean_size_exponent
        errors[:] = np.sqrt(np.diag(fit.covariance))
        crackling[:] = fit.crackling.p_value
    return trouble or ""
