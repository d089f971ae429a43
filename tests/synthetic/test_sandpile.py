"""The Abelian sandpile against what is known exactly.

Only this file sees: a grain lost or made at a boundary (the exact mean number of topplings), a site that topples twice
in a wave or is forgotten in one (a literal relaxation), and a lattice that was not stationary yet (height laws).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phasescope.synthetic import sandpile_group as group
from phasescope.synthetic.lattice import neighbor_table
from phasescope.synthetic.sandpile import sandpile

EXACT_MEANS = {1: 0.25, 2: 0.5, 3: 0.8194444, 4: 1.2083333, 5: 1.6669231, 6: 2.1954023, 8: 3.4624723, 16: 11.3382146}


def literal_avalanche(pile, site):
    """Waves of parallel topplings, one site at a time, on a padded copy."""
    dimension, threshold = pile.ndim, 2 * pile.ndim
    pile = pile.copy()
    pile[site] += 1
    waves, toppled = [], set()
    while True:
        unstable = list(zip(*np.nonzero(pile >= threshold), strict=True))
        if not unstable:
            return pile, waves, toppled
        waves.append(len(unstable))
        for at in unstable:
            toppled.add(at)
            pile[at] -= threshold
            for axis in range(dimension):
                for step in (1, -1):
                    to = list(at)
                    to[axis] += step
                    if 0 <= to[axis] < pile.shape[axis]:
                        pile[tuple(to)] += 1


@pytest.mark.parametrize(("size", "dimension"), [(7, 2), (4, 3), (12, 1)])
def test_every_avalanche_is_the_literal_one(size, dimension):
    run = sandpile(size, dimension=dimension, n_grains=150, profiles=True, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    pile = np.full((size,) * dimension, 2 * dimension - 1)
    for at in rng.integers(pile.size, size=2 * pile.size):
        pile = literal_avalanche(pile, np.unravel_index(at, pile.shape))[0]
    found = []
    for grain, at in enumerate(rng.integers(pile.size, size=150)):
        pile, waves, toppled = literal_avalanche(pile, np.unravel_index(at, pile.shape))
        if waves:
            found.append((grain, sum(waves), len(waves), len(toppled), waves))
    avalanches = run.avalanches
    assert run.grain_of.tolist() == [one[0] for one in found]
    assert avalanches.sizes.tolist() == [one[1] for one in found]
    assert avalanches.durations.tolist() == [one[2] for one in found]
    assert run.areas.tolist() == [one[3] for one in found]
    assert avalanches.profiles.tolist() == [wave for one in found for wave in one[4]]
    np.testing.assert_array_equal(run.heights, pile)


@pytest.mark.parametrize("size", EXACT_MEANS)
def test_mean_topplings_per_grain_is_the_exact_one(size):
    assert group.mean_topplings(size) == pytest.approx(EXACT_MEANS[size], abs=1e-7)
    run = sandpile(size, n_grains=40_000, rng=np.random.default_rng(size))
    assert abs(run.estimate - EXACT_MEANS[size]) <= 3.5 * run.standard_error + 1e-12
    assert run.estimate == pytest.approx(run.avalanches.sizes.sum() / 40_000)


def test_exact_mean_equals_the_inverse_of_the_toppling_matrix_in_any_dimension():
    for shape in ((5,), (4, 4), (3, 3, 3)):
        inverse = np.linalg.inv(group.toppling_matrix(shape))
        assert group.mean_topplings(shape[0], dimension=len(shape)) == pytest.approx(inverse.sum() / len(inverse))
    assert group.mean_topplings(10, dimension=1) == pytest.approx(11 * 12 / 12)


def test_dissipation_has_its_own_green_function():
    matrix = group.toppling_matrix((4, 4), boundary="periodic", dissipation=1)
    assert matrix.sum(axis=1).tolist() == [1] * 16
    run = sandpile(4, n_grains=20_000, boundary="periodic", dissipation=1, rng=np.random.default_rng(0))
    assert abs(run.estimate - np.linalg.inv(matrix).sum() / 16) < 3.5 * run.standard_error


def test_one_dimension_has_one_hole_at_most():
    run = sandpile(10, dimension=1, n_grains=2_000, rng=np.random.default_rng(1))
    assert run.heights.sum() in (9, 10)
    assert abs(run.estimate - 11.0) < 3.5 * run.standard_error


def test_numbers_of_recurrent_states_are_the_published_ones():
    assert [group.n_recurrent_states((size, size)) for size in (1, 2, 3, 4)] == [4, 192, 100352, 557568000]
    assert group.n_recurrent_states((10,)) == 11


def test_burning_test_finds_exactly_the_192_recurrent_states_of_two_by_two():
    states = np.stack(np.meshgrid(*[range(4)] * 4), axis=-1).reshape(-1, 2, 2)
    assert sum(group.is_recurrent(state) for state in states) == 192


def test_identity_leaves_recurrent_states_alone_and_is_recurrent():
    for shape in ((5, 5), (8, 8), (4, 3, 2), (7,)):
        one = group.identity(shape)
        assert group.is_recurrent(one)
        np.testing.assert_array_equal(group.relaxed(one + one), one)
        full = np.full(shape, 2 * len(shape) - 1)
        np.testing.assert_array_equal(group.relaxed(full + one), full)


@settings(max_examples=30, deadline=None)
@given(arrays(np.int64, (5, 4), elements=st.integers(0, 9)), st.permutations(range(20)))
def test_the_order_of_topplings_does_not_matter(pile, order):
    one_by_one = pile.copy()
    while (one_by_one >= 4).any():
        at = next(np.unravel_index(i, (5, 4)) for i in order if one_by_one.flat[i] >= 4)
        one_by_one[at] -= 4
        for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            to = at[0] + step[0], at[1] + step[1]
            if 0 <= to[0] < 5 and 0 <= to[1] < 4:
                one_by_one[to] += 1
    np.testing.assert_array_equal(group.relaxed(pile), one_by_one)


def test_stationary_heights_are_those_of_a_uniform_recurrent_state():
    centers = np.zeros(4)
    run = sandpile(3, n_grains=1, rng=np.random.default_rng(0))
    for seed in range(4000):
        run = sandpile(3, n_grains=12, heights=run.heights, rng=np.random.default_rng(seed))
        centers[run.heights[1, 1]] += 1 / 4000
    np.testing.assert_allclose(centers, [0.09566327, 0.22193878, 0.31887755, 0.36352041], atol=0.03)
    assert sum(group.HEIGHT_PROBABILITIES) == pytest.approx(1)
    assert np.dot(group.HEIGHT_PROBABILITIES, range(4)) == pytest.approx(17 / 8)


def test_center_drive_and_given_heights():
    empty = np.zeros((5, 5), dtype=int)
    run = sandpile(5, n_grains=4, drive="center", heights=empty, rng=np.random.default_rng(0))
    assert run.avalanches.sizes.tolist() == [1]
    assert run.heights[2].tolist() == [0, 1, 0, 1, 0]
    assert run.total_topplings == 1


def test_same_seed_same_avalanches():
    first, second = (sandpile(16, n_grains=500, rng=np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.avalanches.sizes, second.avalanches.sizes)
    np.testing.assert_array_equal(first.heights, second.heights)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        (0, {}, "at least 1"),
        (3, {"n_grains": 0}, "at least 1"),
        (3, {"boundary": "periodic"}, "grains must be able to leave"),
        (3, {"boundary": "closed"}, "'open' or 'periodic'"),
        (3, {"dissipation": -1}, "never negative"),
        (3, {"drive": "left"}, "drive is one of"),
        (3, {"heights": np.full((3, 3), 4)}, "from 0 to 3"),
        (20_000, {}, "at most"),
    ],
)
def test_bad_input_gets_one_sentence(size, options, message):
    with pytest.raises(ValueError, match=message):
        sandpile(size, **({"n_grains": 5, "rng": np.random.default_rng(0)} | options))


def test_neighbors_of_a_torus_are_mutual_and_of_an_open_lattice_end_in_the_sink():
    torus, open_ = neighbor_table((3, 4), "periodic"), neighbor_table((3, 4))
    assert np.bincount(torus.ravel()).tolist() == [4] * 12
    assert np.count_nonzero(open_ == 12) == 2 * (3 + 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neighbor_table((3, 0)), r"one site along every axis; its shape is \(3, 0\)"),
        (lambda: group.identity(()), "one site along every axis"),
        (lambda: group.identity((4, -1)), "one site along every axis"),
        (lambda: group.n_recurrent_states((0,)), "one site along every axis"),
        (lambda: group.mean_topplings(0), "at least 1; got 0 and 2"),
        (lambda: group.relaxed([[1.5, 2.0]]), "whole numbers; they have dtype float64"),
        (lambda: group.relaxed([]), "whole numbers"),
        (lambda: group.is_recurrent([[0.5]]), "whole numbers"),
    ],
)
def test_impossible_lattices_get_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
