"""Isolated values: mistakes only these tests see are an outlier at an end, which a running median keeps, and a steep
stretch at an end, which a careless one-sided rule takes away."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from phasescope.measures.isolated_values import without_isolated
from phasescope.measures.transitions import find_transitions

STEPS = np.geomspace(1, 1e4, 80)


def noisy_sigmoid(seed=0, noise=0.02):
    rng = np.random.default_rng(seed)
    return 1 / (1 + np.exp(-6 * (np.log10(STEPS) - 2))) + noise * rng.normal(size=STEPS.size)


@pytest.mark.parametrize("index", [0, 1, 2, 40, -2, -1])
@pytest.mark.parametrize("value", [-5.0, 5.0])
def test_one_outlier_is_found_wherever_it_is(index, value):
    curve = noisy_sigmoid()
    curve[index] = value
    cleaned, isolated = without_isolated(curve)
    assert isolated.tolist() == [index % curve.size]
    assert abs(cleaned[index] - noisy_sigmoid(noise=0)[index]) < 0.2


@pytest.mark.parametrize(("index", "value"), [(0, 1.0), (-1, -5.0), (-1, 0.0), (0, 50.0)])
def test_an_outlier_at_an_end_leaves_the_transition_where_it_is(index, value):
    curve = noisy_sigmoid()
    (clean,) = find_transitions(STEPS, curve, rng=np.random.default_rng(0))
    curve[index] = value
    (found,) = find_transitions(STEPS, curve, rng=np.random.default_rng(0))
    assert found.midpoint == pytest.approx(clean.midpoint, rel=0.03)
    assert found.midpoint_interval[1] / found.midpoint_interval[0] < 1.3
    assert any("isolated" in caveat for caveat in found.caveats)


@pytest.mark.parametrize(
    "curve",
    [
        np.exp(-STEPS / 3),
        np.exp(-STEPS / 1000),
        1 / STEPS,
        1 / np.arange(1.0, 60.0),
        1 / np.arange(1.0, 60.0) ** 2,
        1 / (1 + np.exp(-8 * (np.log10(STEPS) - 0.2))),  # a sigmoid that begins in the middle
        1 / (1 + np.exp(-8 * (np.log10(STEPS) - 3.8))),  # and one that is not over
        np.repeat([0.0, 1.0], [2, 40]),
        np.repeat([0.0, 1.0], [40, 2]),
        np.linspace(0, 1, 80),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_what_continues_its_neighbors_stays(curve, noise):
    values = curve + noise * np.random.default_rng(3).normal(size=curve.size)
    assert not {0, 1, curve.size - 2, curve.size - 1} & set(without_isolated(values)[1].tolist())


@pytest.mark.parametrize(
    "curve",
    [
        np.where(STEPS < 30, STEPS / 30, np.exp(-(STEPS - 30) / 2000)),  # a kinked peak
        np.exp(-((np.log10(STEPS) - 2) ** 2)),  # a round one
        np.maximum(np.log10(STEPS) - 2, 0) - 0.05 * np.exp(-10 * (np.log10(STEPS) - 1) ** 2),  # a dent before a rise
        np.concatenate([np.full(60, 1.0), 1 + 1e-4 * np.random.default_rng(2).normal(size=20), np.full(20, 3.0)]),
    ],
)
def test_the_shape_of_a_curve_without_noise_is_no_accident(curve):
    assert without_isolated(curve)[1].size == 0


def test_an_accident_on_a_curve_without_noise_is_still_found():
    curve = np.exp(-((np.linspace(0, 4, 200) - 2) ** 2))
    curve[[60, 150]] += [0.3, -0.3]
    assert without_isolated(curve)[1].tolist() == [60, 150]


def test_a_change_that_one_end_value_alone_speaks_for_is_an_accident():
    assert without_isolated(np.repeat([0.0, 1.0], [40, 1]))[1].tolist() == [40]
    assert without_isolated(np.repeat([0.0, 1.0], [1, 40]))[1].tolist() == [0]


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)))
def test_the_rest_is_untouched(values):
    cleaned, isolated = without_isolated(values)
    kept = np.setdiff1d(np.arange(values.size), isolated)
    np.testing.assert_array_equal(cleaned[kept], values[kept])
    assert values.min() <= cleaned.min() <= cleaned.max() <= values.max()


@pytest.mark.parametrize("n", [20, 60])
def test_white_noise_rarely_loses_an_end(n):
    rng = np.random.default_rng(5)
    lost = sum(bool({0, n - 1} & set(without_isolated(rng.normal(size=n))[1].tolist())) for _ in range(500))
    assert lost <= 5


def test_constant_and_tiny_records_stay():
    for values in (np.ones(30), np.array([1.0]), np.array([0.0, 5.0, 0.0]), np.array([0.0, 0.0, 0.0, 9.0])):
        cleaned, isolated = without_isolated(values)
        assert isolated.size == 0
        np.testing.assert_array_equal(cleaned, values)
