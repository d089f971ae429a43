"""Power-law fits: published data, exact cases, calibration on a small scale, and everything that must be refused.

Only here would show: a p that is not uniform when it should be, an interval that forgets x_min, a verdict out of order.
"""

import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import zeta
from scipy.stats import kstest

from phasescope.measures.power_law import fit_power_law
from phasescope.measures.power_law_draws import law_draws, owners_of, resampled, survival_table
from phasescope.measures.power_law_exponent import continuous_exponent, discrete_exponent, log_cumulants
from phasescope.measures.power_law_fit import fit_tail
from phasescope.measures.power_law_sample import power_law_sample, tail_sample
from phasescope.measures.power_law_verdict import power_law_verdict

DATA = Path(__file__).parents[2] / "benchmarks" / "data"


@pytest.fixture(autouse=True)
def alternatives(monkeypatch):
    """Other laws have tests of their own; here the hand-over is looked at."""
    asked = []

    def compare_with_alternatives(tail, **options):
        asked.append((tail, options))
        return ()

    stand_in = SimpleNamespace(compare_with_alternatives=compare_with_alternatives)
    monkeypatch.setitem(sys.modules, "phasescope.measures.vuong", stand_in)
    return asked


def rng(seed=0):
    return np.random.default_rng(seed)


def pareto(n, seed=0, alpha=2.5):
    return (1 - rng(seed).random(n)) ** (-1 / (alpha - 1))


def published(name, unit=1):
    values, counts = np.loadtxt(DATA / f"{name}.txt").T
    return values / unit, counts


@pytest.mark.parametrize(
    ("name", "unit", "discrete", "alpha", "x_min", "distance", "n_tail", "p"),
    [
        ("words", 1, True, 1.95272755, 7, 0.008253, 2958, 0.68),
        ("terrorism", 1, True, 2.36994705, 12, 0.017686, 547, 0.68),
        ("blackouts", 1000, False, 2.2726372198, 230, 0.060674, 59, 0.63),
    ],
)
def test_published_data_give_the_known_fits(name, unit, discrete, alpha, x_min, distance, n_tail, p):
    values, counts = published(name, unit)
    fit = fit_power_law(values, discrete=discrete, weights=counts, n_bootstrap=2500, rng=rng(1))
    assert (fit.x_min, fit.n_tail, fit.n) == (x_min, n_tail, counts.sum())
    # words and terrorism are known to 1e-8 of α, which the reference states with 4e-8
    assert fit.alpha == pytest.approx(alpha, abs=5e-8)
    assert fit.ks_distance == pytest.approx(distance, abs=5e-7)
    assert fit.p_value == pytest.approx(p, abs=0.04)
    assert fit.interval[0] < fit.alpha < fit.interval[1]
    assert fit.x_min_interval[0] <= fit.x_min <= fit.x_min_interval[1]


def test_the_log_likelihood_of_the_words_is_the_known_one():
    values, counts = published("words")
    fit = fit_power_law(values, discrete=True, x_min=7, weights=counts, n_bootstrap=0, rng=rng())
    tail, weight = values[values >= 7], counts[values >= 7]
    log_likelihood = -weight.sum() * math.log(zeta(fit.alpha, 7)) - fit.alpha * np.sum(weight * np.log(tail))
    assert log_likelihood == pytest.approx(-11753.8176, abs=1e-4)


def test_the_continuous_exponent_is_the_closed_form_and_its_correction():
    data = pareto(50)
    fit = fit_power_law(data, x_min=1.0, n_bootstrap=0, rng=rng())
    assert fit.alpha == pytest.approx(1 + 50 / np.log(data).sum(), rel=1e-13)
    assert fit.bias_corrected == pytest.approx(1 + 49 / np.log(data).sum(), rel=1e-13)


def test_a_law_with_an_end_far_away_is_the_law_without():
    mean = 0.7
    assert continuous_exponent(mean, 60.0) == pytest.approx(1 + 1 / mean, rel=1e-12)
    assert discrete_exponent(mean, 3.0, 1e12, 0.0) == pytest.approx(
        discrete_exponent(mean, 3.0, math.inf, 0.0), rel=1e-9
    )


@pytest.mark.parametrize("alpha", [-1.5, 0.3, 0.999, 1.0005, 1.7, 4.0])
def test_a_bounded_law_may_have_any_exponent(alpha):
    mean, variance, third = log_cumulants(alpha, 1.0, 50.0, False)
    grid = np.linspace(0, math.log(50), 200_001)
    weight = np.exp((1 - alpha) * grid)
    weight[[0, -1]] /= 2
    expected = np.average(grid, weights=weight)
    assert mean == pytest.approx(expected, rel=1e-6)
    assert variance == pytest.approx(np.average((grid - expected) ** 2, weights=weight), rel=1e-6)
    assert third == pytest.approx(np.average((grid - expected) ** 3, weights=weight), rel=1e-4, abs=1e-4)
    assert continuous_exponent(mean, math.log(50)) == pytest.approx(alpha, abs=1e-6)


@pytest.mark.parametrize("x_max", [math.inf, 40.0])
def test_discrete_cumulants_are_those_of_the_sum(x_max):
    k = np.arange(3, 41 if x_max == 40 else 4_000_000)
    p = k**-3.5 / np.sum(k**-3.5)
    logs = np.log(k / 3)
    mean, variance, third = log_cumulants(3.5, 3.0, x_max, True)
    assert mean == pytest.approx(p @ logs, rel=1e-9)
    assert variance == pytest.approx(p @ (logs - mean) ** 2, rel=1e-9)
    assert third == pytest.approx(p @ (logs - mean) ** 3, rel=1e-8)


@pytest.mark.parametrize(("discrete", "x_max"), [(False, math.inf), (False, 9.0), (True, math.inf), (True, 9.0)])
def test_synthetic_tails_follow_the_law(discrete, x_max):
    table = survival_table(1.6, 2.0, x_max) if discrete else np.empty(0)
    draws = law_draws(rng(3), 20_000, 1.6, 2.0, x_max, discrete, table)
    assert np.all(np.diff(draws) >= 0)
    assert draws.min() >= 2
    assert draws.max() <= x_max

    def survival(x):
        if discrete:
            rest = zeta(1.6, x_max + 1) if x_max < math.inf else 0
            return (zeta(1.6, x) - rest) / (zeta(1.6, 2) - rest)
        rest = (x_max / 2) ** -0.6 if x_max < math.inf else 0
        return ((x / 2) ** -0.6 - rest) / (1 - rest)

    # beyond the table (4,096 values) too; standard errors of shares of 20,000
    for x in (3.0, 5.0, 8.0) + ((100.0, 1e4, 1e6) if x_max == math.inf else ()):
        share = survival(x)
        assert np.mean(draws >= x) == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 20_000))


@pytest.mark.parametrize("kind", ["continuous", "discrete", "censored", "bounded"])
def test_p_is_uniform_when_x_min_is_given(kind):
    generator, p_values = rng(7), []
    for _ in range(150):
        flags, end, discrete = None, None, kind == "discrete"
        data = (1 - generator.random(200)) ** (-1 / 1.5)
        if kind == "discrete":
            data = generator.zipf(2.0, 400).astype(float)
        if kind == "censored":
            limit = (1 - generator.random(200)) ** -1.0
            data, flags = np.minimum(data, limit), data > limit
        if kind == "bounded":
            end = 10.0
            data = (1 - generator.random(200) * (1 - end**-1.5)) ** (-1 / 1.5)
        sample, _ = power_law_sample(data, discrete=discrete, x_max=end, censored=flags, weights=None)
        one = fit_tail(
            tail_sample(sample, 1.0, discrete=discrete),
            fixed=True,
            two_sided=True,
            discrete=discrete,
            x_max=end or math.inf,
            n_resampled=0,
            n_synthetic=200,
            rng=generator,
        )
        p_values.append(one.p_value - generator.random() / 200)
    assert kstest(np.clip(p_values, 0, 1), "uniform").pvalue > 0.001


@pytest.mark.parametrize("kind", ["continuous", "discrete", "censored", "bounded"])
def test_the_interval_covers_when_x_min_is_given(kind):
    generator, hits = rng(11), 0
    for _ in range(200):
        flags, end, discrete = None, None, kind == "discrete"
        data = generator.zipf(2.5, 300).astype(float) if discrete else (1 - generator.random(300)) ** (-1 / 1.5)
        if kind == "censored":
            data, flags = np.minimum(data, 4.0), data > 4.0
        if kind == "bounded":
            end = 20.0
            data = (1 - generator.random(300) * (1 - end**-1.5)) ** (-1 / 1.5)
        sample, _ = power_law_sample(data, discrete=discrete, x_max=end, censored=flags, weights=None)
        one = fit_tail(
            tail_sample(sample, 1.0, discrete=discrete),
            fixed=True,
            two_sided=False,
            discrete=discrete,
            x_max=end or math.inf,
            n_resampled=200,
            n_synthetic=0,
            rng=generator,
        )
        hits += one.interval[0] <= 2.5 <= one.interval[1]
    assert hits / 200 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)


def test_a_lognormal_is_rejected():
    data = np.exp(1.5 * rng(3).standard_normal(20_000))
    sample, _ = power_law_sample(data, discrete=False, x_max=None, censored=None, weights=None)
    given = {"two_sided": False, "discrete": False, "x_max": math.inf, "n_resampled": 0, "n_synthetic": 200}
    assert fit_tail(tail_sample(sample, 1.0, discrete=False), fixed=True, rng=rng(), **given).p_value == 0


def test_the_same_seed_gives_the_same_fit_and_another_another():
    data = pareto(300)
    one, same, other = (fit_power_law(data, n_bootstrap=100, rng=rng(seed)) for seed in (1, 1, 2))
    assert json.dumps(one.to_dict()) == json.dumps(same.to_dict())
    assert one.interval != other.interval


@given(st.floats(1e-6, 1e6), st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_unit_and_order_do_not_matter(unit, seed):
    data = pareto(150, seed)
    one = fit_power_law(data, n_bootstrap=0, rng=rng())
    other = fit_power_law(unit * rng(seed).permutation(data), n_bootstrap=0, rng=rng())
    assert other.alpha == pytest.approx(one.alpha, rel=1e-9)
    assert other.x_min == pytest.approx(unit * one.x_min, rel=1e-9)
    assert other.ks_distance == pytest.approx(one.ks_distance, abs=1e-9)


@pytest.mark.parametrize("convention", ["one_sided", "two_sided"])
def test_counts_are_repeated_values(convention):
    values, counts = np.unique(rng(2).zipf(2.2, 500), return_counts=True)
    options = {"discrete": True, "convention": convention, "n_bootstrap": 0, "rng": rng()}
    one = fit_power_law(values, weights=counts, **options)
    other = fit_power_law(np.repeat(values, counts), **options)
    assert one.to_dict() == other.to_dict()


def test_the_distance_proper_is_never_below_the_one_of_the_published_code():
    data = pareto(200)
    one, both = (
        fit_power_law(data, x_min=1, convention=c, n_bootstrap=0, rng=rng()) for c in ("one_sided", "two_sided")
    )
    assert one.ks_distance <= both.ks_distance <= one.ks_distance + 1 / 200
    below = 1 - np.sort(data) ** (1 - both.alpha)
    rank = np.arange(200)
    assert both.ks_distance == pytest.approx(
        max(np.abs(below - rank / 200).max(), np.abs(below - (rank + 1) / 200).max())
    )


def test_dropping_what_was_cut_is_biased_and_the_likelihood_is_not():
    true = pareto(20_000)
    data, cut = np.minimum(true, 3.0), true > 3
    fit = fit_power_law(data, censored=cut, x_min=1.0, n_bootstrap=0, rng=rng())
    assert fit.alpha == pytest.approx(2.5, abs=4 * fit.standard_error)
    assert fit_power_law(data[~cut], x_min=1.0, n_bootstrap=0, rng=rng()).alpha > 3
    assert any("not compared where data are censored" in caveat for caveat in fit.caveats)
    ended = fit_power_law(true, x_min=1.0, x_max=3.0, n_bootstrap=0, rng=rng())
    assert ended.alpha == pytest.approx(2.5, abs=4 * ended.standard_error)
    assert any(f"{cut.sum()} of 20000 observations above x_max" in caveat for caveat in ended.caveats)


def test_an_x_min_between_the_data_is_where_the_law_begins():
    data = np.array([1.0, 2.0, 3.0, 5.0, 8.0])
    fit = fit_power_law(data, x_min=1.5, n_bootstrap=100, rng=rng())
    assert (fit.x_min, fit.n_tail, fit.n) == (1.5, 4, 5)
    assert fit.alpha == pytest.approx(1 + 4 / np.log(data[1:] / 1.5).sum())


def test_large_samples_are_scanned_exactly_and_say_how_their_replicas_were():
    data = pareto(5_000)
    fit = fit_power_law(data, n_bootstrap=100, rng=rng())
    assert any("replicas were scanned at 2000 of 5000 candidates" in caveat for caveat in fit.caveats)
    assert fit.x_min == fit_power_law(data, n_bootstrap=0, rng=rng()).x_min
    assert fit.values.size <= 1_000
    assert fit.scan_x_min.size <= 200


def test_rounded_data_and_whole_numbers_are_noticed():
    whole = np.floor(pareto(500) * 2)
    fit = fit_power_law(whole, n_bootstrap=0, rng=rng())
    assert any("fit them with discrete=True" in caveat for caveat in fit.caveats)


def test_alternatives_are_asked_about_the_tail_and_its_counts(alternatives):
    fit = fit_power_law(
        [1, 2, 3, 5, 9], weights=[9, 4, 0, 2, 1], x_min=2, x_max=20, discrete=True, n_bootstrap=0, rng=rng()
    )
    [(tail, options)] = alternatives
    assert tail.tolist() == [2, 5, 9]
    assert options.pop("weights").tolist() == [4, 2, 1]
    assert options == {"alpha": fit.alpha, "x_min": 2.0, "x_max": 20.0, "discrete": True}
    fit_power_law([1.0, 2.0, 4.0], censored=[False, False, True], n_bootstrap=0, rng=rng())
    assert len(alternatives) == 1


def comparison(law, log_ratio, p, nested=False, bend=None):
    return SimpleNamespace(law=law, log_ratio=log_ratio, p_value=p, nested=nested, bend=bend)


@pytest.mark.parametrize(
    ("n_tail", "decades", "p", "comparisons", "expected"),
    [
        (99, 3.0, 0.5, (), "too little data"),
        (1000, 1.4, 0.0, (), "too little data"),
        (1000, 2.0, 0.1, (comparison("lognormal", 5.0, 0.0),), "rejected"),
        (1000, 2.0, 0.5, (comparison("lognormal", -9.0, 0.01),), "rejected"),
        (1000, 2.0, 0.5, (comparison("lognormal", -0.1, 0.9),), "not distinguishable from lognormal"),
        (1000, 2.0, 0.5, (comparison("lognormal", 9.0, 0.01), comparison("truncated_power_law", -4.0, 0.01, True)),
         "not distinguishable from cut-off"),
        (1000, 2.0, 0.5, (comparison("lognormal", 9.0, 0.01), comparison("truncated_power_law", -0.1, 0.7, True)),
         "supported"),
        (1000, 2.0, 0.5, (comparison("lognormal", -0.1, 0.9, bend=0.3),), "supported"),
        (1000, 2.0, 0.5, (comparison("lognormal", -0.1, 0.9, bend=0.4),), "not distinguishable from lognormal"),
        (1000, 2.0, 0.5, (comparison("lognormal", -9.0, 0.01, bend=0.1),), "rejected"),
        (1000, 2.0, 0.5, (comparison("lognormal", 0.0, 1.0, bend=0.1), comparison("stretched_exponential", 0.0, 1.0)),
         "not distinguishable from stretched exponential"),
        (1000, 2.0, 0.5, (), "not rejected"),
        (1000, 2.0, None, (comparison("lognormal", 9.0, 0.01),), "not rejected"),
    ],
)  # fmt: skip
def test_the_verdict(n_tail, decades, p, comparisons, expected):
    assert power_law_verdict(n_tail=n_tail, decades=decades, p_value=p, comparisons=comparisons)[0] == expected


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ([1, 1, 1], {}, "at least two distinct uncensored values; data has 1 "),
        ([1, 2, np.nan], {}, "data has 1 NaN or infinite entries of 3"),
        ([0, 1, 2], {}, "1 of 3 values are zero or negative, the smallest is 0"),
        ([-1, 1, 2], {}, "the smallest is -1"),
        ([1, 2.5, 3], {"discrete": True}, "whole numbers; 2.5 arrived: fit it with discrete=False"),
        ([1, 2, 3], {"x_min": 3}, "two distinct uncensored values; data has 1 from x_min = 3 on, its largest is 3"),
        ([1, 2, 3], {"x_min": 4}, "data has 0 from x_min = 4"),
        ([1, 2, 3], {"x_min": -1}, "x_min must be a positive number"),
        ([1, 2, 3], {"x_min": 1.5, "discrete": True}, "whole number for discrete data"),
        ([1, 2, 3], {"x_min": 2, "x_max": 2}, "x_max must lie above x_min; got x_min = 2 and x_max = 2"),
        ([1, 2, 3], {"x_max": 0.5}, "data has 0 up to x_max = 0.5"),
        ([1, 2, 3], {"x_max": -1}, "x_max must be a positive number"),
        ([1, 2, 3], {"x_max": 9, "censored": [0, 0, 1]}, "censored data and x_max cannot be combined"),
        ([1, 2, 3], {"censored": [0, 1]}, "for each of the 3 values"),
        ([1, 2, 3], {"censored": [1, 1, 1]}, "data has 0 .3 observations, 3 of them censored"),
        ([1, 2, 3], {"weights": [1, 1]}, "one count for each of the 3 values"),
        ([1, 2, 3], {"weights": [0.5, 1, 1]}, "whole numbers of observations"),
        ([1, 2, 3], {"n_bootstrap": 50}, "0 or at least 100; got 50"),
        ([1, 2, 3], {"convention": "onesided"}, "closest names: .'one_sided'"),
        ([], {}, "non-empty"),
    ],
)  # fmt: skip
def test_malformed_data_are_refused_with_the_reason(data, options, message):
    with pytest.raises(ValueError, match=message):
        fit_power_law(data, **({"n_bootstrap": 100} | options), rng=rng())


def test_resampling_keeps_the_number_and_the_shares():
    values, counts = np.array([1.0, 2.0, 5.0]), np.array([0.0, 300.0, 100.0])
    for scale in (1, 0.05):  # binomial draws of the counts, or observation by observation
        weight = counts * scale
        sample, _ = power_law_sample(values[1:], discrete=False, x_max=None, censored=None, weights=weight[1:])
        sample = tail_sample(sample, 1.0, discrete=False)
        owners = owners_of(sample, 3)
        assert (owners.size == 0) == (scale == 1)
        generator, n = rng(1), int(weight.sum())
        drawn = [resampled(generator, sample, owners, n, True) for _ in range(2000)]
        assert all(one.values[0] == 1 and one.events[0] == 0 and one.events.sum() == n for one in drawn)
        share = np.array([one.events[-1] if one.values[-1] == 5 else 0 for one in drawn]) / n
        assert share.mean() == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / n / 2000))
        assert share.var() == pytest.approx(0.25 * 0.75 / n, rel=0.15)


def test_legacy_is_the_straight_line_through_the_survival_of_the_tail():
    sizes = np.random.default_rng(5).pareto(1.5, 400) + 1
    fit = fit_power_law(sizes, x_min=2.0, n_bootstrap=0, rng=np.random.default_rng(0))
    tail = np.sort(sizes[sizes >= 2])
    survival = np.arange(tail.size, 0, -1) / sizes.size
    assert fit.legacy == pytest.approx(1 - np.polyfit(np.log(tail), np.log(survival), 1)[0])
    assert "legacy" in str(fit)


def test_data_equal_but_for_rounding_are_too_little_data():
    values = 1 + 1e-15 * np.random.default_rng(0).integers(0, 3, 200)
    assert fit_power_law(values, n_bootstrap=100, rng=np.random.default_rng(0)).verdict == "too little data"


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="draws every observation anew, 2,000,000,000 here"):
        fit_power_law([1.0, 2.0], weights=[1e9, 1e9], rng=rng())
    assert fit_power_law([1.0, 2.0], weights=[1e9, 1e9], n_bootstrap=0, rng=rng()).n == 2 * 10**9
    with pytest.raises(TypeError, match=r"numpy.random.Generator, such as default_rng.0.; got int"):
        fit_power_law([1.0, 2.0], rng=0)


def test_two_values_and_extreme_values_are_fitted_without_a_warning():
    assert fit_power_law([1.0, 2.0], n_bootstrap=100, rng=rng()).verdict == "too little data"
    assert fit_power_law([1e-50, 1e50, 1.0], n_bootstrap=100, rng=rng()).n_tail in (2, 3)
    assert fit_power_law([1, 10**15, 3], discrete=True, n_bootstrap=100, rng=rng()).alpha > 1
