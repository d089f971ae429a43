"""Do avalanches of all durations have one shape? A(t | T) = T^γ f(t/T), and the γ at which their profiles collapse."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.special import chdtrc, ndtri

from phasescope.measures.avalanches import Avalanches
from phasescope.measures.mean_size import mean_size_range
from phasescope.results import Result

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

N_SPLINES = 8  # cubic, over 0 … 1: enough for a skewed arch, few enough for durations of ten bins
FEWEST_DURATIONS = 4
_N_CURVE = 101
_N_GROUPS = 6  # of durations, in the picture
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
    block: int | None = None,
    rng: np.random.Generator | None = None,
) -> ShapeCollapse:
    """Find the exponent that brings mean profiles of all durations onto one curve [1].

    Profiles are fitted by T^γ [f(u) + (t_min/T) h(u)], u = (t + ½)/T, with cubic splines f for the shape and h for its
    leading correction: an avalanche begins with one event, not with none, which short profiles show. The equations are
    Σ_i Σ_t (a_it/T^γ − f − h t_min/T) z_it / T = 0, in which every avalanche has one vote. No profile is normalized by
    its own maximum, which would make all data collapse at one γ. Censored avalanches are left out.

    Args:
        avalanches: With profiles.
        durations: Shortest and longest duration to use; by default the range over which the mean size grows as a
            power of the duration.
        corrections: Whether h is fitted; 0 otherwise.
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
    inside, low, high, remainder = _selection(avalanches, durations)
    lengths = avalanches.durations[inside]
    distinct, places = np.unique(lengths, return_inverse=True)
    if distinct.size < FEWEST_DURATIONS:
        raise ValueError(
            f"a collapse needs {FEWEST_DURATIONS} different durations; the {inside.size} complete avalanches of "
            f"{low} … {high} bins have {distinct.size}: take a wider range, or shorter bins"
        )
    system = _system(_moments(avalanches, inside), distinct, places, low, corrections)
    gamma, weights = _solve(system)
    influence = _influence(system, gamma, weights)
    labels = _labels(inside, block, avalanches)
    shifts = _block_sums(influence, labels)
    covariance = shifts.T @ shifts
    half = float(ndtri(0.975)) * math.sqrt(float(covariance[0, 0]) + remainder**2)
    shape_weights, spread = weights[:N_SPLINES], covariance[1 : 1 + N_SPLINES, 1 : 1 + N_SPLINES]
    u = np.linspace(0, 1, _N_CURVE)
    curve_basis = _basis(u)
    areas, first_moments = _spline_moments()
    area = float(areas @ shape_weights)
    skewness = float(first_moments @ shape_weights) / area
    gradient = (first_moments - skewness * areas) / area
    skew_half = float(ndtri(0.975)) * math.sqrt(max(float(gradient @ spread @ gradient), 0.0))
    variances = np.maximum(np.einsum("ij,jk,ik->i", curve_basis, spread, curve_basis), 0.0)
    band = float(ndtri(0.975)) * np.sqrt(variances)
    shape = curve_basis @ shape_weights
    p_value = _one_shape(system, gamma, weights, labels, influence)
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
        caveats += (f"{n_cut} avalanches that were cut before they ended are left out",)
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


def _selection(avalanches: Avalanches, durations: tuple[int, int] | None) -> tuple[IntArray, int, int, float]:
    """Places of the complete avalanches in the range, the range, and what higher corrections may still shift."""
    if avalanches.offsets.size == 0:
        raise ValueError("a shape collapse needs profiles; these avalanches are known by size and duration alone")
    whole, remainder = ~avalanches.censored, 0.0
    if durations is None:
        found = mean_size_range(
            avalanches.sizes, avalanches.durations, np.empty(0, dtype=np.int64), t_max=math.inf, usable=whole
        )
        if found is None:
            raise ValueError(
                f"the {int(whole.sum())} complete avalanches show no range of durations over which to collapse; record "
                "more, or give the range"
            )
        low, high, remainder = max(3, math.ceil(found.fit.t_min)), math.floor(found.fit.t_max), found.remainder
    else:
        low, high = durations
        if not 3 <= low < high:
            raise ValueError(f"durations need 3 ≤ shortest < longest, in bins; got {low} and {high}")
    inside = np.flatnonzero(whole & (avalanches.durations >= low) & (avalanches.durations <= high))
    if inside.size < N_SPLINES + 2:
        raise ValueError(
            f"a collapse needs at least {N_SPLINES + 2} complete avalanches; {inside.size} lie in {low} … {high} bins"
        )
    return inside, low, int(avalanches.durations[inside].max()), remainder


def _basis(u: FloatArray) -> FloatArray:
    """Cubic B-splines at positions in [0, 1], shape `(n, n_splines)`."""
    return np.asarray(BSpline.design_matrix(u, _knots(), 3).toarray())


def _knots() -> FloatArray:
    return np.concatenate(([0.0] * 3, np.linspace(0, 1, N_SPLINES - 2), [1.0] * 3))


def _spline_moments() -> tuple[FloatArray, FloatArray]:
    """∫ B_k and ∫ (u − ½) B_k over 0 … 1."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    edges = np.linspace(0, 1, N_SPLINES - 2)
    half = 0.5 * np.diff(edges)[:, None]
    u = (edges[:-1, None] + half * (nodes + 1)).ravel()
    w = (half * weights).ravel()
    basis = _basis(u)
    return np.asarray(w @ basis), np.asarray((w * (u - 0.5)) @ basis)


def _moments(avalanches: Avalanches, inside: IntArray) -> FloatArray:
    """(1/T) Σ_t a_t B(u_t) of every avalanche, shape `(n, n_splines)`."""
    lengths = avalanches.durations[inside]
    out = np.empty((inside.size, N_SPLINES))
    for t in np.unique(lengths):
        rows = np.flatnonzero(lengths == t)
        bins = avalanches.offsets[inside[rows], None] + np.arange(t)
        out[rows] = avalanches.profiles[bins] @ _basis((np.arange(t) + 0.5) / t) / t
    return out


@dataclass(frozen=True, slots=True)
class _System:
    """What the equations are made of; K is the number of spline weights, those of the correction included."""

    log_t: FloatArray  # (n_T,) ln T/t_min of the distinct durations
    places: IntArray  # (n,) which of them an avalanche has
    moments: FloatArray  # (n, K) (1/T) Σ_t a_t z(u_t, T)
    sums: FloatArray  # (n_T, K) of the moments
    counts: FloatArray  # (n_T,)
    products: FloatArray  # (n_T, K, K) (1/T) Σ_t z zᵀ
    gram: FloatArray  # (K, K) Σ over avalanches of the products


def _system(moments: FloatArray, distinct: IntArray, places: IntArray, low: int, corrections: bool) -> _System:
    products = np.stack([(b := _basis((np.arange(t) + 0.5) / t)).T @ b / t for t in distinct])
    if corrections:
        ratio = low / distinct
        moments = np.concatenate([moments, moments * ratio[places, None]], axis=1)
        side, corner = products * ratio[:, None, None], products * ratio[:, None, None] ** 2
        products = np.block([[products, side], [side, corner]])
    sums = np.zeros((distinct.size, moments.shape[1]))
    np.add.at(sums, places, moments)
    counts = np.bincount(places).astype(np.float64)
    gram = np.einsum("t,tjk->jk", counts, products)
    return _System(np.log(distinct / low), places, moments, sums, counts, products, gram)


def _solve(system: _System) -> tuple[float, FloatArray]:
    """γ and the weights of the splines, by Newton's method on the equation of γ with the weights following."""
    log_t, sums, counts = system.log_t, system.sums, system.counts
    heights = np.log(np.maximum(sums[:, :N_SPLINES].sum(axis=1) / counts, 1e-300))
    design = np.stack([np.ones_like(log_t), log_t]) * np.sqrt(counts)
    gamma = float(np.linalg.lstsq(design.T, heights * np.sqrt(counts), rcond=None)[0][1])
    for _ in range(100):
        scale = np.asarray(np.exp(-gamma * log_t), dtype=np.float64)
        weights = _solved(system.gram, scale @ sums)
        expected = system.products @ weights
        residual = float(log_t @ (scale * (sums @ weights) - counts * (expected @ weights)))
        slopes = _gamma_slopes(system, scale, weights)
        moved = np.linalg.solve(system.gram, slopes[1:])  # of the weights with γ
        derivative = slopes[0] + float((log_t * scale) @ sums @ moved - 2 * (log_t * counts) @ expected @ moved)
        step = -residual / derivative
        gamma += min(max(step, -0.5), 0.5)
        if abs(step) < 1e-12:
            break
    return float(gamma), _solved(system.gram, np.exp(-gamma * log_t) @ sums)


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)


def _gamma_slopes(system: _System, scale: FloatArray, weights: FloatArray) -> FloatArray:
    """Derivative by γ of the summed equations of γ and of the weights, shape `(1 + K,)`."""
    pulled = -(system.log_t * scale)[:, None] * system.sums
    return np.concatenate([[system.log_t @ (pulled @ weights)], pulled.sum(axis=0)])


def _influence(system: _System, gamma: float, weights: FloatArray) -> FloatArray:
    """Shift of γ and of every weight that each avalanche causes, shape `(n, 1 + K)`."""
    scale = np.exp(-gamma * system.log_t)
    scaled = system.moments * scale[system.places, None]
    expected = (system.products @ weights)[system.places]
    excess = (scaled - expected) @ weights
    contributions = np.concatenate([(excess * system.log_t[system.places])[:, None], scaled - expected], axis=1)
    slopes = _gamma_slopes(system, scale, weights)
    log_t, counts = system.log_t, system.counts
    by_weights = (log_t * scale) @ system.sums - 2 * (log_t * counts) @ (system.products @ weights)
    jacobian = np.block([[slopes[:1, None], by_weights[None]], [slopes[1:, None], -system.gram]])
    return np.asarray(-np.linalg.solve(jacobian, contributions.T).T)


def _labels(inside: IntArray, block: int | None, avalanches: Avalanches) -> IntArray:
    """Block of every avalanche used, in the order of the record."""
    n = len(avalanches)
    length = block if block is not None else (math.ceil(2 * n ** (1 / 3)) if avalanches.n_bins else 1)
    if not 1 <= length <= max(1, n // 10):
        raise ValueError(f"block must lie in 1 … {max(1, n // 10)}, so that there are ten of them; got {length}")
    return inside // length


def _block_sums(rows: FloatArray, labels: IntArray) -> FloatArray:
    return np.asarray(np.add.reduceat(rows, np.flatnonzero(np.diff(labels, prepend=-1)), axis=0))


def _one_shape(system: _System, gamma: float, weights: FloatArray, labels: IntArray, influence: FloatArray) -> float:
    """Test of one shape, its p: scores of B_k(u)·ln T, less what the fitted parameters take up."""
    log_t = system.log_t - system.log_t.mean()
    scale = np.exp(-gamma * system.log_t)
    scaled = system.moments[:, :N_SPLINES] * scale[system.places, None]
    products = system.products[:, :N_SPLINES]
    raw = (scaled - (products @ weights)[system.places]) * log_t[system.places, None]
    by_gamma = -(log_t * system.log_t * scale) @ system.sums[:, :N_SPLINES]
    by_weights = -np.einsum("t,tjk->jk", system.counts * log_t, products)
    each = raw + influence @ np.concatenate([by_gamma[:, None], by_weights], axis=1).T
    score = raw.sum(axis=0)
    shifts = _block_sums(each, labels)
    covariance = shifts.T @ shifts
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
    durations, profiles = [], []
    for start, stop in itertools.pairwise(edges):
        chosen = np.flatnonzero((lengths >= start) & (lengths < stop))
        if chosen.size == 0:
            continue
        total = np.zeros(positions.size)
        for t in np.unique(lengths[chosen]):
            rows = inside[chosen[lengths[chosen] == t]]
            mean = avalanches.profiles[avalanches.offsets[rows, None] + np.arange(t)].sum(axis=0)
            total += np.interp(positions, (np.arange(t) + 0.5) / t, mean) / (t / low) ** gamma
        durations.append(float(np.exp(np.log(lengths[chosen]).mean())))
        profiles.append(total / chosen.size / area)
    return positions, np.array(durations), np.array(profiles)
