"""Only this sees an index with the wrong offset, or an interval as narrow as if eigenvalues were independent.

Truth: Pareto entries of index μ < 2, whose eigenvalues have the index 1 + μ/2.
"""

import numpy as np
import pytest

from phasescope.measures.eigenvalue_tail_index import eigenvalue_tail_index
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix


def levy(size, mu, seed):
    return pareto_matrix(size, size, tail_index=mu, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("mu", [0.8, 1.2])
def test_the_index_of_many_matrices_is_one_plus_half_that_of_the_entries(mu):
    found = eigenvalue_tail_index([levy(400, mu, seed) for seed in range(16)], rng=np.random.default_rng(0))
    assert found.n_matrices == 16
    assert found.n_tail == 320
    assert found.interval[0] < 1 + mu / 2 < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.25
    assert found.entry_index == pytest.approx(2 * found.estimate - 2)


def test_the_estimate_is_hills():
    matrix = levy(400, 1.0, 0)
    top = np.sort(np.linalg.svd(matrix, compute_uv=False) ** 2)[::-1]
    found = eigenvalue_tail_index(matrix, n_resamples=20, rng=np.random.default_rng(0))
    assert found.estimate == pytest.approx(1 + 19 / np.log(top[:20] / top[20]).sum())
    assert found.tail_shares[0] == pytest.approx(0.05)
    assert found.indices[0] == pytest.approx(found.estimate)


def test_the_interval_of_one_matrix_is_as_wide_as_the_spread_between_matrices():
    estimates, widths = [], []
    for seed in range(40):
        found = eigenvalue_tail_index(
            levy(200, 1.0, seed), tail_share=0.1, n_resamples=20, rng=np.random.default_rng(seed)
        )
        estimates.append(np.log(found.estimate - 1))
        widths.append(np.log((found.interval[1] - 1) / (found.estimate - 1)) / 2.09)
    assert np.mean(widths) == pytest.approx(np.std(estimates), rel=0.35)


def test_a_slow_approach_and_a_bent_tail_are_caveats():
    slow = eigenvalue_tail_index([levy(400, 1.6, seed) for seed in range(10)], rng=np.random.default_rng(0))
    assert "α may be 1.8 or more" in slow.caveats[0]
    noise = eigenvalue_tail_index(
        gaussian_matrix(400, 400, rng=np.random.default_rng(0)), n_resamples=20, rng=np.random.default_rng(0)
    )
    assert any("of the 20 eigenvalues of the tail only 0 lie beyond the edge" in caveat for caveat in noise.caveats)
    assert any("the tail is not straight" in caveat for caveat in noise.caveats)


@pytest.mark.parametrize(
    ("matrix", "options", "sentence"),
    [
        (np.eye(100), {}, "a tail needs at least 20 eigenvalues"),
        (np.ones((500, 500)), {}, "too low a rank"),
        (np.eye(500), {"tail_share": 0.7}, "tail_share must lie in"),
        (np.eye(500), {"n_resamples": 3}, "n_resamples be at least 20"),
        (np.full((500, 500), np.nan), {}, "NaN"),
    ],
)
def test_bad_input_is_a_sentence(matrix, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        eigenvalue_tail_index(matrix, rng=np.random.default_rng(0), **options)


def test_randomness_is_asked_for():
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator"):
        eigenvalue_tail_index(np.eye(500), rng=1)
