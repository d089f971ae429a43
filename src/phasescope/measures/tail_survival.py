"""Survival functions of the laws compared with a power law, to draw them beside the data."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from phasescope.measures.tail_integrals import log_moments, log_truncated_zeta


def law_survival(
    law: str, parameters: Mapping[str, float], x: ArrayLike, *, x_min: float, x_max: float | None, discrete: bool
) -> NDArray[np.float64]:
    """P(X ≥ x) given x_min ≤ X ≤ x_max, under a law of `heavy_tail_laws.LAWS`.

    Args:
        law: Its name.
        parameters: As in a `Comparison`, all finite.
        x: Positions from x_min on, shape `(n,)`; whole numbers where `discrete`.
        x_min: Where the law begins.
        x_max: Where it ends, or None.
        discrete: Whether it lives on whole numbers.

    Raises:
        ValueError: If there is no law of that name.
    """
    at = np.asarray(x, dtype=np.float64)
    end = math.inf if x_max is None else float(x_max)
    if law == "truncated_power_law":
        return _truncated(at, parameters["alpha"], parameters["lambda"], x_min, end, discrete)
    if law in ("lognormal", "stretched_exponential"):  # rounded to whole numbers where discrete
        shift, beyond = (-0.5, end + 0.5) if discrete else (0.0, end)
    elif law == "exponential":
        shift, beyond = 0.0, end + discrete
    else:
        raise ValueError(f"there is no law {law!r} with a survival function")
    first = _log_survival(law, parameters, np.array([x_min + shift]))[0]
    survival = np.exp(_log_survival(law, parameters, at + shift) - first)
    rest = 0.0
    if math.isfinite(end):
        rest = math.exp(_log_survival(law, parameters, np.array([beyond]))[0] - first)
    return np.asarray((survival - rest) / (1 - rest))


def _log_survival(law: str, parameters: Mapping[str, float], x: NDArray[np.float64]) -> NDArray[np.float64]:
    if law == "exponential":
        return -parameters["lambda"] * x
    if law == "lognormal":
        return np.asarray(log_ndtr(-(np.log(x) - parameters["mu"]) / parameters["sigma"]))
    return -np.exp(parameters["beta"] * (math.log(parameters["lambda"]) + np.log(x)))


def _truncated(
    x: NDArray[np.float64], alpha: float, rate: float, x_min: float, end: float, discrete: bool
) -> NDArray[np.float64]:
    if discrete:
        logs = [
            log_truncated_zeta(alpha, rate, k, end) - alpha * math.log(k / x_min) - rate * (k - x_min)
            for k in x.tolist()
        ]
        return np.exp(np.array(logs) - log_truncated_zeta(alpha, rate, x_min, end))
    stop = math.log(end / x_min) if math.isfinite(end) else math.inf
    setting = (alpha - 1.0, 0.0, rate * x_min, 0.0)
    total = log_moments(*setting, 0.0, stop)[0]
    starts = [math.log(value / x_min) for value in x.tolist()]
    return np.array([math.exp(log_moments(*setting, u, stop)[0] - total) if u < stop else 0.0 for u in starts])
