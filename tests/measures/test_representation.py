"""Parallelograms, phases and circularity.

Only this file sees: a parallelogram counted twice or left out (loops over four indices, as in the released code of Liu
et al.), an index that is not blind to circles, phases that look ordered in noise, and a wrong power normalization.
"""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.representation import circularity, representation_quality


def circle(p, k):
    angle = 2 * np.pi * k * np.arange(p) / p
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def literal_index(embedding, tolerance=0.01, modular=False):
    """Every i < n paired with every other j ≤ m of the same sum, one at a time."""
    p = len(embedding)
    scaled = (embedding - embedding.mean(axis=0)) / embedding.std(axis=0, ddof=1)
    pairs = [(i, n) for i in range(p) for n in range(i, p)]
    real = possible = 0
    for x, (i, n) in enumerate(pairs):
        for j, m in pairs[x + 1 :]:
            if (i + n == j + m) or (modular and (i + n - j - m) % p == 0):
                possible += 1
                misfit = scaled[i] + scaled[n] - scaled[j] - scaled[m]
                real += bool((misfit**2).mean() < tolerance)
    return real / possible, possible


@pytest.mark.parametrize("p", [6, 9, 12])
@pytest.mark.parametrize("n_dimensions", [1, 2])
def test_indices_equal_loops_over_four_residues(p, n_dimensions):
    embedding = np.random.default_rng(p).normal(size=(p, n_dimensions))
    result = representation_quality(embedding, tolerance=0.5)
    assert (result.estimate, result.n_parallelograms) == literal_index(embedding, 0.5)
    assert (result.modular, result.n_modular_parallelograms) == literal_index(embedding, 0.5, modular=True)


def test_possible_parallelograms_are_those_of_the_released_code():
    # i < j ≤ m < n with i + n = j + m, p = 10: the loop of grokking-squared.
    p = 10
    expected = sum(
        i + n == j + m for i in range(p) for j in range(i + 1, p) for m in range(j, p) for n in range(m + 1, p)
    )
    assert representation_quality(np.arange(10.0)[:, None]).n_parallelograms == expected


@pytest.mark.parametrize("p", [10, 31, 59])
def test_a_line_has_every_ordinary_parallelogram(p):
    result = representation_quality(np.outer(np.arange(p), [2.0, -1.0, 0.5]) + 7)
    assert result.estimate == 1.0
    assert 0.55 < result.modular < 0.66  # sums that wrap around do not close: 0.63 at p = 31
    assert result.phase is None
    assert "no phase RQI" in result.caveats[0]


@pytest.mark.parametrize("p", [11, 31, 59, 73])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_both_sum_indices_are_blind_to_circles_and_the_phase_index_is_not(p, k):
    result = representation_quality(circle(p, k))
    assert result.estimate < 0.05
    assert result.modular < 0.05
    assert result.phase == 1.0
    assert result.frequency == k


def test_phase_index_is_one_for_several_circles_at_once_and_survives_rotation():
    embedding = np.concatenate([2 * circle(59, 3), circle(59, 10), circle(59, 21)], axis=1)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    result = representation_quality(embedding @ rotation)
    assert result.phase == 1.0
    assert result.frequency == 3


@pytest.mark.parametrize(("n_dimensions", "bound"), [(1, 0.06), (2, 0.01), (8, 0.01), (128, 0.01)])
def test_gaussian_embeddings_have_almost_no_parallelograms(n_dimensions, bound):
    rng = np.random.default_rng(0)
    results = [representation_quality(rng.normal(size=(59, n_dimensions))) for _ in range(10)]
    assert max(result.estimate for result in results) < bound
    assert max(result.modular for result in results) < bound
    phases = [result.phase for result in results if result.phase is not None]
    assert (len(phases) == 0) if n_dimensions == 1 else (max(phases) < 0.06)


def test_random_angles_close_the_share_of_parallelograms_that_the_tolerance_covers():
    # |δ| < 0.1 rad out of π, as |e^{ix} − e^{iy}|² < 0.01.
    rng = np.random.default_rng(0)
    phases = [representation_quality(rng.normal(size=(59, 16))).phase for _ in range(20)]
    assert np.mean(phases) == pytest.approx(0.1 / np.pi, rel=0.05)


def test_null_bands_contain_gaussian_embeddings_and_not_structured_ones():
    rng = np.random.default_rng(0)
    line = representation_quality(np.arange(31.0)[:, None] + 0.01 * rng.normal(size=(31, 1)), rng=rng)
    assert line.estimate > 0.9 > line.null_interval[1]
    assert line.phase_null_interval is None
    noise = representation_quality(rng.normal(size=(31, 2)), rng=rng)
    for low, high in (noise.null_interval, noise.modular_null_interval, noise.phase_null_interval):
        assert 0 <= low <= high < 0.1
    assert noise.phase_null_interval[0] - 0.02 < noise.phase < noise.phase_null_interval[1] + 0.02


def test_constant_dimensions_are_left_out_with_a_caveat():
    embedding = np.pad(np.arange(12.0)[:, None], ((0, 0), (0, 2)), constant_values=3.0)
    result = representation_quality(embedding)
    assert result.estimate == 1.0
    assert "2 of 3 dimensions are constant and left out" in result.caveats


def test_circularity_of_one_circle_is_one_in_its_two_components():
    result = circularity(circle(59, 7), n_components=2)
    assert result.estimate == pytest.approx(1.0)
    assert result.frequencies.tolist() == [7, 7]
    assert "fewer than 4" in circularity(circle(59, 7)).caveats[0]


def test_circularity_equals_the_transcribed_definition():
    embedding = np.random.default_rng(0).normal(size=(13, 6))
    centered = embedding - embedding.mean(axis=0)
    _, _, axes = np.linalg.svd(centered, full_matrices=False)
    shares = []
    for axis in axes[:4]:
        v = centered @ axis
        v = v / np.sqrt((v**2).sum())
        waves = [abs(sum(v[t] * np.exp(2j * np.pi * k * t / 13) for t in range(13))) for k in range(1, 13)]
        shares.append(min(2 * max(waves) ** 2 / 13, 1.0))
    result = circularity(embedding)
    np.testing.assert_allclose(result.per_component, shares)
    assert result.estimate == pytest.approx(np.mean(shares))


def test_circularity_of_noise_falls_in_its_null_band_95_percent_of_the_time():
    rng = np.random.default_rng(0)
    low, high = circularity(rng.normal(size=(23, 8)), rng=rng, n_null=1000).null_interval
    values = np.array([circularity(rng.normal(size=(23, 8))).estimate for _ in range(400)])
    assert 0.92 < ((low <= values) & (values <= high)).mean() < 0.98


def test_even_modulus_does_not_count_the_alternating_component_as_a_circle():
    alternating = np.where(np.arange(10) % 2, -1.0, 1.0)[:, None]
    assert circularity(alternating, n_components=1).estimate == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: representation_quality(np.ones((9, 2))), "all 9 rows"),
        (lambda: representation_quality(np.eye(3)), "at least 4 residues"),
        (lambda: circularity(np.ones((9, 2))), "all 9 rows"),
        (lambda: circularity(np.eye(5), n_components=0), "n_components ≥ 1"),
        (lambda: circularity(np.full((5, 2), np.inf)), "10 NaN or infinite"),
    ],
)
def test_a_wrong_call_says_what_is_needed(call, message):
    with pytest.raises(ValueError, match=message):
        call()
