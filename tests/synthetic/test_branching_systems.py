"""Galton–Watson trees, the driven branching process and the directed sandpile against their exact laws.

Only this file sees: offspring of the wrong law, generations counted from the wrong end, profiles that belong to other
avalanches than the sizes, and subsampling that is not binomial.
"""

import math

import numpy as np
import pytest

from phasescope.synthetic.branching import branching_process, subsampled
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import (
    extinction_by,
    galton_watson,
    mean_size_of_duration,
    progeny_probability,
)


def within(found, expected, n, sigmas=4.5):
    return abs(found - expected) < sigmas * math.sqrt(expected * (1 - expected) / n)


def test_borel_law_is_the_published_one():
    np.testing.assert_allclose(
        progeny_probability([1, 2, 3, 10, 100]), [0.3678794, 0.1353353, 0.0746806, 0.0125110, 3.986100e-4], rtol=1e-5
    )
    geometric = progeny_probability(np.arange(1, 6), offspring="geometric")
    np.testing.assert_allclose(geometric, [math.comb(2 * n - 2, n - 1) / n * 2.0 ** -(2 * n - 1) for n in range(1, 6)])
    for offspring in ("poisson", "geometric"):
        assert progeny_probability(np.arange(1, 4000), ratio=0.8, offspring=offspring).sum() == pytest.approx(
            1, abs=1e-6
        )


def test_geometric_trees_outlive_t_generations_with_probability_one_over_t_plus_one():
    np.testing.assert_allclose(extinction_by(50, offspring="geometric"), 1 - 1 / (np.arange(51) + 1))


@pytest.mark.parametrize("offspring", ["poisson", "geometric"])
@pytest.mark.parametrize("ratio", [0.8, 1.0])
def test_sampled_trees_follow_the_exact_laws(offspring, ratio):
    n = 60_000
    trees = galton_watson(n, ratio=ratio, offspring=offspring, rng=np.random.default_rng(2))
    for size in (1, 2, 3, 10):
        assert within(
            (trees.sizes == size).mean(), float(progeny_probability(size, ratio=ratio, offspring=offspring)), n
        )
    extinct = extinction_by(40, ratio=ratio, offspring=offspring)
    for t in (1, 2, 5, 20):
        assert within((trees.durations <= t).mean(), extinct[t], n)
    exact = mean_size_of_duration(10, ratio=ratio, offspring=offspring)
    for t in (1, 2, 5, 10):
        sizes = trees.sizes[trees.durations == t]
        assert abs(sizes.mean() - exact[t - 1]) <= 4.5 * sizes.std() / math.sqrt(sizes.size) + 1e-12


def test_size_given_duration_approaches_the_square_slowly():
    exact = mean_size_of_duration(20_000)
    slope = np.polyfit(np.log(np.arange(5, 151)), np.log(exact[4:150]), 1)[0]
    assert 1.85 < slope < 1.9  # not 2, though nothing but the finite durations is wrong
    assert math.log(exact[19_999] / exact[9_999], 2) == pytest.approx(2, abs=0.002)


def test_profiles_are_those_of_the_same_avalanches():
    rng = np.random.default_rng
    for found in (
        galton_watson(3000, offspring="geometric", max_generations=50, profiles=True, rng=rng(1)),
        galton_watson(3000, max_size=200, profiles=True, rng=rng(1)),
        directed_sandpile(40, n_grains=4000, profiles=True, rng=rng(1)),
    ):
        assert found.censored.any()
        np.testing.assert_array_equal(np.add.reduceat(found.profiles, found.offsets[:-1]), found.sizes)
        np.testing.assert_array_equal(np.diff(found.offsets), found.durations)
        assert (found.profiles > 0).all()


def test_trees_that_never_end_are_cut_and_marked():
    trees = galton_watson(2000, ratio=1.5, max_size=10_000, rng=np.random.default_rng(0))
    survival = 0.5828  # 1 − q with q = exp(1.5 (q − 1))
    assert within(trees.censored.mean(), survival, 2000)
    assert f"{trees.censored.sum()} of 2000 trees were cut" in trees.caveats[0]


def literal_directed(n_rows, rng):
    """Rows of sites that hold 0 or 1 grain; a site at 2 gives one grain to each of two sites below."""
    lattice = rng.integers(2, size=(n_rows, 2 * n_rows + 2))
    arriving = np.zeros(2 * n_rows + 2, dtype=int)
    arriving[n_rows] = 1
    rows = []
    for row in range(n_rows):
        toppling = lattice[row] + arriving >= 2
        if not toppling.any():
            break
        rows.append(int(toppling.sum()))
        arriving = toppling.astype(int) + np.roll(toppling, 1).astype(int)
    return rows


def test_directed_sandpile_has_the_law_of_the_literal_lattice():
    rng = np.random.default_rng(5)
    literal = [rows for rows in (literal_directed(12, rng) for _ in range(12_000)) if rows]
    found = directed_sandpile(12, n_grains=200_000, rng=rng)
    assert abs(len(literal) / 12_000 - 0.5) < 0.02
    n = len(literal)
    for t in (1, 2, 4, 12):
        assert within(np.mean([len(rows) == t for rows in literal]), float((found.durations == t).mean()), n)
    for size in (1, 2, 5, 10):
        assert within(np.mean([sum(rows) == size for rows in literal]), float((found.sizes == size).mean()), n)
    assert found.durations[found.censored].tolist() == [12] * int(found.censored.sum())


def test_mean_and_memory_of_the_driven_process():
    activity = branching_process(ratio=0.9, drive=10.0, n_bins=200_000, rng=np.random.default_rng(0))
    assert activity.mean() == pytest.approx(100, rel=0.01)
    centered = activity - activity.mean()
    for lag in (1, 5):
        assert (centered[lag:] @ centered[:-lag]) / (centered @ centered) == pytest.approx(0.9**lag, abs=0.02)
    assert activity.var() == pytest.approx(100 / (1 - 0.81), rel=0.06)


def test_subsampling_keeps_a_binomial_share():
    rng = np.random.default_rng(0)
    seen = subsampled(np.full(50_000, 40), probability=0.1, rng=rng)
    assert seen.mean() == pytest.approx(4, abs=0.04)
    assert seen.var() == pytest.approx(3.6, abs=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: galton_watson(10, ratio=-1.0, rng=rng), "positive number"),
        (lambda rng: galton_watson(10, offspring="binary", rng=rng), "offspring is one of"),
        (lambda rng: galton_watson(0, rng=rng), "at least 1"),
        (lambda rng: branching_process(ratio=1.0, drive=1.0, n_bins=10, rng=rng), r"must lie in \[0, 1\)"),
        (lambda rng: branching_process(ratio=0.5, drive=0.0, n_bins=10, rng=rng), "drive > 0"),
        (lambda rng: subsampled([1, 2], probability=0.0, rng=rng), r"lie in \(0, 1\]"),
        (lambda rng: subsampled([0.5], probability=0.5, rng=rng), "whole numbers"),
        (lambda rng: directed_sandpile(0, n_grains=5, rng=rng), "at least 1"),
    ],
)
def test_bad_input_gets_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))


def test_the_mean_size_of_trees_that_do_not_happen_is_not_a_number():
    exact = mean_size_of_duration(300, ratio=1.4)
    assert exact[0] == 1
    assert np.isfinite(exact[:20]).all()
    assert np.isnan(exact[-1])
