"""Avalanches of a network: a network without structure is not critical, and a planted critical signal is seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from phasescope.measures.criticality import CALLED_CRITICAL, NO_SCALING, TOO_LITTLE
from phasescope.studies.criticality.cases.verdicts import in_time
from phasescope.studies.criticality.network import judged_activations, network_avalanches, shuffled
from phasescope.synthetic.galton_watson import galton_watson


def mlp(seed, *widths):
    torch.manual_seed(seed)
    modules = []
    for before, after in pairwise(widths):
        modules += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*modules)


@pytest.fixture(scope="module")
def planted():
    """Three layers of units that fire once for each event of critical trees, far above their small noise."""
    rng = np.random.default_rng(3)
    trees = galton_watson(4_000, max_generations=10_000, profiles=True, rng=rng)
    counts = in_time(trees, rng=rng)
    n_units = 150  # a bin has its events on so many units at most, which bends the law of large avalanches
    fires = np.arange(n_units) < np.minimum(counts, n_units)[:, None]
    fires = rng.permuted(fires, axis=1)
    return np.split((20 * fires + rng.uniform(0, 1e-3, fires.shape)).astype(np.float32), 3, axis=1)


def test_an_untrained_network_on_independent_rows_does_not_look_critical():
    torch.manual_seed(0)
    batches = [torch.randn(500, 8) for _ in range(12)]
    found = network_avalanches(
        mlp(0, 8, 32, 32, 32), batches, ["1", "3", "5"], max_units=16, rng=np.random.default_rng(0)
    )
    assert not found.called_critical
    assert found.over_tokens.verdict == NO_SCALING
    assert found.n_tokens == 6_000
    assert found.n_units == 48
    assert found.modules == ("1", "3", "5")
    assert found.scan is not None
    assert found.scan.estimate == 0
    assert "16 units were drawn" in found.caveats[0]
    assert 0 < found.active_share < 0.2


def test_planted_critical_avalanches_scale_and_shuffled_they_do_not(planted):
    rng = np.random.default_rng(0)
    found = judged_activations(planted, threshold=1.0, scan=False, rng=rng)
    assert found.over_tokens.verdict not in (NO_SCALING, TOO_LITTLE)
    assert found.called_critical == (found.over_tokens.verdict in CALLED_CRITICAL)
    assert found.scan is None
    for jointly in (True, False):
        mixed = shuffled(planted, jointly=jointly, rng=rng)
        again = judged_activations(mixed, threshold=1.0, scan=False, rng=rng)
        assert again.over_tokens.verdict in (NO_SCALING, TOO_LITTLE)
        assert not again.called_critical


def test_shuffling_keeps_the_values_of_every_unit_and_jointly_those_of_every_token(planted):
    rng = np.random.default_rng(0)
    for jointly in (True, False):
        mixed = shuffled(planted, jointly=jointly, rng=rng)
        for before, after in zip(planted, mixed, strict=True):
            np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(after, axis=0))
    together = shuffled(planted, jointly=True, rng=rng)
    before, after = (np.concatenate(layers, axis=1).sum(axis=1) for layers in (planted, together))
    np.testing.assert_allclose(np.sort(before), np.sort(after), rtol=1e-6)


def test_a_single_layer_has_no_depth_and_a_silent_network_too_little_data():
    rng = np.random.default_rng(0)
    layer = rng.standard_normal((2_000, 4))
    assert judged_activations([layer], scan=False, rng=rng).over_depth is None
    silent = judged_activations([layer, layer], threshold=30.0, rng=rng)
    assert silent.over_tokens.verdict == silent.over_depth.verdict == TOO_LITTLE
    assert "silent in all 2000 bins" in silent.over_tokens.reason
    assert silent.scan is None


def test_a_wide_network_is_read_above_a_level_and_says_so():
    rng = np.random.default_rng(0)
    found = judged_activations([rng.standard_normal((3_000, 400))], scan=False, rng=rng)
    assert found.level > 0
    assert found.over_tokens.n > 300
    assert "above" in found.caveats[0]


def test_the_same_seed_gives_the_same_answer():
    rows = [torch.from_numpy(np.random.default_rng(1).standard_normal((1_000, 8), dtype=np.float32))]
    one, other = (
        network_avalanches(mlp(0, 8, 64, 64), rows, ["1", "3"], max_units=8, scan=False, rng=np.random.default_rng(2))
        for _ in range(2)
    )
    assert one.to_dict() == other.to_dict()
