"""Simple scaling of avalanches: moments against system size, and the curvature of their exponents."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc, ndtri

from phasescope.measures.arrays import as_finite
from phasescope.results import Result

FloatArray = NDArray[np.float64]

ORDERS = (1.0, 1.5, 2.0, 2.5, 3.0)
CORRECTIONS = (0.5, 0.75, 1.0, 1.5, 2.0)  # exponents ω of the leading correction that are tried
N_BLOCKS = 100  # of consecutive avalanches; their spread is the error of a moment, correlations included
MIN_AVALANCHES = 1_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleScaling(Result):
    """Curvature of the moment exponents σ(q) in ⟨s^q⟩ ~ L^σ(q): zero under simple scaling."""

    estimate: float  # d²σ/dq², weighted mean over the orders, for infinite systems
    interval: tuple[float, float]  # 95 %: the hull over the correction exponents tried, as are those below
    p_value: float  # the largest over the correction exponents: rejected only if rejected for each
    verdict: str  # "simple scaling not rejected" or "multiscaling"
    correction: float  # ω of the fit shown: the one with the smallest misfit
    misfit: float  # its χ² per degree of freedom
    dimension: float  # D = dσ/dq over the two highest orders, dimension of the cut-off s_c ~ L^D
    dimension_interval: tuple[float, float]
    size_exponent: float  # τ = q + 1 − σ(q)/D at the highest order
    size_exponent_interval: tuple[float, float]
    orders: FloatArray  # (n_orders,) q
    exponents: FloatArray  # (n_orders,) σ(q)
    exponent_errors: FloatArray  # (n_orders,) standard errors
    deviations: FloatArray  # (n_orders,) of σ(q) from the chord between the lowest and the highest order
    deviation_errors: FloatArray  # (n_orders,) standard errors
    system_sizes: FloatArray  # (n_sizes,) L
    log_moments: FloatArray  # (n_sizes, n_orders) ln ⟨s^q⟩
    log_moment_errors: FloatArray  # (n_sizes, n_orders) standard errors
    n_avalanches: NDArray[np.int64]  # (n_sizes,)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Exponents and their covariance for one correction exponent."""

    exponents: FloatArray
    covariance: FloatArray
    chi2: float


def simple_scaling(
    sizes: Mapping[float, ArrayLike],
    *,
    orders: Sequence[float] = ORDERS,
    corrections: Sequence[float] = CORRECTIONS,
    n_blocks: int = N_BLOCKS,
) -> SimpleScaling:
    """Test whether avalanche sizes of systems of different size follow one law P(s; L) = s^−τ G(s / L^D).

    If they do, the moments ⟨s^q⟩ ~ L^σ(q) have exponents that are linear in the order, σ(q) = D (q + 1 − τ) for
    q > τ − 1 [1]; in the two-dimensional Abelian sandpile they are not [2]. Fitted by generalized least squares is

        ln ⟨s^q⟩ = a_q + σ(q) ln L + c_q L^−ω

    for all orders at once, with the covariance of the moments of one system taken from blocks of consecutive
    avalanches. The leading correction ω is not known, so each of `corrections` is tried; simple scaling is rejected
    when it is rejected under every one of them, and the interval is the hull of theirs.

    Args:
        sizes: Avalanche sizes, in the order in which they occurred, by linear system size L; at least four systems
            spanning a factor of four. Avalanches of size zero count: leave them in.
        orders: Three or more increasing orders q, equally spaced, all above τ − 1.
        corrections: Exponents ω > 0 that are tried.
        n_blocks: Blocks per system; each should be much longer than avalanches stay correlated.

    Returns:
        The curvature, its interval and p-value, and the exponents D and τ that hold if it is zero.

    Raises:
        ValueError: If there are too few systems, too few avalanches in one, or sizes that are negative or all zero.

    References:
        [1] De Menech, Stella & Tebaldi (1998), Physical Review E 58, R2677.
        [2] Tebaldi, De Menech & Stella (1999), Physical Review Letters 83, 3952.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> sizes = {length: (length**2 * rng.beta(0.5, 1.0, 20_000)) for length in (16, 32, 64, 128)}
        >>> simple_scaling(sizes).verdict
        'simple scaling not rejected'
    """
    q = np.asarray(orders, dtype=np.float64)
    if q.size < 3 or not np.allclose(np.diff(q), q[1] - q[0]) or q[1] <= q[0]:
        raise ValueError(f"orders must be three or more increasing and equally spaced numbers; got {list(orders)}")
    if not corrections or min(corrections) <= 0:
        raise ValueError(f"correction exponents must be positive; got {list(corrections)}")
    lengths = np.array(sorted(sizes), dtype=np.float64)
    if lengths.size < 4 or lengths[0] <= 0 or lengths[-1] < 4 * lengths[0]:
        raise ValueError(
            f"the test needs at least four systems whose sizes span a factor of four; got {[float(x) for x in lengths]}"
        )
    logs, covariances, counts = [], [], []
    for length in sorted(sizes):
        log_moment, covariance, n = _log_moments(sizes[length], q, n_blocks, name=f"sizes[{length:g}]")
        logs.append(log_moment)
        covariances.append(covariance)
        counts.append(n)
    log_moments = np.array(logs)
    fits = {omega: _fit(lengths, log_moments, covariances, omega) for omega in corrections}
    # Second differences of σ; several are weighted as their covariance says.
    contrasts = np.array([[1.0, -2.0, 1.0] + [0.0] * (q.size - 3)])
    contrasts = np.vstack([np.roll(contrasts, shift, axis=1) for shift in range(q.size - 2)]) / (q[1] - q[0]) ** 2
    curvatures = {omega: _weighted(contrasts, fit) for omega, fit in fits.items()}
    best = min(fits, key=lambda omega: fits[omega].chi2)
    p_value = max(float(erfc(abs(value) / error / math.sqrt(2))) for value, error in curvatures.values())
    n_free = (lengths.size - 3) * q.size
    misfit = fits[best].chi2 / n_free
    caveats: tuple[str, ...] = ()
    if misfit > 3:
        caveats += (
            f"no correction term fits the moments (χ² per degree of freedom {misfit:.1f}): "
            "leave out the smallest systems, or read the exponents as effective ones",
        )

    def slope(exponents: FloatArray) -> float:
        return float((exponents[-1] - exponents[-2]) / (q[-1] - q[-2]))

    def size_exponent(exponents: FloatArray) -> float:
        return float(q[-1] + 1 - exponents[-1] / slope(exponents))

    position = (q - q[0]) / (q[-1] - q[0])
    from_chord = np.eye(q.size)
    from_chord[:, 0] -= 1 - position
    from_chord[:, -1] -= position
    dimensions = {omega: _with_error(fit, slope) for omega, fit in fits.items()}
    size_exponents = {omega: _with_error(fit, size_exponent) for omega, fit in fits.items()}
    if p_value < 1 - LEVEL:
        caveats += ("one pair of exponents does not describe these avalanches: D and τ are those of the largest",)
    return SimpleScaling(
        estimate=curvatures[best][0],
        interval=_hull(curvatures.values()),
        p_value=p_value,
        verdict="multiscaling" if p_value < 1 - LEVEL else "simple scaling not rejected",
        correction=float(best),
        misfit=misfit,
        dimension=dimensions[best][0],
        dimension_interval=_hull(dimensions.values()),
        size_exponent=size_exponents[best][0],
        size_exponent_interval=_hull(size_exponents.values()),
        orders=q,
        exponents=fits[best].exponents,
        exponent_errors=np.sqrt(np.diag(fits[best].covariance)),
        deviations=from_chord @ fits[best].exponents,
        deviation_errors=np.sqrt(np.abs(np.diag(from_chord @ fits[best].covariance @ from_chord.T))),
        system_sizes=lengths,
        log_moments=log_moments,
        log_moment_errors=np.sqrt([np.diag(covariance) for covariance in covariances]),
        n_avalanches=np.array(counts, dtype=np.int64),
        caveats=caveats,
    )


def _log_moments(values: ArrayLike, q: FloatArray, n_blocks: int, *, name: str) -> tuple[FloatArray, FloatArray, int]:
    """Logarithms of ⟨s^q⟩ of one system, their covariance by a jackknife over blocks, and the number of avalanches."""
    sizes = as_finite(values, name=name, ndim=1)
    if sizes.size < MIN_AVALANCHES:
        raise ValueError(f"{name} needs at least {MIN_AVALANCHES} avalanches; it has {sizes.size}")
    if sizes.min() < 0 or sizes.max() <= 0:
        raise ValueError(
            f"{name} must hold sizes ≥ 0 that are not all zero; they are {sizes.min():g} … {sizes.max():g}"
        )
    largest = sizes.max()
    if sizes.min() == largest:
        raise ValueError(f"all {sizes.size} sizes in {name} are {largest:g}; their moments have no spread to judge by")
    edges = np.linspace(0, sizes.size, n_blocks + 1).astype(np.int64)
    powers = (sizes[:, None] / largest) ** q
    sums = np.add.reduceat(powers, edges[:-1], axis=0)
    total = sums.sum(axis=0)
    left = np.log((total - sums) / (sizes.size - np.diff(edges)[:, None]))
    deviations = left - left.mean(axis=0)
    covariance = (n_blocks - 1) / n_blocks * deviations.T @ deviations
    return np.log(total / sizes.size) + q * math.log(largest), covariance, sizes.size


def _fit(lengths: FloatArray, log_moments: FloatArray, covariances: Sequence[FloatArray], omega: float) -> _Fit:
    """Generalized least squares of a_q + σ_q ln L + c_q L^−ω for all orders together."""
    n_orders = log_moments.shape[1]
    ratio = lengths / lengths[0]
    columns = np.stack([np.ones_like(ratio), np.log(ratio), ratio**-omega], axis=1)
    # Moments of neighboring orders are nearly one number: rows are whitened, because normal equations lose the digits.
    whitened, right = [], []
    for row, log_moment, covariance in zip(columns, log_moments, covariances, strict=True):
        factor = np.linalg.cholesky(covariance)
        whitened.append(np.linalg.solve(factor, np.kron(np.eye(n_orders), row)))
        right.append(np.linalg.solve(factor, log_moment - log_moments[0]))
    design, target = np.vstack(whitened), np.concatenate(right)
    q_factor, r_factor = np.linalg.qr(design)
    solution = np.linalg.solve(r_factor, q_factor.T @ target)
    inverse = np.linalg.inv(r_factor)
    covariance = inverse @ inverse.T
    exponents = slice(1, None, 3)
    chi2 = float(np.sum((target - design @ solution) ** 2))
    return _Fit(solution[exponents], covariance[exponents, exponents], chi2)


def _weighted(contrasts: FloatArray, fit: _Fit) -> tuple[float, float]:
    """Best common value of the contrasts and its standard error."""
    values = contrasts @ fit.exponents
    weight = np.linalg.inv(contrasts @ fit.covariance @ contrasts.T)
    variance = 1 / float(weight.sum())
    return variance * float((weight @ values).sum()), math.sqrt(variance)


def _with_error(fit: _Fit, function: Callable[[FloatArray], float]) -> tuple[float, float]:
    """A function of the exponents and its standard error by the delta method."""
    center = function(fit.exponents)
    shifts = 1e-5 * np.eye(fit.exponents.size)
    gradient = np.array([(function(fit.exponents + shift) - center) / 1e-5 for shift in shifts])
    return center, math.sqrt(float(gradient @ fit.covariance @ gradient))


def _hull(estimates: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Smallest interval that holds the 95 % intervals of all (value, standard error) pairs."""
    half = float(ndtri(0.5 + 0.5 * LEVEL))
    pairs = list(estimates)
    return min(value - half * error for value, error in pairs), max(value + half * error for value, error in pairs)
