"""Intervals for onset, midpoint, width and height of a fitted transition: profile likelihood with a bootstrapped limit.

An interval holds every onset (midpoint, width) that some sigmoid can have whose residual sum of squares exceeds the
smallest one by no more than a limit. Unlike a percentile bootstrap this needs no symmetric likelihood, which a midpoint
between two evaluations does not have. The limit is the 95 % point of that excess at the truth in a parametric bootstrap
of the fit, its autocorrelation drawn by restricted likelihood, and of the widest sigmoid that fits nearly as well: in
autocorrelated noise a large innovation inside a wide rise passes for a jump, and around a jump the excess is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, stdtrit

from phasescope.measures.autoregression import color, whiten
from phasescope.measures.sigmoids import gap_at, tangents
from phasescope.measures.transition_fit import AUTOCORRELATIONS, WIDEST, Fit, free_atoms, residual_squares

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]
LEVEL = 0.95
N_REPLICATES = 300
SCAN_LIMIT = 9.0  # excess, in units of the variance, up to which another sigmoid counts as fitting nearly as well
FINE, COARSE = 31, 17  # grid points per axis, for the curve and for its replicates


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals of one transition; onset, midpoint and width in positions of the record."""

    onset: Interval
    midpoint: Interval
    width: Interval
    amplitude: Interval


@dataclass(frozen=True, slots=True)
class Scan:
    """A grid of sigmoids and their excess over the smallest residual sum of squares."""

    midpoints: FloatArray  # (n_candidates,)
    widths: FloatArray  # (n_candidates,)
    excess: FloatArray  # (n_candidates,)
    step_midpoint: float
    step_width: float


def transition_intervals(fits: Sequence[Fit], j: int, *, rng: np.random.Generator) -> Intervals:
    """Intervals of transition j.

    Args:
        fits: The fit, and a second one when the degree of the trend is in doubt.
        j: Which of the transitions.
        rng: Source of randomness for the bootstrap.

    Returns:
        The intervals, spanning those of all fits; none for a location is narrower than the spacing of the evaluations.
    """
    each = [_of_fit(fit, j, rng) for fit in fits]
    return Intervals(
        onset=_hull([one.onset for one in each]),
        midpoint=_hull([one.midpoint for one in each]),
        width=_hull([one.width for one in each]),
        amplitude=_hull([one.amplitude for one in each]),
    )


def _hull(intervals: Sequence[Interval]) -> Interval:
    return min(low for low, _ in intervals), max(high for _, high in intervals)


def _of_fit(fit: Fit, j: int, rng: np.random.Generator) -> Intervals:
    midpoint, width = fit.shapes[j]
    others = fit.beside(j)
    n_free = max(fit.values.size - others.shape[1] - 3, 1)
    variance = max(float(fit.innovations @ fit.innovations) / n_free, (1e-6 * fit.amplitudes[j]) ** 2)
    gap = gap_at(fit.position, midpoint)
    usual = float(fdtri(1, n_free, LEVEL))

    box, scan = _accepted_box(fit, j, others, SCAN_LIMIT * variance, gap)
    near = scan.excess <= SCAN_LIMIT * variance
    widest = int(np.argmax(np.where(near, scan.widths, -1.0)))
    generators = [(midpoint, width), (float(scan.midpoints[widest]), float(scan.widths[widest]))]
    limits = np.max([_limits(fit, others, box, shape, variance, rng) for shape in generators], axis=0)
    limits = np.maximum(limits, usual)
    _, scan = _accepted_box(fit, j, others, float(limits.max()) * variance, gap)
    midpoints, widths, step_midpoint, step_width = scan.midpoints, scan.widths, scan.step_midpoint, scan.step_width
    excess = scan.excess / variance

    on_onset, on_midpoint, on_width = (excess <= limit for limit in limits)
    low_width, high_width = _span(widths[on_width], width)
    return Intervals(
        onset=_ends(
            (midpoints - 0.5 * widths)[on_onset], midpoint - 0.5 * width, 0.5 * step_midpoint + 0.25 * step_width, gap
        ),
        midpoint=_ends(midpoints[on_midpoint], midpoint, 0.5 * step_midpoint, gap),
        width=(max(low_width - 0.5 * step_width, 0.0), max(high_width + 0.5 * step_width, gap)),
        amplitude=_amplitude_interval(fit, j, others, variance, n_free),
    )


def _accepted_box(fit: Fit, j: int, others: FloatArray, allowed: float, gap: float) -> tuple[list[float], Scan]:
    """Bounding box of the sigmoids within an allowed excess, and the grid over (midpoint, width) that filled it.

    Starts wide, because a rise that can be a jump can also be something else, and closes in.
    """
    midpoint, width = fit.shapes[j]
    phi = fit.autocorrelation
    own = (np.array([midpoint]), np.array([width]))
    least = float(residual_squares(fit.position, fit.values, others, *own, phi)[0])
    reach = max(0.15, 3.0 * gap, width)
    box = [max(midpoint - reach, 0.0), min(midpoint + reach, 1.0), 0.0, min(width + 2.0 * reach, WIDEST)]
    for _ in range(8):
        midpoints, widths = _grid(box, FINE)
        excess = residual_squares(fit.position, fit.values, others, midpoints, widths, phi) - least
        scan = Scan(midpoints, widths, excess, (box[1] - box[0]) / (FINE - 1), (box[3] - box[2]) / (FINE - 1))
        low, high = _span(midpoints[excess <= allowed], midpoint)
        narrow, wide = _span(widths[excess <= allowed], width)
        touches = (
            (low <= box[0] > 0.0) or (high >= box[1] < 1.0) or (narrow <= box[2] > 0.0) or (wide >= box[3] < WIDEST)
        )
        filled = high - low >= 0.5 * (box[1] - box[0]) and wide - narrow >= 0.5 * (box[3] - box[2])
        if filled and not touches:
            break
        grow = 0.5 if touches else 0.1
        margin_midpoint = grow * (high - low) + 1.5 * scan.step_midpoint
        margin_width = grow * (wide - narrow) + 1.5 * scan.step_width
        box = [
            max(low - margin_midpoint, 0.0),
            min(high + margin_midpoint, 1.0),
            max(narrow - margin_width, 0.0),
            min(wide + margin_width, WIDEST),
        ]
    return box, scan


def _limits(
    fit: Fit,
    others: FloatArray,
    box: list[float],
    shape: tuple[float, float],
    variance: float,
    rng: np.random.Generator,
) -> FloatArray:
    """95 % points of the excess at the truth for onset, midpoint and width, in units of the variance, shape `(3,)`.

    The replicates hold one sigmoid of the given shape, as high as fits the curve; the other columns drop out.
    """
    midpoint, width = shape
    phi = fit.autocorrelation
    midpoints, widths = _grid(box, COARSE)
    line_midpoints = np.append(np.linspace(box[0], box[1], COARSE), midpoint)
    line_widths = np.append(np.linspace(box[2], box[3], COARSE), width)
    n_line = COARSE + 1
    all_midpoints = np.concatenate(
        [midpoint + 0.5 * (line_widths - width), np.full(n_line, midpoint), line_midpoints, midpoints]
    )
    all_widths = np.concatenate([line_widths, line_widths, np.full(n_line, width), widths])
    innovations = math.sqrt(variance) * rng.standard_normal((fit.values.size, N_REPLICATES))
    drawn = rng.choice(AUTOCORRELATIONS.size, N_REPLICATES, p=fit.autocorrelation_weights)
    noise = np.empty_like(innovations)
    for index in np.unique(drawn):
        members = drawn == index
        noise[:, members] = color(innovations[:, members], float(AUTOCORRELATIONS[index]))
    series = np.column_stack([fit.values, noise])
    rest, atoms = free_atoms(fit.position, series, others, all_midpoints, all_widths, phi)
    own = atoms[:, COARSE]
    replicates = rest[:, 1:] + np.outer(own, own @ rest[:, :1])
    drops = (atoms.T @ replicates) ** 2
    best = drops.max(axis=0)
    # The excess is studentized with the replicate's own noise, as it is for the curve.
    n_free = max(fit.values.size - others.shape[1] - 3, 1)
    own_variance = ((replicates**2).sum(axis=0) - best) / n_free
    at_truth = [drops[k * n_line : (k + 1) * n_line].max(axis=0) for k in range(3)]
    return np.array([float(np.quantile((best - drop) / own_variance, LEVEL)) for drop in at_truth])


def _grid(box: list[float], n_points: int) -> tuple[FloatArray, FloatArray]:
    midpoints, widths = np.meshgrid(np.linspace(box[0], box[1], n_points), np.linspace(box[2], box[3], n_points))
    return midpoints.ravel(), widths.ravel()


def _amplitude_interval(fit: Fit, j: int, others: FloatArray, variance: float, n_free: int) -> Interval:
    """Interval of the height from the model linearized in midpoint and width."""
    midpoint, width = fit.shapes[j]
    own = tangents(fit.position, midpoint, width)[:, :3]
    white = whiten(np.column_stack([others, own]), fit.autocorrelation)
    uncertainty = np.linalg.pinv(white.T @ white)[others.shape[1], others.shape[1]]
    half = float(stdtrit(n_free, 0.5 + 0.5 * LEVEL)) * math.sqrt(variance * uncertainty)
    return fit.amplitudes[j] - half, fit.amplitudes[j] + half


def _span(accepted: FloatArray, estimate: float) -> Interval:
    return float(accepted.min(initial=estimate)), float(accepted.max(initial=estimate))


def _ends(accepted: FloatArray, estimate: float, margin: float, gap: float) -> Interval:
    """Ends of the accepted set, never closer to the estimate than half the spacing of the evaluations there."""
    low, high = _span(accepted, estimate)
    return min(low - margin, estimate - 0.5 * gap), max(high + margin, estimate + 0.5 * gap)
