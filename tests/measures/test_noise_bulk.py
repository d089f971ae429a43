"""Only this sees an edge that is fitted to the spikes, or a bulk that runs away.

Truths: noise whose variance is known, and the share of pure noise that is called more.
"""

import numpy as np
import pytest

from phasescope.measures.marchenko_pastur import edges
from phasescope.measures.noise_bulk import fit_bulk
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix, spiked_matrix


def spectrum(matrix):
    return np.sort(np.linalg.svd(matrix, compute_uv=False) ** 2) / max(matrix.shape)


@pytest.mark.parametrize("shape", [(50, 50), (50, 400), (200, 250)])
def test_the_variance_of_noise_is_found_without_bias(shape):
    rng = np.random.default_rng(0)
    found = [
        fit_bulk(spectrum(gaussian_matrix(*shape, standard_deviation=0.1, rng=rng)), max(shape), level=0.01)
        for _ in range(100)
    ]
    error = 1.2 * np.sqrt(2 / (shape[0] * shape[1])) / 10
    assert np.mean([one.variance for one in found]) / 0.01 == pytest.approx(1, abs=4 * error + 1e-3)
    assert (found[0].low, found[0].high) == pytest.approx(edges(shape[0] / shape[1], variance=found[0].variance))


def test_spikes_do_not_move_the_bulk():
    rng = np.random.default_rng(0)
    strengths = np.geomspace(4, 400, 30)
    found = fit_bulk(spectrum(spiked_matrix(200, 600, strengths=strengths, rng=rng)), 600, level=0.001)
    assert found.n_beyond == 30
    assert found.variance == pytest.approx(1, abs=0.02)
    assert found.ks_distance < 0.02


ENTRIES = {
    "uniform": (-1.2, lambda rng, shape: rng.uniform(-1, 1, shape)),
    "sign": (-2.0, lambda rng, shape: rng.choice([-1.0, 1.0], shape)),
    "half dropped": (3.0, lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.5)),
    "Laplace": (3.0, lambda rng, shape: rng.laplace(size=shape)),
}


@pytest.mark.parametrize("entries", ENTRIES)
def test_kurtosis_moves_the_edge_as_stated(entries):
    """The level .01 is kept to .02; the median p is ½ with the correction, and far from it without."""
    kurtosis, draw = ENTRIES[entries]
    rng = np.random.default_rng(0)
    spectra = [spectrum(draw(rng, (40, 80))) for _ in range(600)]
    informed = [fit_bulk(one, 80, level=0.01, excess_kurtosis=kurtosis) for one in spectra]
    whole = kurtosis / np.sqrt(40 * 80)
    # The edge moves by the whole of it, the largest eigenvalue of light-tailed noise by a little less.
    assert kurtosis < 0 or informed[0].edge_shift == pytest.approx(whole)
    assert kurtosis > 0 or whole < informed[0].edge_shift < 0.7 * whole
    assert np.mean([one.n_beyond > 0 for one in informed]) < 0.02 + 3 * np.sqrt(0.02 / 600)
    assert np.median([one.p_value for one in informed]) == pytest.approx(0.5, abs=0.12)
    naive = np.median([fit_bulk(one, 80, level=0.01).p_value for one in spectra])
    assert naive > 0.6 if kurtosis < 0 else naive < 0.25


def test_one_by_one_gives_the_same_count():
    """Literal transcription of the sequential test, one eigenvalue at a time."""
    from phasescope.measures.noise_bulk import _noise_variance
    from phasescope.measures.tracy_widom import largest_eigenvalue_scaling, upper_quantile

    eigenvalues = spectrum(spiked_matrix(100, 300, strengths=np.geomspace(0.5, 9, 12), rng=np.random.default_rng(3)))
    n_beyond = 0
    while True:
        rest, n_noise = eigenvalues[: eigenvalues.size - n_beyond] * 300 / (300 - n_beyond), 300 - n_beyond
        center, scale = largest_eigenvalue_scaling(rest.size, n_noise)
        if (rest[-1] * n_noise / _noise_variance(rest, n_noise, 0.0) - center) / scale <= upper_quantile(0.01):
            break
        n_beyond += 1
    assert fit_bulk(eigenvalues, 300, level=0.01).n_beyond == n_beyond > 5


def test_a_levy_matrix_has_no_bulk_to_be_consistent_with():
    found = fit_bulk(spectrum(pareto_matrix(200, 200, tail_index=1.0, rng=np.random.default_rng(0))), 200, level=0.01)
    assert not found.is_consistent
    assert 0 < found.n_beyond < 100


def test_zeros_within_the_bulk_leave_no_variance():
    found = fit_bulk(np.r_[np.zeros(15), np.ones(5)], 40, level=0.01)
    assert (found.variance, found.p_value, found.n_beyond) == (0, 0, 5)
