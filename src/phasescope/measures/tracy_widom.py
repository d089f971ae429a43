"""Tracy–Widom law of the largest eigenvalue of real noise (β = 1), from its Fredholm determinant."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import airy

MEAN, VARIANCE = -1.2065335745820, 1.6077810345810  # Bornemann (2010)
_FEW_NODES, _MANY_NODES = 32, 64  # above and below −4, where the kernel spreads over a longer range
_NEGLIGIBLE = 45.0  # −ln of what the integral over (0, ∞) leaves out, against its largest value
_BELOW_ONE = 1 - 1e-16
_LOWEST, _HIGHEST = -12.0, 100.0  # F₁ is below 1e-31, and 1 − F₁ below 1e-290, beyond


def survival(s: ArrayLike) -> NDArray[np.float64]:
    """Probability 1 − F₁(s) that a Tracy–Widom variable exceeds s.

    F₁(s) = det(1 − V) with the kernel V(x, y) = ½ Ai((x + y)/2 + s) on (0, ∞) [1], by Gauss–Legendre quadrature [2].
    The determinant is taken from the eigenvalues of V, which are small where s is large, so that the far tail keeps
    its digits: relative error below 1e-9 down to 1e-290, absolute error below 1e-13 everywhere.

    Args:
        s: Centered and scaled largest eigenvalue, any shape.

    References:
        [1] Ferrari & Spohn (2005), Journal of Physics A 38, L557.
        [2] Bornemann (2010), Mathematics of Computation 79, 871; Markov Processes and Related Fields 16, 803.

    Example:
        >>> float(survival(0.97931605).round(6))
        0.05
    """
    values = np.asarray(s, dtype=np.float64)
    return np.array([abs(math.expm1(_log_cumulative(float(one)))) for one in values.ravel()]).reshape(values.shape)


def cumulative(s: ArrayLike) -> NDArray[np.float64]:
    """Probability F₁(s) that a Tracy–Widom variable is at most s."""
    values = np.asarray(s, dtype=np.float64)
    return np.array([math.exp(_log_cumulative(float(one))) for one in values.ravel()]).reshape(values.shape)


@lru_cache(maxsize=256)
def upper_quantile(probability: float) -> float:
    """The s that a Tracy–Widom variable exceeds with the given probability, 1e-250 … 1 − 1e-12."""
    if not 1e-250 <= probability <= 1 - 1e-12:
        raise ValueError(f"probability must lie in 1e-250 … 1 − 1e-12; got {probability:g}")
    if probability > 0.5:
        return float(brentq(lambda s: _log_cumulative(s) - math.log1p(-probability), -11.9, 1.0, xtol=1e-10))
    target = math.log(probability)
    return float(brentq(lambda s: math.log(-math.expm1(_log_cumulative(s))) - target, -4.0, 92.0, xtol=1e-10))


def largest_eigenvalue_scaling(n_variables: int, n_samples: int) -> tuple[float, float]:
    """Center and scale that make the largest eigenvalue of X Xᵀ a Tracy–Widom variable, entries of variance 1.

    (√(n − ½) + √(p − ½))² and (√(n − ½) + √(p − ½)) (1/√(n − ½) + 1/√(p − ½))^{1/3}: with these halves, in place of
    Johnstone's n − 1 and p [1], the error falls with the 2/3 power of the size instead of the 1/3 power [2].

    References:
        [1] Johnstone (2001), Annals of Statistics 29, 295.
        [2] Ma (2012), Bernoulli 18, 322.
    """
    a, b = math.sqrt(n_samples - 0.5), math.sqrt(n_variables - 0.5)
    return (a + b) ** 2, (a + b) * (1 / a + 1 / b) ** (1 / 3)


def _log_cumulative(s: float) -> float:
    if math.isnan(s):
        return math.nan
    if s < _LOWEST:
        return -math.inf
    if s > _HIGHEST:
        return 0.0
    # (x + y)/2 + s runs from s; Ai decays as exp(−⅔ u^{3/2}) for u > 0.
    start = max(s, 0.0) ** 1.5
    length = 2 * ((start + 1.5 * _NEGLIGIBLE) ** (2 / 3) - s)
    nodes, weights = _legendre(_FEW_NODES if s > -4 else _MANY_NODES)
    x, root = 0.5 * length * (nodes + 1), np.sqrt(0.5 * length * weights)
    kernel = 0.5 * airy(0.5 * (x[:, None] + x) + s)[0] * root[:, None] * root
    eigenvalues = np.linalg.eigvalsh(kernel)
    return float(np.log1p(-np.minimum(eigenvalues, _BELOW_ONE)).sum())


@lru_cache(maxsize=2)
def _legendre(n_nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    return nodes, weights
