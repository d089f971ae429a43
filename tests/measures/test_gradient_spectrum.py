"""Only this sees a covariance whose eigenvalues are not those of the parameters, or a null that is not one.

Truths: the d × d covariance of few parameters, planted common directions, and gradients without any.
"""

import numpy as np
import pytest
import torch

from phasescope.measures.gradient_spectrum import gradient_spectrum


def test_has_the_eigenvalues_of_the_covariance_of_parameters():
    gradients = np.random.default_rng(0).standard_normal((12, 5)) + 3
    for center in (True, False):
        moved = gradients - gradients.mean(axis=0) if center else gradients
        found = gradient_spectrum(gradients, center=center, n_null=19, rng=np.random.default_rng(0))
        exact = np.sort(np.linalg.eigvalsh(moved.T @ moved / 12))
        np.testing.assert_allclose(found.eigenvalues[-5:], exact)
        np.testing.assert_allclose(found.eigenvalues[:-5], 0, atol=1e-12)
        assert found.trace == pytest.approx(exact.sum())
        assert found.participation_ratio == pytest.approx(exact.sum() ** 2 / (exact**2).sum())
    assert found.mean_share == pytest.approx((gradients.mean(0) ** 2).sum() / (gradients**2).sum() * 12)
    assert "zeros of necessity" in found.caveats[0]


def test_blocks_of_parameters_give_what_the_whole_gives():
    gradients = np.random.default_rng(0).standard_normal((20, 6000))
    whole = gradient_spectrum(gradients, rng=np.random.default_rng(0))
    pieces = gradient_spectrum(
        lambda: (torch.from_numpy(piece) for piece in np.split(gradients, [10, 11, 5000], axis=1)),
        rng=np.random.default_rng(0),
    )
    np.testing.assert_allclose(pieces.eigenvalues, whole.eigenvalues, atol=1e-12)
    assert pieces.n_parameters == 6000


@pytest.mark.parametrize("null", ["sign_flip", "permutation"])
def test_common_directions_are_counted(null):
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((2, 3000)) * [[0.5], [0.3]]
    gradients = rng.standard_normal((40, 3000)) + rng.standard_normal((40, 2)) @ directions + 0.2
    found = gradient_spectrum(gradients, null=null, rng=rng)
    assert found.n_outliers == 2
    assert found.p_value == pytest.approx(1 / 40)
    assert found.verdict.startswith("2 common directions")
    assert found.n_beyond_edge >= 2


@pytest.mark.parametrize("kind", ["equal", "norms", "parameters", "heavy"])
def test_gradients_without_a_common_direction_have_none(kind):
    """Sign flips keep norms, parameters' sizes and heavy tails; Marchenko–Pastur's edge keeps none of them."""
    rng = np.random.default_rng(0)
    alarms, beyond = 0, 0
    for _ in range(60):
        gradients = rng.standard_t(3, (25, 300)) if kind == "heavy" else rng.standard_normal((25, 300))
        if kind == "norms":
            gradients *= np.exp(0.5 * rng.standard_normal((25, 1)))
        if kind == "parameters":
            gradients *= np.exp(rng.standard_normal(300))
        found = gradient_spectrum(gradients + 0.5, n_null=19, rng=rng)
        alarms += found.n_outliers > 0
        beyond += found.n_beyond_edge > 0
    assert alarms <= 9  # 5 % of 60, and three standard deviations
    assert (beyond > 40) == (kind != "equal")


@pytest.mark.parametrize(
    ("gradients", "options", "sentence"),
    [
        (np.ones((4, 6)), {}, "all 4 gradients are equal"),
        (np.ones((2, 6)), {}, "at least 3 gradients, one per row; 2 arrived"),
        (np.array([[1.0, np.nan]] * 4), {}, "gradients has 4 NaN or infinite entries"),
        (np.ones(5), {}, "one row per sample or step"),
        (lambda: [], {}, "gradients yielded no block"),
        (lambda: [np.ones((4, 2)), np.ones((5, 2))], {}, "5 rows arrived after blocks of 4"),
        (np.eye(5), {"null": "bootstrap"}, "null must be one of sign_flip, permutation; got 'bootstrap'"),
        (np.eye(5), {"n_null": 5}, "5 draws of the null cannot reach level 0.05; use at least 19"),
    ],
)
def test_bad_input_is_a_sentence(gradients, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        gradient_spectrum(gradients, rng=np.random.default_rng(0), **options)


def test_randomness_is_asked_for():
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator"):
        gradient_spectrum(np.eye(5), rng=1)
