"""Errors from influences: against the exact law of a mean, and against fits with an observation left out."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.influence import beyond_noise, block_sums, leverages, students_quantile


def test_influences_of_a_block_add_up():
    rows = np.arange(10.0).reshape(2, 5)
    assert block_sums(rows, np.array([0, 0, 1, 1, 3])).tolist() == [[1, 5, 4], [11, 15, 9]]
    assert block_sums(rows, np.empty(0, dtype=int)) is rows


def test_a_mean_of_few_normal_numbers_has_students_interval():
    rng = np.random.default_rng(0)
    hits = plain = 0
    for _ in range(4_000):
        x = rng.standard_normal(8)
        influence = ((x - x.mean()) / len(x) / np.sqrt(1 - 1 / len(x)))[None]
        error = np.sqrt(np.sum(influence**2))
        hits += abs(x.mean()) <= students_quantile(influence)[0] * error
        plain += abs(x.mean()) <= 1.96 * error
    assert hits / 4_000 == pytest.approx(0.95, abs=0.015)
    assert plain / 4_000 < 0.92


def test_many_equal_influences_have_the_normal_quantile():
    assert students_quantile(np.ones((1, 100_000)))[0] == pytest.approx(1.96, abs=1e-3)


def test_leverage_is_how_far_a_fit_follows_one_observation():
    rng = np.random.default_rng(1)
    features = np.stack([np.ones(20), rng.exponential(size=20)])
    y = rng.standard_normal(20)
    moved = y.copy()
    moved[7] += 1.0
    fits = [features.T @ np.linalg.lstsq(features.T, values, rcond=None)[0] for values in (y, moved)]
    assert leverages(features)[7] == pytest.approx((fits[1] - fits[0])[7])
    counts = np.array([3.0, 1.0, 5.0])
    points = np.stack([np.ones(3), [0.0, 1.0, 4.0]])
    repeated = leverages(np.repeat(points, counts.astype(int), axis=1))
    np.testing.assert_allclose(leverages(points, counts), repeated[[0, 3, 4]])


def test_a_difference_within_its_noise_is_none():
    noise = np.full((1, 4), 0.5)  # standard error 1
    assert beyond_noise(1.9, noise) == 0
    assert beyond_noise(-3.0, noise) == pytest.approx(np.sqrt(9 - 3.8415), rel=1e-4)
