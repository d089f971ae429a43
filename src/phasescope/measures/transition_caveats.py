"""What deserves doubt about a fitted transition, in sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from phasescope.measures.sigmoids import gap_at
from phasescope.measures.time_axis import TimeAxis
from phasescope.measures.transition_fit import Fit

FEW_POINTS = 40  # smallest record whose calibration has been measured
STRONG_AUTOCORRELATION = 0.6
NO_NOISE = 1e-6  # of the curve's range: below it there is nothing to say about the noise
EXPONENTIAL_WIDTH = 1.342  # decades from 10 % to 90 % of 1 − exp(−t/τ): log10(ln 10 / ln(10/9))


def transition_caveats(
    axis: TimeAxis, fit: Fit, shape: tuple[float, float], width_interval: tuple[float, float]
) -> tuple[str, ...]:
    """Caveats of one transition (its midpoint, width and width's interval in positions) and of the fit around it."""
    midpoint, width = shape
    n_points = axis.steps.size
    found = []
    if n_points < FEW_POINTS:
        found.append(f"only {n_points} points: false alarms and intervals are calibrated from {FEW_POINTS} upwards")
    if width_interval[0] <= gap_at(axis.position, midpoint):
        found.append("the change may be faster than the spacing of the evaluations there; its width is an upper bound")
    onset, end = midpoint - 0.5 * width, midpoint + 0.5 * width
    if onset < 0.0 or end > 1.0:
        side = "begins before" if onset < 0.0 else "ends after"
        found.append(f"the change {side} the record, so its width and height rest on the sigmoid's shape")
    if axis.unit == "decades" and width_interval[1] * axis.length >= EXPONENTIAL_WIDTH:
        found.append(
            f"the change may be as wide as {EXPONENTIAL_WIDTH:.2f} decades, the width of a plain exponential "
            "relaxation from step 0, which has no delay in linear time"
        )
    return tuple(found) + _of_noise(fit)


def _of_noise(fit: Fit) -> tuple[str, ...]:
    found = []
    innovations = fit.innovations
    n_points = innovations.size
    if float(np.sqrt(np.mean(innovations**2))) < NO_NOISE:
        return ()
    if fit.autocorrelation >= STRONG_AUTOCORRELATION:
        found.append(
            f"the noise is strongly autocorrelated ({fit.autocorrelation:.2f} between neighboring evaluations), "
            "so the evaluations say less than their number"
        )
    thirds = np.array_split(innovations, 3)
    deviations = [float(np.sqrt(np.mean(third**2))) for third in thirds]
    if min(deviations) * 3.0 < max(deviations) and _levene_p(thirds) < 1e-3:
        found.append(
            f"the noise level changes over the record (standard deviations {deviations[0]:.2g}, {deviations[1]:.2g} "
            f"and {deviations[2]:.2g} of the curve's range in its thirds); intervals assume one level"
        )
    lags = np.arange(1, min(10, n_points // 4) + 1)
    centered = innovations - innovations.mean()
    correlations = np.array([float(centered[lag:] @ centered[:-lag]) for lag in lags]) / float(centered @ centered)
    ljung_box = n_points * (n_points + 2) * float(np.sum(correlations**2 / (n_points - lags)))
    if float(chdtrc(lags.size, ljung_box)) < 1e-3:
        found.append("the residuals are not AR(1) noise: the change is no sigmoid, or the trend no parabola")
    return tuple(found)


def _levene_p(samples: list[NDArray[np.float64]]) -> float:
    """P-value of Levene's test about the median: do the samples have one variance?"""
    from scipy.stats import levene  # half a second to import, and rarely needed

    return float(levene(*samples, center="median").pvalue)
