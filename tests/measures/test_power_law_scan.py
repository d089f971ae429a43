"""The pruned scan against a literal transcription of the published algorithm, which tries every point of every tail.

Only here would show: a bound that drops the best candidate, a tie counted on the wrong side, a misplaced step of the
Kaplan–Meier estimate.
"""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import zeta

from phasescope.measures.power_law import fit_power_law
from phasescope.measures.power_law_bootstrap import fitted
from phasescope.measures.power_law_sample import power_law_sample, tail_sample

ALL = 2**62


def pruned(data, *, discrete=False, two_sided=False, x_max=None, censored=None, x_min=None):
    sample, _ = power_law_sample(data, discrete=discrete, x_max=x_max, censored=censored, weights=None)
    if x_min is not None:
        sample = tail_sample(sample, x_min, discrete=discrete)
    end = math.inf if x_max is None else x_max
    place, alpha, error, distance, _, n_tail = fitted(sample, x_min is not None, two_sided, discrete, end, ALL)
    return sample.values[place], alpha, distance, n_tail, error


def literal(data, alpha_of, survival, *, two_sided):
    """Every candidate, every point; `survival(x, x_min, alpha)` is P(X ≥ x)."""
    best = (math.inf,)
    for x_min in np.unique(data)[:-1]:
        tail = np.sort(data[data >= x_min])
        alpha, n = alpha_of(tail, x_min), tail.size
        rank = np.arange(n)
        below = 1 - survival(tail, x_min, alpha)
        distance = np.abs(below - rank / n).max()
        if two_sided:
            distance = max(distance, np.abs(below - (rank + 1) / n).max())
        if distance < best[0]:
            best = (distance, x_min, alpha, n)
    return best


def laws(rng, n):
    pareto = (1 - rng.random(n)) ** (-1 / 1.5)
    return {
        "Pareto": pareto,
        "lognormal": np.exp(1.5 * rng.standard_normal(n)),
        "uniform body": np.where(rng.random(n) < 0.6, rng.random(n), pareto),
        "rounded": np.round(pareto, 1),
    }


@pytest.mark.parametrize("law", ["Pareto", "lognormal", "uniform body", "rounded"])
@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("n", [20, 300, 2000])
def test_the_scan_finds_what_trying_everything_finds(law, two_sided, n):
    data = laws(np.random.default_rng(n), n)[law]
    x_min, alpha, distance, n_tail, _ = pruned(data, two_sided=two_sided)
    best = literal(
        data,
        lambda tail, start: 1 + tail.size / np.log(tail / start).sum(),
        lambda x, start, a: (x / start) ** (1 - a),
        two_sided=two_sided,
    )
    assert (x_min, n_tail) == (best[1], best[3])
    assert alpha == pytest.approx(best[2], rel=1e-12)
    assert distance == pytest.approx(best[0], abs=1e-13)


def test_the_scan_of_a_bounded_law_finds_what_trying_everything_finds():
    rng, end = np.random.default_rng(5), 20.0
    data = (1 - rng.random(300) * (1 - end**-1.5)) ** (-1 / 1.5)

    def alpha_of(tail, start):
        width, mean = math.log(end / start), np.log(tail / start).mean()
        loss = lambda a: (a - 1) * mean - math.log(abs((a - 1) / -np.expm1(-(a - 1) * width)))  # noqa: E731
        return minimize_scalar(loss, bracket=(1.5, 3), tol=1e-12).x

    def survival(x, start, a):
        rest = (end / start) ** (1 - a)
        return ((x / start) ** (1 - a) - rest) / (1 - rest)

    x_min, alpha, distance, n_tail, _ = pruned(data, x_max=end)
    best = literal(data, alpha_of, survival, two_sided=False)
    assert (x_min, n_tail) == (best[1], best[3])
    assert alpha == pytest.approx(best[2], rel=1e-6)
    assert distance == pytest.approx(best[0], abs=1e-6)


@pytest.mark.parametrize("two_sided", [False, True])
def test_the_discrete_scan_finds_what_trying_everything_finds(two_sided):
    data = np.random.default_rng(3).zipf(2.3, 2000).astype(float)
    best = (math.inf,)
    for start in np.unique(data)[:-1]:
        tail = data[data >= start]
        loss = lambda a: math.log(zeta(a, start)) + a * np.log(tail).mean()  # noqa: B023, E731
        alpha = minimize_scalar(loss, bounds=(1.01, 12), method="bounded", options={"xatol": 1e-9}).x
        at = np.unique(tail)
        below = 1 - zeta(alpha, at) / zeta(alpha, start)
        distance = np.abs(below - [(tail < x).mean() for x in at]).max()
        if two_sided:
            up_to = 1 - zeta(alpha, at + 1) / zeta(alpha, start)
            distance = max(distance, np.abs(up_to - [(tail <= x).mean() for x in at]).max())
        if distance < best[0]:
            best = (distance, start, alpha)
    x_min, alpha, distance, _, _ = pruned(data, discrete=True, two_sided=two_sided)
    assert x_min == best[1]
    assert alpha == pytest.approx(best[2], rel=1e-6)
    assert distance == pytest.approx(best[0], abs=1e-6)


def test_censored_tails_are_compared_with_kaplan_and_meier():
    rng = np.random.default_rng(8)
    true, limit = (1 - rng.random(400)) ** (-1 / 1.5), (1 - rng.random(400)) ** (-1 / 1.2)
    data, cut = np.minimum(true, limit), true > limit
    best = (math.inf,)
    for start in np.sort(data[~cut])[:-9]:  # ten events at least
        inside = data >= start
        tail, flags = data[inside], cut[inside]
        alpha = 1 + np.count_nonzero(~flags) / np.log(tail / start).sum()
        survival, distance = 1.0, 0.0
        for x in np.sort(tail[~flags]):
            distance = max(distance, abs(survival - (x / start) ** (1 - alpha)))
            survival *= 1 - 1 / np.count_nonzero(tail >= x)
        if distance < best[0]:
            best = (distance, start, alpha)
    x_min, alpha, distance, _, _ = pruned(data, censored=cut)
    assert x_min == best[1]
    assert alpha == pytest.approx(best[2], rel=1e-12)
    assert distance == pytest.approx(best[0], abs=1e-12)


def test_ten_thousand_points_agree_with_the_full_scan_on_every_candidate():
    data = np.sort((1 - np.random.default_rng(2).random(10_000)) ** (-1 / 1.5))
    logs = np.log(data)
    best = (math.inf,)
    for i in range(data.size - 1):
        n = data.size - i
        rate = n / (logs[i:] - logs[i]).sum()
        distance = np.abs(np.exp(-rate * (logs[i:] - logs[i])) - np.arange(n, 0, -1) / n).max()
        if distance < best[0]:
            best = (distance, data[i], 1 + rate)
    x_min, alpha, distance, _, _ = pruned(data)
    assert x_min == best[1]
    assert (alpha, distance) == pytest.approx((best[2], best[0]), rel=1e-11)


@pytest.mark.parametrize("case", ["continuous", "bounded", "discrete", "bounded discrete", "censored discrete"])
def test_the_standard_error_is_the_curvature_of_the_log_likelihood(case):
    rng = np.random.default_rng(4)
    discrete, end, cut = "discrete" in case, 30.0 if "bounded" in case else None, None
    data = rng.zipf(2.4, 800).astype(float) if discrete else (1 - rng.random(800)) ** (-1 / 1.4)
    data = data[data <= end] if end else data
    if case.startswith("censored"):
        cut, data = data > 6, np.minimum(data, 6)
    flags = np.zeros(data.size, bool) if cut is None else cut

    def log_likelihood(a):
        if not discrete:
            rest = 0 if end is None else end ** (1 - a)
            return np.sum(np.log((a - 1) / (1 - rest)) - a * np.log(data))
        norm = zeta(a, 1) - (0 if end is None else zeta(a, end + 1))
        return np.sum(-a * np.log(data[~flags])) + np.log(zeta(a, data[flags])).sum() - data.size * np.log(norm)

    _, alpha, _, _, error = pruned(data, discrete=discrete, x_max=end, censored=cut, x_min=1.0)
    h = 1e-3
    values = [log_likelihood(alpha + step) for step in (-h, 0, h)]
    assert abs(values[2] - values[0]) / (2 * h) < 2e-3  # stationary, up to the third derivative times h²
    assert -(values[0] - 2 * values[1] + values[2]) / h**2 == pytest.approx(1 / error**2, rel=1e-4)


def test_a_discrete_law_with_an_end_is_not_read_from_its_last_two_values():
    """One parameter fits two shares exactly, so the distance of such a tail is 0 and says nothing."""
    k = np.arange(1, 101)
    share = k**-1.8 / (k**-1.8).sum()
    for seed in range(40):
        draws = np.random.default_rng([77, seed]).choice(k, 2_000, p=share)
        fit = fit_power_law(draws, discrete=True, x_max=100, n_bootstrap=0, rng=np.random.default_rng(0))
        assert fit.x_min <= 91
        assert abs(fit.estimate - 1.8) < 5 * fit.standard_error
