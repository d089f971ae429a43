"""Power-law fits: exponent, where the law begins, how well it fits, and what else would."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.power_law_caveats import fit_caveats
from phasescope.measures.power_law_curves import legacy_exponent, scan_curve, survival_curve
from phasescope.measures.power_law_exponent import log_cumulants
from phasescope.measures.power_law_fit import TailFit, fit_tail
from phasescope.measures.power_law_sample import is_two_sided, power_law_sample, tail_sample
from phasescope.measures.power_law_scan import Sample, tails_of
from phasescope.measures.power_law_verdict import power_law_verdict
from phasescope.results import Result, brief

if TYPE_CHECKING:
    from phasescope.measures.vuong import Comparison

N_BOOTSTRAP = 1_000
FLAT = 1e-6  # ln of largest value over x_min below which no law can be told from another
MOST_DRAWN = 10**8  # observations per synthetic data set that fit into memory


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw(Result):
    """Power law p(x) ∝ x^−α for x ≥ x_min, with its goodness of fit and its alternatives."""

    estimate: float  # α, maximum likelihood
    interval: tuple[float, float]  # 95 %, from refits to resampled data, x_min refitted unless given
    x_min: float  # where the law begins, in the unit of the data
    x_min_interval: tuple[float, float]  # 95 %, from the same refits; a point where x_min was given
    x_max: float | None  # where the law was said to end; None where it has no end
    ks_distance: float  # Kolmogorov–Smirnov distance of the tail from the law
    p_value: float | None  # share of synthetic data sets farther from their own fit; None without bootstrap
    n: int  # observations fitted, censored ones included
    n_tail: int  # of these, from x_min on
    decades: float  # log10 of largest value over x_min
    standard_error: float  # of α for this x_min, from the Fisher information
    bias_corrected: float  # α less its first-order bias for this x_min; (n − 1)/n in α − 1 for the plain law
    discrete: bool
    convention: str  # "one_sided" or "two_sided", of every distance here
    verdict: str  # "supported", "not distinguishable from …", "rejected", "not rejected" or "too little data"
    reason: str  # of the verdict, one clause
    comparisons: tuple[Comparison, ...]  # likelihood ratios against other laws on the same tail
    values: NDArray[np.float64]  # (n_points,) rising, at most about 1,000 of the distinct values
    survival: NDArray[np.float64]  # (n_points,) share of the observations that are at least this large
    scan_x_min: NDArray[np.float64]  # (n_scan,) candidates for x_min, at most 200
    scan_alpha: NDArray[np.float64]  # (n_scan,) exponent of the tail from each
    scan_distance: NDArray[np.float64]  # (n_scan,) its Kolmogorov–Smirnov distance
    legacy: float | None  # α by a line through the log–log survival of the tail, for comparison with papers only

    @property
    def alpha(self) -> float:
        """The exponent α."""
        return self.estimate

    def _rows(self) -> list[tuple[str, str]]:
        rows = [row for row in Result._rows(self) if row[0] != "comparisons"]
        place = [name for name, _ in rows].index("reason") + 1
        others = [
            (f"  against {one.law.replace('_', ' ')}", f"R = {brief(one.log_ratio)}, p = {brief(one.p_value)}")
            for one in self.comparisons
        ]
        return rows[:place] + others + rows[place:]


def fit_power_law(
    data: ArrayLike,
    *,
    discrete: bool = False,
    x_min: float | None = None,
    x_max: float | None = None,
    censored: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    convention: str = "one_sided",
    n_bootstrap: int = N_BOOTSTRAP,
    rng: np.random.Generator,
) -> PowerLaw:
    """Fit a power law to the tail of the data, and judge it.

    α by maximum likelihood, with Hurwitz's zeta function where `discrete`; x_min by the smallest Kolmogorov–Smirnov
    distance between a tail and its own fit, over all distinct values (with ten events beyond, where some are censored;
    with ten whole numbers up to `x_max`, where a discrete law ends); p by refitting data drawn from the law beyond
    x_min and from the data below it [1]; the interval by refitting resampled data. Observations must be independent.

    Args:
        data: Positive values, shape `(n,)`, in any order and unit; whole numbers where `discrete`.
        discrete: Whether the law lives on whole numbers.
        x_min: Where the law begins, if that is known beforehand; scanned otherwise.
        x_max: Where the law ends, if that is known beforehand: the likelihood is that of a law on [x_min, x_max], and
            observations above x_max are left out.
        censored: True where the true value is only known to be at least the one given, shape `(n,)`.
        weights: Number of observations of each value, whole numbers, shape `(n,)`; one each if not given.
        convention: How the distance is measured at a step of the data. `one_sided`: P(X < x) against the share of data
            below, as the published code does; `two_sided`: the larger deviation of both sides, the Kolmogorov–Smirnov
            distance proper.
        n_bootstrap: Refits for the interval, and as many for p. p is then known to ½/√n_bootstrap: 2,500 for 0.01. With
            0 there is no p, and the interval is that of a known x_min.
        rng: Source of randomness for both.

    Returns:
        The fit, its interval, its goodness of fit, likelihood ratios against other laws, and one verdict.

    Raises:
        ValueError: If values are not positive and finite, if the tail has fewer than two distinct values, or if options
            contradict each other.

    References:
        [1] Clauset, Shalizi & Newman (2009), SIAM Review 51, 661.

    Example:
        >>> sizes = np.random.default_rng(0).pareto(1.5, size=2_000) + 1  # exponent 2.5 from 1 on
        >>> fit = fit_power_law(sizes, n_bootstrap=200, rng=np.random.default_rng(1))
        >>> fit.interval[0] < 2.5 < fit.interval[1]
        True
    """
    two_sided = is_two_sided(convention)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, such as default_rng(0); got {type(rng).__name__}")
    if n_bootstrap != 0 and n_bootstrap < 100:
        raise ValueError(f"n_bootstrap must be 0 or at least 100; got {n_bootstrap}")
    if x_min is not None and x_max is not None and not x_min < x_max:
        raise ValueError(f"x_max must lie above x_min; got x_min = {x_min:g} and x_max = {x_max:g}")
    everything, n_above = power_law_sample(data, discrete=discrete, x_max=x_max, censored=censored, weights=weights)
    n = int(everything.events.sum() + everything.censored.sum())
    if n_bootstrap and n > MOST_DRAWN:
        raise ValueError(f"the bootstrap draws every observation anew, {n:,} here: thin the counts, or n_bootstrap=0")
    end, fixed = math.inf if x_max is None else float(x_max), x_min is not None
    sample = everything if x_min is None else tail_sample(everything, float(x_min), discrete=discrete)
    fit = fit_tail(
        sample,
        fixed=fixed,
        two_sided=two_sided,
        discrete=discrete,
        x_max=end,
        n_resampled=n_bootstrap,
        n_synthetic=n_bootstrap,
        rng=rng,
    )
    n_cut = int(sample.censored[fit.place :].sum())
    is_flat = float(sample.logs[-1]) - math.log(fit.x_min) < FLAT
    comparisons = () if n_cut or is_flat else _alternatives(sample, fit, x_max=x_max, discrete=discrete)
    decades = math.log10(float(sample.values[-1]) / fit.x_min)
    verdict, reason = power_law_verdict(
        n_tail=fit.n_tail, decades=decades, p_value=fit.p_value, comparisons=comparisons
    )
    values, survival = survival_curve(everything)
    scan_x_min, scan_alpha, scan_distance = scan_curve(everything, two_sided=two_sided, discrete=discrete, x_max=end)
    return PowerLaw(
        estimate=fit.alpha,
        interval=fit.interval,
        x_min=fit.x_min,
        x_min_interval=fit.x_min_interval,
        x_max=None if x_max is None else end,
        ks_distance=fit.distance,
        p_value=fit.p_value,
        n=n,
        n_tail=fit.n_tail,
        decades=decades,
        standard_error=fit.standard_error,
        bias_corrected=bias_corrected(fit, n_cut, end, discrete),
        discrete=discrete,
        convention=convention,
        verdict=verdict,
        reason=reason,
        comparisons=comparisons,
        values=values,
        survival=survival,
        scan_x_min=scan_x_min,
        scan_alpha=scan_alpha,
        scan_distance=scan_distance,
        legacy=_legacy(sample, fit.x_min),
        caveats=fit_caveats(
            everything,
            fit,
            fixed=fixed,
            discrete=discrete,
            n_above=n_above,
            n_bootstrap=n_bootstrap,
        ),
    )


def bias_corrected(fit: TailFit, n_cut: int, x_max: float, discrete: bool) -> float:
    """α less its bias: the plain law's (n − 1)/n in α − 1 [1, eq. B.17], otherwise κ₃ / (2 n κ₂²)."""
    if not discrete and x_max == math.inf:
        return fit.alpha - (fit.alpha - 1) / max(fit.n_tail - n_cut, 1)
    _, variance, third = log_cumulants(fit.alpha, fit.x_min, x_max, discrete)
    return float(fit.alpha - third / (2 * fit.n_tail * variance**2))


def _legacy(sample: Sample, x_min: float) -> float | None:
    tails = tails_of(sample, False, True, False)
    first = int(np.searchsorted(tails.values, x_min))
    return legacy_exponent(tails.values[first:], tails.upper[first:-1])


def _alternatives(sample: Sample, fit: TailFit, *, x_max: float | None, discrete: bool) -> tuple[Comparison, ...]:
    from phasescope.measures.vuong import compare_with_alternatives

    seen = sample.events[fit.place :] > 0
    return compare_with_alternatives(
        sample.values[fit.place :][seen],
        alpha=fit.alpha,
        x_min=fit.x_min,
        x_max=x_max,
        discrete=discrete,
        weights=sample.events[fit.place :][seen],
    )
