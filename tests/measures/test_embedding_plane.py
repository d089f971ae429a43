"""The principal plane of an embedding.

Only this file sees: coordinates that draw a circle from noise in many dimensions, a projection that turns ellipses into
circles, and an order of residues that does not follow the frequency.
"""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.embedding_plane import principal_plane


def circle(p, k, radii=(1.0, 1.0)):
    angle = 2 * np.pi * k * np.arange(p) / p
    return np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=1)


@pytest.mark.parametrize("p", [5, 12, 59])
def test_an_exact_circle_keeps_radius_angles_and_order(p):
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    embedding = 3 * circle(p, 2) @ rotation[:2] + np.arange(6.0)
    plane = principal_plane(embedding)
    assert plane.frequency == 2
    assert plane.estimate == pytest.approx(1.0)
    assert plane.share == pytest.approx(1.0)
    np.testing.assert_allclose(np.linalg.norm(plane.coordinates, axis=1), 3.0)
    np.testing.assert_allclose(np.exp(1j * plane.angles), np.exp(4j * np.pi * np.arange(p) / p), atol=1e-9)
    places = plane.order * 2 % p  # place of each residue on the circle, in p-ths of a turn
    assert np.count_nonzero(np.diff(places) < 0) == 1  # once around, starting at −π


def test_angles_stay_exact_among_circles_of_other_frequencies():
    embedding = np.concatenate([circle(31, 3, (2.0, 2.0)), circle(31, 7), circle(31, 11)], axis=1)
    plane = principal_plane(embedding)
    np.testing.assert_allclose(np.exp(1j * plane.angles), np.exp(2j * np.pi * 3 * np.arange(31) / 31), atol=1e-9)
    other = principal_plane(embedding, frequency=7)
    np.testing.assert_allclose(np.exp(1j * other.angles), np.exp(2j * np.pi * 7 * np.arange(31) / 31), atol=1e-9)
    assert other.share == pytest.approx(1 / 6)


def test_an_ellipse_stays_an_ellipse():
    plane = principal_plane(circle(31, 4, (2.0, 1.0)))
    np.testing.assert_allclose(np.abs(plane.coordinates).max(axis=0), [2.0, 1.0], rtol=0.01)
    assert plane.estimate == pytest.approx(1.5**2 / 2.5, rel=0.01)  # ((2 + 1)/2)² over 2²/2 + 1²/2


@pytest.mark.parametrize("n_dimensions", [2, 16, 128, 1024])
def test_noise_in_any_number_of_dimensions_stays_a_cloud(n_dimensions):
    rng = np.random.default_rng(0)
    roundness = [principal_plane(rng.normal(size=(59, n_dimensions))).estimate for _ in range(20)]
    assert np.median(roundness) < 0.2


def test_projecting_on_a_plane_fitted_with_the_row_in_it_would_have_drawn_a_circle():
    # Why rows are left out: the plain projection of noise in 1024 dimensions scores above 0.9.
    embedding = np.random.default_rng(0).normal(size=(59, 1024))
    wave = np.exp(2j * np.pi * principal_plane(embedding).frequency * np.arange(59) / 59)
    points = (embedding - embedding.mean(axis=0)) @ (embedding.T @ np.stack([wave.real, wave.imag], axis=1))
    plain = np.abs(((points[:, 0] + 1j * points[:, 1]) / wave).mean()) ** 2 / (points**2).sum(axis=1).mean()
    assert plain > 0.9


def test_leaving_out_equals_a_slow_refit_for_every_row():
    rng = np.random.default_rng(0)
    embedding = np.concatenate([circle(11, 2), 0.3 * rng.normal(size=(11, 3))], axis=1)
    centered = embedding - embedding.mean(axis=0)
    plane = principal_plane(embedding)
    c = circle(11, plane.frequency)
    for t in range(11):
        others = np.arange(11) != t
        left, _, right = np.linalg.svd(centered[others].T @ c[others], full_matrices=False)
        np.testing.assert_allclose(plane.coordinates[t], centered[t] @ left @ right, atol=1e-10)


def test_circularity_of_noise_falls_in_its_null_band():
    rng = np.random.default_rng(1)
    plane = principal_plane(rng.normal(size=(31, 8)), rng=rng)
    assert plane.null_interval[0] < plane.null < plane.null_interval[1] < 0.6
    exact = principal_plane(np.pad(circle(31, 3), ((0, 0), (0, 6))), rng=rng)
    assert exact.estimate > exact.null_interval[1]


def test_a_line_has_no_plane():
    plane = principal_plane(np.outer(np.arange(11.0), [1.0, 2.0, 0.5]))
    assert "moves along a line" in plane.caveats[0]
    assert principal_plane(np.random.default_rng(0).normal(size=(7, 1))).coordinates.shape == (7, 2)


def test_principal_components_carry_their_share():
    embedding = np.random.default_rng(0).normal(size=(20, 5)) * [10, 3, 1, 1, 1]
    plane = principal_plane(embedding)
    centered = embedding - embedding.mean(axis=0)
    np.testing.assert_allclose((plane.pca_coordinates**2).sum(axis=0) / (centered**2).sum(), plane.pca_share)
    assert plane.pca_share[0] > plane.pca_share[1] > 0


def test_a_frequency_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"1 … 3 for p = 8"):
        principal_plane(np.random.default_rng(0).normal(size=(8, 3)), frequency=4)
