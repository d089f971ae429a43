"""A power law with its leading corrections: p(x) ∝ x^−τ exp(c x_min/x + d x/x_max) on [x_min, x_max].

Scaling laws hold for large x only, and in finite systems up to a cut-off. Their leading analytic correction at small x
is 1 + const/x, the leading departure at a cut-off 1 + const·x/x_c; with c and d as nuisance parameters of either sign
the exponent is read beyond both. In (τ, c, d) this is an exponential family: the likelihood is smooth, the score of an
observation is its sufficient statistic (−ln x/x_min, x_min/x, x/x_max) less the mean, and a censored observation enters
with the mean over what lies above it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_N_TERMS = 200  # of a sum over whole numbers that are added one by one; the rest is an integral
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_REACH = 14.0  # logarithms beyond which x_min/x is nothing to exp, and the rest of an endless law has a closed form
_STEEPEST, _FLATTEST = 30.0, 1.02  # exponents of an endless law
_LARGEST_CORRECTION = 40.0


@dataclass(frozen=True, slots=True)
class Support:
    """Nodes and weights that sum or integrate any law of the family over [low, high]; reusable for all parameters."""

    features: FloatArray  # (n_parameters, n_nodes) sufficient statistics
    nodes: FloatArray  # (n_nodes,) in the unit of the data
    weights: FloatArray  # (n_nodes,)
    end: float  # ln(x/x_min) from which the closed form takes over; infinite where the law ends


@dataclass(frozen=True, slots=True)
class Window:
    """Where the law is fitted; without an end, and thus without d, where `x_max` is infinite."""

    x_min: float
    x_max: float
    discrete: bool

    def features(self, x: FloatArray) -> FloatArray:
        """Sufficient statistics (−ln x/x_min, x_min/x, x/x_max), one column per value."""
        rows = [-np.log(x / self.x_min), self.x_min / x]
        if math.isfinite(self.x_max):
            rows.append(x / self.x_max)
        return np.stack(rows)

    def support(self, low: float) -> Support:
        """Nodes over [low, x_max]; whole numbers where discrete."""
        start = low
        singles = np.empty(0)
        if self.discrete:
            singles = np.arange(low, min(low + _N_TERMS, self.x_max + 1))
            start = low + _N_TERMS - 0.5
        u_low = math.log(start / self.x_min)
        if math.isfinite(self.x_max):
            u_end, end = math.log((self.x_max + 0.5 * self.discrete) / self.x_min), math.inf
        else:
            u_end = end = max(u_low, 0.0) + _REACH
        if u_end <= u_low:
            return Support(self.features(singles), singles, np.full(singles.size, 1 / self.x_min), math.inf)
        edges = np.linspace(u_low, u_end, 1 + math.ceil(u_end - u_low))
        half = 0.5 * np.diff(edges)[:, None]
        x = self.x_min * np.exp(edges[:-1, None] + half * (_NODES + 1)).ravel()
        weights = (half * _WEIGHTS).ravel() * x
        if self.discrete:  # Σ f = ∫ (f − f″/24 + …), with f″ as a second difference
            x = np.concatenate((singles, x, x - 1, x + 1))
            weights = np.concatenate((np.ones(singles.size), 13 / 12 * weights, -weights / 24, -weights / 24))
        return Support(self.features(x), x, weights / self.x_min, end)

    def moments(self, parameters: FloatArray, support: Support) -> tuple[float, FloatArray, FloatArray]:
        """Logarithm of the normalization, mean and covariance of the sufficient statistics over a support."""
        masses, rest, log_z = self._masses(parameters, support)
        mean = support.features @ masses
        second = (support.features * masses) @ support.features.T
        if rest > 0:
            beyond = 1 / (parameters[0] - 1)
            u = support.end + beyond
            mean[0] -= rest * u
            second[0, 0] += rest * (u * u + beyond**2)
        return log_z, mean, second - np.outer(mean, mean)

    def expectations(
        self, parameters: FloatArray, support: Support, functions: FloatArray, limits: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """E[h] and E[h tᵀ] for functions h of x, given at the nodes and by their limits for large x."""
        masses, rest, _ = self._masses(parameters, support)
        mean = functions @ masses
        cross = (functions * masses) @ support.features.T
        if rest > 0:
            mean = mean + rest * limits
            cross[:, 0] -= rest * limits * (support.end + 1 / (parameters[0] - 1))
        return mean, cross

    @staticmethod
    def _masses(parameters: FloatArray, support: Support) -> tuple[FloatArray, float, float]:
        """Probability of every node and of what lies beyond the last, and the logarithm of the normalization."""
        exponents = parameters @ support.features
        top = float(exponents.max())
        masses = support.weights * np.exp(exponents - top)
        rest = 0.0
        if math.isfinite(support.end):
            slope = float(parameters[0]) - 1
            rest = math.exp(-slope * support.end - top) / slope
        total = float(masses.sum()) + rest
        return masses / total, rest / total, top + math.log(total)


@dataclass(frozen=True, slots=True)
class CorrectedFit:
    """Maximum-likelihood fit of the family to one window."""

    window: Window
    parameters: FloatArray  # τ, c and, where the window ends, d
    means: FloatArray  # (n_parameters,) of the sufficient statistics
    information: FloatArray  # (n_parameters, n_parameters) observed
    values: FloatArray  # (n_values,) distinct values in the window
    counts: FloatArray  # (n_values,)
    bounds: FloatArray  # (n_bounds,) distinct lower bounds of the censored ones
    bound_counts: FloatArray  # (n_bounds,)
    converged: bool
    supports: list[Support] = field(repr=False)  # of the window, then above each bound

    @property
    def exponent(self) -> float:
        """The exponent τ."""
        return float(self.parameters[0])

    @property
    def n(self) -> float:
        """Observations fitted, censored ones included."""
        return float(self.counts.sum() + self.bound_counts.sum())


def fit_corrected(
    values: FloatArray, counts: FloatArray, bounds: FloatArray, bound_counts: FloatArray, window: Window
) -> CorrectedFit | None:
    """Fit the family to the values in a window.

    Args:
        values: Distinct values in the window, shape `(n_values,)`.
        counts: How often each occurred, shape `(n_values,)`.
        bounds: Lower bounds ≥ x_min of censored observations, shape `(n_bounds,)`; none where the window ends.
        bound_counts: How often each occurred, shape `(n_bounds,)`.
        window: Where the law holds.

    Returns:
        The fit, or `None` where the values cannot tell the parameters apart.
    """
    features = window.features(values)
    if values.size < features.shape[0] + 2:
        return None
    supports = [window.support(window.x_min), *(window.support(float(bound)) for bound in bounds)]
    n_events, n = float(counts.sum()), float(counts.sum() + bound_counts.sum())
    seen = features @ counts
    parameters = np.zeros(features.shape[0])
    mean_log = -(seen[0] / n_events)
    parameters[0] = min(max(1 + n_events / n / max(mean_log + 0.5 * window.discrete / window.x_min, 1e-3), 1.1), 5.0)
    endless = not math.isfinite(window.x_max)

    def state(at: FloatArray) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        log_z, mean, covariance = window.moments(at, supports[0])
        value, score, information = at @ seen - n * log_z, seen - n * mean, n * covariance
        for support, count in zip(supports[1:], bound_counts, strict=True):
            log_above, mean_above, covariance_above = window.moments(at, support)
            value += count * log_above
            score = score + count * mean_above
            information = information - count * covariance_above
        return float(value), score, information, mean

    value, score, information, mean = state(parameters)
    converged = False
    for _ in range(60):
        step = _ascent(information, score)
        if step is None:
            return None
        gain = float(score @ step)
        if gain < 1e-12 * n:
            converged = True
            break
        length = 1.0
        while True:
            trial = parameters + length * step
            np.clip(trial[1:], -_LARGEST_CORRECTION, _LARGEST_CORRECTION, out=trial[1:])
            if endless:
                trial[0] = min(max(trial[0], _FLATTEST), _STEEPEST)
            trial_value, trial_score, trial_information, trial_mean = state(trial)
            if trial_value >= value or length < 1e-6:
                break
            length *= 0.5
        if length < 1e-6 or np.array_equal(trial, parameters):
            break
        parameters, value, score, information, mean = trial, trial_value, trial_score, trial_information, trial_mean
    if _ascent(information, score) is None or np.linalg.eigvalsh(information)[0] <= 0:
        return None
    return CorrectedFit(
        window=window,
        parameters=parameters,
        means=mean,
        information=information,
        values=values,
        counts=counts,
        bounds=bounds,
        bound_counts=bound_counts,
        converged=converged,
        supports=supports,
    )


def _ascent(information: FloatArray, score: FloatArray) -> FloatArray | None:
    """Newton's step, or a shorter one where the likelihood is not concave."""
    scale = np.sqrt(np.abs(np.diag(information)) + 1e-300)
    matrix = information / np.outer(scale, scale)
    if not np.isfinite(matrix).all():
        return None
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if lowest < 1e-10:
        matrix = matrix + (1e-4 - lowest) * np.eye(len(scale))
    return np.asarray(np.linalg.solve(matrix, score / scale) / scale)
