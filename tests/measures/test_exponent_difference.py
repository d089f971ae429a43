"""Two exponents: a common one must be rejected as often as stated, different ones found."""

import numpy as np
import pytest

from phasescope.measures.exponent_difference import exponent_difference


@pytest.mark.parametrize("x_min", [(1.0, 1.0), None])
def test_a_common_exponent_is_rejected_as_often_as_stated(x_min):
    rng, p_values, hits = np.random.default_rng(0), [], 0
    for _ in range(100):
        one, other = rng.pareto(1.5, 100) + 1, rng.pareto(1.5, 200) + 1
        result = exponent_difference(one, other, x_min=x_min, n_bootstrap=100, rng=rng)
        p_values.append(result.p_value)
        hits += result.interval[0] <= 0 <= result.interval[1]
    limit = 3 * np.sqrt(0.1 * 0.9 / 100)
    assert np.mean(np.array(p_values) <= 0.1) <= 0.1 + limit
    assert hits / 100 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 100)


def test_different_exponents_are_found_and_the_sign_is_first_less_second():
    rng = np.random.default_rng(1)
    result = exponent_difference(rng.zipf(2.0, 2000), rng.zipf(2.5, 2000), discrete=True, n_bootstrap=200, rng=rng)
    assert result.p_value <= 0.02
    assert result.interval[1] < 0
    assert result.estimate == pytest.approx(result.alphas[0] - result.alphas[1])


def test_censoring_and_ends_are_part_of_the_comparison():
    rng = np.random.default_rng(2)
    one, other = rng.pareto(1.5, 3000) + 1, rng.pareto(1.5, 3000) + 1
    cut = exponent_difference(
        np.minimum(one, 3), other, x_min=(1, 1), censored=(one > 3, np.zeros(3000, bool)), n_bootstrap=200, rng=rng
    )
    assert cut.interval[0] < 0 < cut.interval[1]
    ended = exponent_difference(one[one < 5], other, x_min=(1, 1), x_max=(5, 1e9), n_bootstrap=200, rng=rng)
    assert ended.interval[0] < 0 < ended.interval[1]


def test_small_tails_are_noticed_and_bad_input_refused():
    rng = np.random.default_rng(3)
    result = exponent_difference(rng.pareto(1.5, 50) + 1, rng.pareto(1.5, 500) + 1, n_bootstrap=100, rng=rng)
    assert "the first sample has only" in result.caveats[0]
    with pytest.raises(ValueError, match="at least two distinct"):
        exponent_difference([1, 1], [1, 2], n_bootstrap=100, rng=rng)
    with pytest.raises(ValueError, match="x_max must lie above x_min"):
        exponent_difference([1, 2, 3], [1, 2, 3], x_min=(2, 2), x_max=(2, 9), n_bootstrap=100, rng=rng)
    with pytest.raises(ValueError, match="at least 100"):
        exponent_difference([1, 2], [1, 2], n_bootstrap=1, rng=rng)
