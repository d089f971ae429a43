"""Do avalanches of all durations have one shape? A(t | T) = T^γ f(t/T), and the γ at which their profiles collapse."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from phasescope.measures.avalanches import Avalanches, CutBy, correlated_blocks
from phasescope.measures.collapse_equations import CollapseSystem, collapse_influence, collapse_system, solve_collapse
from phasescope.measures.duration_range import duration_range
from phasescope.measures.influence import block_sums, students_quantile
from phasescope.measures.profile_splines import N_SPLINES, profile_moments, spline_basis, spline_integrals
from phasescope.results import Result

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST_DURATIONS = 4
_N_CURVE = 101
_N_GROUPS = 6  # of durations, in the picture
_FEWEST_IN_GROUP = 20
_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeCollapse(Result):
    """Profiles of avalanches on one curve: A(t | T) = T^γ f(t/T) for long ones."""

    estimate: float  # γ; 1/(σνz) − 1 where scaling holds
    interval: tuple[float, float]  # 95 %, infinitesimal jackknife over avalanches, or over blocks of them in a record
    p_value: float  # of one shape for all durations, score test
    skewness: float  # of the shape about its middle: (∫(u − ½) f) / ∫f; 0 where avalanches rise as they fall
    skewness_interval: tuple[float, float]
    t_min: int  # shortest and longest duration used, in bins
    t_max: int
    n: int  # avalanches used
    positions: FloatArray  # (n_curve,) u = t/T
    shape: FloatArray  # (n_curve,) f(u), scaled to mean 1
    shape_band: FloatArray  # (n_curve, 2) pointwise 95 %
    group_durations: FloatArray  # (n_groups,) geometric mean duration of the avalanches of a group
    group_profiles: FloatArray  # (n_groups, n_points) mean profile of each group, divided by (T/t_min)^γ and by ∫f
    group_positions: FloatArray  # (n_points,)


def shape_collapse(
    avalanches: Avalanches,
    *,
    durations: tuple[int, int] | None = None,
    corrections: bool = True,
    cut_by: CutBy = "duration",
    block: int | None = None,
    rng: np.random.Generator | None = None,
) -> ShapeCollapse:
    """Find the exponent that brings mean profiles of all durations onto one curve [1].

    Profiles are fitted by T^γ e^{c t_min/T} [f(u) + (t_min/T) h(u)], u = (t + ½)/T, with cubic splines f for the shape
    and h, which has no area, for its leading correction: an avalanche begins with one event, not with none, which short
    profiles show. Where there is a cut-off, the same for T/t_max takes up the leading departure there. The equations:
    Σ_i Σ_t (a_it T^−γ e^{−c t_min/T} − f − h t_min/T) z_it / T = 0, in which every avalanche has one vote: with z the
    splines for f and h, with z = ln T and t_min/T for γ and c. So γ is the growth of the mean height of profiles, and
    the shapes decide whether one curve serves them all. No profile is normalized by its own maximum, which would make
    all data collapse at one γ. Censored avalanches are left out.

    Args:
        avalanches: With profiles.
        durations: Shortest and longest duration to use, where there is no cut-off; by default the range over which
            the mean size grows as a power of the duration, see `avalanche_exponents`.
        corrections: Whether c and h are fitted; 0 otherwise.
        cut_by: What ended the censored ones, as for `avalanche_exponents`.
        block: Neighboring avalanches that may be correlated; by default 2 n^⅓ in a record, 1 for separate trials.
        rng: Not needed: nothing is drawn. Accepted so that all estimators can be called alike.

    Returns:
        γ, its interval, whether one shape serves all durations, and the shape.

    Raises:
        ValueError: If there are no profiles, or too few complete avalanches or durations in the range.

    References:
        [1] Sethna, Dahmen & Myers (2001), Nature 410, 242; Papanikolaou et al. (2011), Nature Physics 7, 316.

    Example:
        >>> from phasescope.measures.avalanches import avalanches
        >>> rows = [np.r_[0, (100 * t**0.5 * (u := (np.arange(t) + 0.5) / t) * (1 - u)).round()] for t in range(10, 60)]
        >>> found = shape_collapse(avalanches(np.concatenate([*rows, [0]]).astype(int)), durations=(10, 59))
        >>> round(found.estimate, 2)
        0.5
    """
    blocks = correlated_blocks(avalanches, block)
    inside, low, high, remainder, bent = _selection(avalanches, durations, blocks, cut_by)
    lengths = avalanches.durations[inside]
    distinct, places = np.unique(lengths, return_inverse=True)
    if distinct.size < FEWEST_DURATIONS:
        raise ValueError(
            f"a collapse needs {FEWEST_DURATIONS} different durations; the {inside.size} complete avalanches of "
            f"{low} … {high} bins have {distinct.size}: take a wider range, or shorter bins"
        )
    moments = profile_moments(avalanches.profiles, avalanches.offsets[inside], lengths)
    system = collapse_system(moments, distinct, places, low, corrections, bent)
    exponents, weights = solve_collapse(system)
    gamma, n_exponents = float(exponents[0]), exponents.size
    influence = collapse_influence(system, exponents, weights)
    labels = blocks[inside]
    shifts = block_sums(influence.T, labels)
    covariance = shifts @ shifts.T
    half = float(students_quantile(shifts[:1])[0]) * math.sqrt(float(covariance[0, 0]) + remainder**2)
    of_shape = slice(n_exponents, n_exponents + N_SPLINES)
    shape_weights, spread = weights[:N_SPLINES], covariance[of_shape, of_shape]
    u = np.linspace(0, 1, _N_CURVE)
    curve_basis = spline_basis(u)
    areas, first_moments = spline_integrals()
    area = float(areas @ shape_weights)
    skewness = float(first_moments @ shape_weights) / area
    gradient = (first_moments - skewness * areas) / area
    skew_half = float(ndtri(0.975)) * math.sqrt(max(float(gradient @ spread @ gradient), 0.0))
    variances = np.maximum(np.einsum("ij,jk,ik->i", curve_basis, spread, curve_basis), 0.0)
    band = float(ndtri(0.975)) * np.sqrt(variances)
    shape = curve_basis @ shape_weights
    p_value = _one_shape(system, exponents, weights, labels, influence)
    group_positions, group_durations, group_profiles = _groups(avalanches, inside, lengths, gamma, low, area)
    caveats: tuple[str, ...] = ()
    if p_value <= _LEVEL:
        caveats += (
            f"profiles of different durations differ in shape (p = {p_value:.2g}): γ is that of a poor collapse",
        )
    if high < 4 * low:
        caveats += (f"durations span a factor of only {high / low:.2g}",)
    n_cut = int(np.count_nonzero(avalanches.censored & (avalanches.durations >= low)))
    if n_cut:
        caveats += (f"avalanches cut before they ended are left out: {n_cut}",)
    return ShapeCollapse(
        estimate=gamma,
        interval=(gamma - half, gamma + half),
        p_value=p_value,
        skewness=skewness,
        skewness_interval=(skewness - skew_half, skewness + skew_half),
        t_min=low,
        t_max=high,
        n=int(inside.size),
        positions=u,
        shape=shape / area,
        shape_band=np.stack([shape - band, shape + band], axis=1) / area,
        group_durations=group_durations,
        group_profiles=group_profiles,
        group_positions=group_positions,
        caveats=caveats,
    )


def _selection(
    avalanches: Avalanches, durations: tuple[int, int] | None, blocks: IntArray, cut_by: CutBy
) -> tuple[IntArray, int, int, float, bool]:
    """Places of the complete avalanches in the range, the range, what higher corrections may shift, any cut-off."""
    if avalanches.offsets.size == 0:
        raise ValueError("a shape collapse needs profiles; these avalanches are known by size and duration alone")
    whole, remainder, bent = ~avalanches.censored, 0.0, False
    if durations is None:
        found = duration_range(avalanches, blocks if blocks[-1] < len(blocks) - 1 else blocks[:0], cut_by).mean_size
        low, high = max(3, math.ceil(found.fit.t_min)), math.floor(found.fit.t_max)
        remainder, bent = found.remainder, found.fit.bent
    else:
        low, high = durations
        if not 3 <= low < high:
            raise ValueError(f"durations need 3 ≤ shortest < longest, in bins; got {low} and {high}")
    inside = np.flatnonzero(whole & (avalanches.durations >= low) & (avalanches.durations <= high))
    if inside.size < N_SPLINES + 2:
        raise ValueError(
            f"a collapse needs at least {N_SPLINES + 2} complete avalanches; {inside.size} lie in {low} … {high} bins"
        )
    return inside, low, int(avalanches.durations[inside].max()), remainder, bent


def _one_shape(
    system: CollapseSystem, exponents: FloatArray, weights: FloatArray, labels: IntArray, influence: FloatArray
) -> float:
    """Test of one shape, its p: scores of B_k(u)·ln T, less what the fitted parameters take up.

    Of every profile its own height is taken off first, so that a γ that is hardly known does not pass for a change of
    shape.
    """
    log_t = system.growth[:, 0] - system.growth[:, 0].mean()
    scale = np.exp(-system.growth @ exponents)
    scaled = system.moments[:, :N_SPLINES] * scale[system.places, None]
    products = system.products[:, :N_SPLINES]
    expected = products @ weights
    shares = expected / expected.sum(axis=1, keepdims=True)  # splines sum to 1: a sum over them is a height
    residuals = scaled - expected[system.places]
    residuals -= shares[system.places] * residuals.sum(axis=1, keepdims=True)
    raw = residuals * log_t[system.places, None]
    sums = system.sums[:, :N_SPLINES]
    pulled = (log_t * scale)[:, None] * (sums - shares * sums.sum(axis=1, keepdims=True))
    by_exponents = -system.growth.T @ pulled
    slopes = products - shares[:, :, None] * products.sum(axis=1, keepdims=True)
    by_weights = -np.einsum("t,tjk->jk", system.counts * log_t, slopes)
    each = raw / np.sqrt(1 - system.leverages[system.places, None])
    each += influence @ np.concatenate([by_exponents.T, by_weights], axis=1).T
    score = raw.sum(axis=0)
    shifts = block_sums(each.T, labels)
    covariance = shifts @ shifts.T
    size = np.sqrt(np.diag(covariance))
    tiny = 1e-9 * float(np.abs(scaled).sum()) + 1e-300
    if float(size.max()) < tiny:  # profiles without noise
        return 1.0 if float(np.abs(score).max()) < tiny else 0.0
    size = np.maximum(size, 1e-12 * size.max())
    values, vectors = np.linalg.eigh(covariance / np.outer(size, size))
    kept = values > 1e-6 * values[-1]
    statistic = float(np.sum((vectors.T @ (score / size))[kept] ** 2 / values[kept]))
    return float(chdtrc(int(kept.sum()), statistic))


def _groups(
    avalanches: Avalanches, inside: IntArray, lengths: IntArray, gamma: float, low: int, area: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean collapsed profiles of groups of durations, at the points of the shortest."""
    positions = (np.arange(max(low, 10)) + 0.5) / max(low, 10)
    edges = np.geomspace(low, lengths.max() + 1, _N_GROUPS + 1)
    group = np.searchsorted(edges, lengths, side="right") - 1
    for place in range(_N_GROUPS - 1, 0, -1):  # the longest are few: they join the next shorter ones
        if np.count_nonzero(group == place) < _FEWEST_IN_GROUP:
            group[group == place] -= 1
    durations, profiles = [], []
    for place in np.unique(group):
        chosen = np.flatnonzero(group == place)
        total = np.zeros(positions.size)
        for t in np.unique(lengths[chosen]):
            rows = inside[chosen[lengths[chosen] == t]]
            mean = avalanches.profiles[avalanches.offsets[rows, None] + np.arange(t)].sum(axis=0)
            total += np.interp(positions, (np.arange(t) + 0.5) / t, mean) / (t / low) ** gamma
        durations.append(float(np.exp(np.log(lengths[chosen]).mean())))
        profiles.append(total / chosen.size / area)
    return positions, np.array(durations), np.array(profiles)
