"""The Manna and the neural sandpile. Only this file sees: stress or grains made from nothing, and a share handed to the
wrong neighbor (literal relaxations and conservation)."""

import numpy as np
import pytest

from phasescope.synthetic.manna import manna_sandpile
from phasescope.synthetic.neural_sandpile import THRESHOLD, line_with_far_links, neural_sandpile
from phasescope.synthetic.sandpile import sandpile


def test_manna_in_one_dimension_has_the_mean_size_of_a_random_walk():
    # A grain walks from where it fell until it leaves, (N + 1)(N + 2)/6 steps on average; a toppling makes two steps.
    run = manna_sandpile(20, dimension=1, n_grains=60_000, rng=np.random.default_rng(0))
    assert abs(run.estimate - 21 * 22 / 12) < 4 * run.standard_error


def test_manna_in_two_dimensions_has_the_mean_size_of_a_random_walk():
    from phasescope.synthetic.sandpile_group import mean_topplings

    # The exit time of the walk is 4 Σ (Δ⁻¹), and two grains step per toppling.
    run = manna_sandpile(12, n_grains=40_000, rng=np.random.default_rng(1))
    assert abs(run.estimate - 2 * mean_topplings(12)) < 4 * run.standard_error
    assert set(np.unique(run.heights)) <= {0, 1}


def literal_neural(stress, site, drive, neighbors, shares):
    stress = stress.copy()
    stress[site] += drive
    size = waves = 0
    while (stress >= THRESHOLD).any():
        unstable = np.flatnonzero(stress >= THRESHOLD)
        size, waves = size + unstable.size, waves + 1
        stress[unstable] -= THRESHOLD
        for at in unstable:
            for neighbor, share in zip(neighbors[at], shares[at], strict=True):
                if neighbor < stress.size:
                    stress[neighbor] += share
    return stress, size, waves


@pytest.mark.parametrize("conservative", [False, True])
def test_every_avalanche_of_the_neural_sandpile_is_the_literal_one(conservative):
    n = 30
    run = neural_sandpile(n, n_drives=200, warmup_drives=300, conservative=conservative, rng=np.random.default_rng(4))
    rng = np.random.default_rng(4)
    neighbors, shares = line_with_far_links(n)
    if conservative:
        shares = shares * (THRESHOLD / shares.sum(axis=1, keepdims=True))
    stress = THRESHOLD * rng.random(n)
    for phase, n_drives in (("warm-up", 300), ("record", 200)):
        sites, large = rng.integers(n, size=n_drives), rng.random(n_drives) < 0.1
        found = []
        for site, is_large in zip(sites, large, strict=True):
            stress, size, waves = literal_neural(stress, site, 2.0 if is_large else 0.5, neighbors, shares)
            if size:
                found.append((size, waves))
        if phase == "record":
            assert list(zip(run.avalanches.sizes, run.avalanches.durations, strict=True)) == found


def test_as_published_a_drive_sets_off_a_bounded_number_of_topplings_and_conserved_it_does_not():
    # Mean drive 0.9 × 0.5 + 0.1 × 2 = 0.65; each toppling destroys 1.4, so at most 0.65 / 1.4 topplings per drive.
    rng = np.random.default_rng(0)
    published = [neural_sandpile(n, n_drives=20_000, rng=rng).estimate for n in (100, 1000)]
    assert max(published) < 0.65 / 1.4 + 0.02
    conserved = [neural_sandpile(n, n_drives=4000, conservative=True, rng=rng).estimate for n in (50, 200)]
    assert conserved[1] > 8 * conserved[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_drives": 0}, "at least 1"),
        ({"graph": ([[1], [0]], [[5.0], [1.0]])}, "hands on 5 and loses 4"),
        ({"warmup_drives": -1}, "not negative; got 2, 50 and -1"),
        ({"graph": ([[1], [7]], [[1.0], [1.0]])}, "whole numbers in 0 … 2"),
        ({"graph": ([[1], [0.5]], [[1.0], [1.0]])}, "whole numbers in 0 … 2"),
        ({"graph": ([[1], [0]], [[1.0], [np.nan]])}, "shares are finite numbers"),
        ({"graph": ([[1], [0]], [[1.0], [-1.0]])}, "and not negative"),
        ({"graph": ([[1]], [[1.0]])}, "one shape"),
        ({"graph": ([[1], [0]], [[1.0], [0.0]]), "conservative": True}, "site 1 hands on nothing"),
        ({"graph": ([[1], [0]], [[4.0], [4.0]])}, "nothing leaves this graph from 2 of its 2 sites, site 0 among them"),
        ({"graph": ([[2], [1]], [[4.0], [4.0]])}, "from 1 of its 2 sites, site 1 among them, so an avalanche there"),
        ({"graph": ([[1], [0]], [[4.0 - 1e-7], [4.0]])}, "too little leaves this graph"),
    ],
)
def test_bad_input_gets_one_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        neural_sandpile(2, **({"n_drives": 50, "rng": np.random.default_rng(0)} | options))


def test_watching_a_simulation_does_not_change_it():
    for simulate in (
        lambda **options: sandpile(12, n_grains=1_000, **options),
        lambda **options: manna_sandpile(12, n_grains=1_000, **options),
        lambda **options: neural_sandpile(60, n_drives=1_000, **options),
    ):
        seen = []
        watched = simulate(watch=lambda n, sizes: seen.append((n, sizes.sum())), rng=np.random.default_rng(3))  # noqa: B023
        plain = simulate(rng=np.random.default_rng(3))
        np.testing.assert_array_equal(watched.avalanches.sizes, plain.avalanches.sizes)
        np.testing.assert_array_equal(watched.areas, plain.areas)
        assert seen[-1] == (1_000, plain.avalanches.sizes.sum())
        assert len(seen) == 200


@pytest.mark.parametrize("options", [{"size": 0}, {"n_grains": 0}, {"dimension": 0}, {"size": 20_000}, {"size": -3}])
def test_a_manna_lattice_of_impossible_size_gets_one_sentence(options):
    with pytest.raises(ValueError, match=r"of at least 1 and at most 134217728 sites; got"):
        manna_sandpile(**({"size": 4, "n_grains": 5, "rng": np.random.default_rng(0)} | options))


def test_a_warm_up_cannot_be_negative():
    for simulate in (sandpile, manna_sandpile):
        with pytest.raises(ValueError, match="warmup_grains is -1; it cannot be negative"):
            simulate(4, n_grains=5, warmup_grains=-1, rng=np.random.default_rng(0))
