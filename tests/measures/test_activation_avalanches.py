"""Rasters of activations, and avalanches over tokens and depth."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.activation_avalanches import (
    activation_counts,
    activation_raster,
    avalanches_over_depth,
    avalanches_over_tokens,
    depth_avalanches,
    separating_level,
)


def test_a_loud_layer_fires_no_more_than_a_quiet_one():
    rng = np.random.default_rng(0)
    quiet, loud = rng.standard_normal((20_000, 10)), 1e6 + 1e4 * rng.standard_normal((20_000, 10))
    raster = activation_raster([quiet, loud])
    assert raster.shape == (20, 20_000)
    rates = raster.mean(axis=1)
    np.testing.assert_allclose(rates, 0.02275, atol=0.004)  # 1 − Φ(2)


def test_events_are_what_exceeds_the_mean_by_that_many_deviations():
    layer = np.zeros((100, 2))
    layer[::20, 0] = 1.0
    layer[:, 1] = 3.0  # constant: never fires
    raster = activation_raster([layer])
    assert np.flatnonzero(raster[0]).tolist() == [0, 20, 40, 60, 80]
    assert not raster[1].any()
    assert np.flatnonzero(activation_raster([-layer], threshold=-2.0)[0]).tolist() == [0, 20, 40, 60, 80]


def test_runs_of_tokens_become_avalanches():
    layer = np.zeros((200, 3))
    layer[10, 0] = layer[11, 1] = layer[150, 2] = 5.0
    found = avalanches_over_tokens([layer])
    assert found.sizes.tolist() == [2.0, 1.0]
    assert found.durations.tolist() == [2, 1]
    assert avalanches_over_tokens([layer], bin_size=50).sizes.tolist() == [2.0, 1.0]


def test_a_wide_network_is_read_above_a_level():
    layer = np.random.default_rng(0).standard_normal((2_000, 600))
    with pytest.raises(ValueError, match="no avalanche ever ends"):
        avalanches_over_tokens([layer], level=0)
    count = activation_raster([layer]).sum(axis=0)
    found = avalanches_over_tokens([layer], level=15)
    assert found.sizes.sum() == np.maximum(count - 15, 0).sum()
    assert separating_level(count) == np.median(count)
    by_default = avalanches_over_tokens([layer])
    assert by_default.sizes.sum() == np.maximum(count - np.median(count), 0).sum()
    assert "units fire" in by_default.caveats[0]


def test_a_level_is_0_where_silent_tokens_are_many():
    assert separating_level([0] * 10 + [5] * 90) == 0
    assert separating_level([0] * 9 + [5] * 91) == 5


def test_counts_are_sums_of_the_raster_by_layer():
    layers = [np.random.default_rng(i).standard_normal((500, 4)) for i in range(2)]
    counts = activation_counts(layers, threshold=1.0)
    raster = activation_raster(layers, threshold=1.0)
    np.testing.assert_array_equal(counts, [raster[:4].sum(axis=0), raster[4:].sum(axis=0)])


def test_over_depth_a_level_parts_layers_in_which_some_unit_always_fires():
    counts = np.array([[3, 9, 3], [9, 9, 3], [9, 3, 9]])  # layers × tokens
    found = depth_avalanches(counts, level=5)
    assert found.durations.tolist() == [2, 2, 1]
    assert found.sizes.tolist() == [8.0, 8.0, 4.0]
    assert found.censored.tolist() == [True, False, True]


def test_runs_of_layers_become_avalanches_and_those_that_reach_the_end_are_censored():
    layers = [np.zeros((100, 1)) for _ in range(4)]
    layers[0][3] = layers[1][3] = 9.0  # token 3: layers 0 and 1
    layers[2][7] = layers[3][7] = 9.0  # token 7: layers 2 and 3, the last
    layers[1][8] = 9.0  # token 8 follows at once and is another
    found = avalanches_over_depth(layers)
    assert found.durations.tolist() == [2, 2, 1]
    assert found.censored.tolist() == [False, True, False]
    assert found.n_bins == 0


def test_what_cannot_be_read_is_told():
    layer = np.random.default_rng(0).standard_normal((100, 3))
    with pytest.raises(ValueError, match="at least one layer"):
        activation_raster([])
    with pytest.raises(ValueError, match="same tokens"):
        activation_raster([layer, layer[:50]])
    with pytest.raises(ValueError, match="at least 10 tokens"):
        activation_raster([layer[:5]])
    with pytest.raises(ValueError, match="finite"):
        activation_raster([np.where(layer > 2, np.nan, layer)])
    with pytest.raises(ValueError, match="silent in all"):
        avalanches_over_tokens([layer], threshold=50.0)
    with pytest.raises(ValueError, match="last of the 1 layers"):
        avalanches_over_depth([layer])
