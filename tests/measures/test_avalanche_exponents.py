"""Exponents of avalanches whose exponents are known exactly, and the crackling-noise relation.

Only here are seen: censoring taken for an end, corrections to scaling taken for the exponent (a regression of ⟨S⟩ on T
gives 1.88 for trees whose exponent is 2), and a covariance that leaves out that τ, α and γ share their avalanches.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from phasescope.measures.avalanche_exponents import avalanche_exponents
from phasescope.measures.avalanches import separate_avalanches
from phasescope.measures.crackling import crackling_relation
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import galton_watson, mean_size_of_duration


def covered(found, truths):
    intervals = (found.size_exponent_interval, found.duration_exponent_interval, found.mean_size_exponent_interval)
    return [low <= truth <= high for (low, high), truth in zip(intervals, truths, strict=True)]


@pytest.mark.parametrize(
    ("make", "truths"),
    [
        (lambda rng: galton_watson(10_000, rng=rng), (3 / 2, 2, 2)),
        (lambda rng: galton_watson(10_000, offspring="geometric", rng=rng), (3 / 2, 2, 2)),
        (lambda rng: directed_sandpile(512, n_grains=20_000, rng=rng), (4 / 3, 3 / 2, 3 / 2)),
    ],
    ids=["Poisson trees", "geometric trees", "directed sandpile"],
)
def test_intervals_cover_the_exact_exponents(make, truths):
    found = [avalanche_exponents(make(np.random.default_rng(seed))) for seed in range(20)]
    hits = np.array([covered(one, truths) for one in found]).sum(axis=0)
    assert (hits >= 16).all()  # 3 in 1,000 for a true 95 %
    widths = [one.size_exponent_interval[1] - one.size_exponent_interval[0] for one in found]
    assert np.median(widths) < 0.15
    assert sum(one.crackling.p_value <= 0.05 for one in found) <= 4


def test_a_regression_of_mean_size_misses_what_the_corrected_fit_finds():
    exact = mean_size_of_duration(150)
    t = np.arange(5, 151)
    slope = np.polyfit(np.log(t), np.log(exact[t - 1]), 1)[0]
    assert slope == pytest.approx(1.877, abs=0.002)
    found = avalanche_exponents(galton_watson(50_000, rng=np.random.default_rng(1)))
    assert slope < found.mean_size_exponent_interval[0] < 2 < found.mean_size_exponent_interval[1]


def test_a_lattice_that_cuts_avalanches_does_not_steepen_the_law():
    avalanches = directed_sandpile(64, n_grains=60_000, rng=np.random.default_rng(3))
    assert avalanches.censored.mean() > 0.05
    found = avalanche_exponents(avalanches)
    assert all(covered(found, (4 / 3, 3 / 2, 3 / 2)))
    taken_for_ends = dataclasses.replace(avalanches, censored=np.zeros(len(avalanches), dtype=bool))
    blind = avalanche_exponents(taken_for_ends)
    assert blind.cut_off[1] or not blind.accepted[1]  # the pile-up at the last row is seen


def test_a_geometric_law_has_no_scaling_range():
    rng = np.random.default_rng(0)
    durations = rng.geometric(0.3, size=20_000)
    found = avalanche_exponents(separate_avalanches(durations + rng.poisson(2.0 * durations), durations))
    assert max(found.scaling_decades[:2]) < 1.2


def test_units_of_size_do_not_matter():
    trees = galton_watson(5_000, rng=np.random.default_rng(2))
    one = avalanche_exponents(trees)
    other = avalanche_exponents(dataclasses.replace(trees, durations=trees.durations, sizes=trees.sizes))
    scaled = avalanche_exponents(dataclasses.replace(trees, sizes=3.0 * trees.sizes))
    assert other.size_exponent == one.size_exponent
    assert scaled.mean_size_exponent == pytest.approx(one.mean_size_exponent, abs=1e-6)


def test_the_bootstrap_agrees_with_the_jackknife():
    trees = galton_watson(5_000, rng=np.random.default_rng(6))
    quick = avalanche_exponents(trees)
    slow = avalanche_exponents(trees, n_bootstrap=100, rng=np.random.default_rng(0))
    ratio = np.sqrt(np.diag(slow.covariance) / np.diag(quick.covariance))
    assert (ratio > 0.6).all()
    assert (ratio < 3).all()


def test_what_cannot_be_fitted_is_told():
    with pytest.raises(ValueError, match="at least 300 avalanches; 10 arrived"):
        avalanche_exponents(separate_avalanches(np.ones(10), np.ones(10)))
    with pytest.raises(ValueError, match="distinct values"):
        avalanche_exponents(separate_avalanches(np.ones(500), np.ones(500)))
    with pytest.raises(ValueError, match="supercritical process that never ends"):
        avalanche_exponents(separate_avalanches(np.ones(500), np.ones(500), censored=np.ones(500, dtype=bool)))
    with pytest.raises(ValueError, match="sizes must be positive"):
        avalanche_exponents(separate_avalanches(np.zeros(500), np.ones(500)))
    trees = galton_watson(500, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="'duration' or 'size'"):
        avalanche_exponents(trees, cut_by="time")
    with pytest.raises(ValueError, match="block must lie in"):
        avalanche_exponents(trees, block=400)


def test_the_relation_holds_where_its_two_sides_agree():
    relation = crackling_relation(
        size_exponent=4 / 3, duration_exponent=1.5, mean_size_exponent=1.5, covariance=1e-4 * np.eye(3)
    )
    assert relation.estimate == pytest.approx(0, abs=1e-12)
    assert relation.p_value == pytest.approx(1, abs=1e-9)
    assert relation.interval[0] < 0 < relation.interval[1]


def test_the_interval_of_the_relation_covers_draws_from_the_covariance():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((3, 3)) * 0.01
    covariance = root @ root.T
    truths = np.array([1.5, 2.1, 2.2])  # the relation holds
    drawn = rng.multivariate_normal(truths, covariance, size=2_000)
    hits = rejected = 0
    for tau, alpha, gamma in drawn:
        relation = crackling_relation(
            size_exponent=tau, duration_exponent=alpha, mean_size_exponent=gamma, covariance=covariance
        )
        hits += relation.interval[0] <= 0 <= relation.interval[1]
        rejected += relation.p_value <= 0.05
    assert hits / 2_000 == pytest.approx(0.95, abs=0.015)
    assert hits + rejected == 2_000  # the interval and p are one statement


def test_an_exponent_not_told_from_one_leaves_the_prediction_open():
    relation = crackling_relation(
        size_exponent=1.05, duration_exponent=1.5, mean_size_exponent=1.5, covariance=0.01 * np.eye(3)
    )
    assert relation.interval == (-np.inf, np.inf)
    assert any("not told from 1" in caveat for caveat in relation.caveats)
