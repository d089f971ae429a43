"""Avalanches of rasters and signals, by hand and against a walk from bin to bin.

Only this file sees: bins that are joined across a silence, an area counted from zero instead of from the threshold, and
the ends of a record taken for the ends of avalanches.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from phasescope.measures.avalanches import (
    Avalanches,
    avalanches,
    avalanches_of_signal,
    correlated_blocks,
    separate_avalanches,
)
from phasescope.measures.causal_avalanches import causal_avalanches
from phasescope.synthetic.galton_watson import galton_watson


def walked(activity):
    """Sizes and durations, bin by bin."""
    runs = [list(run) for active, run in itertools.groupby(activity, key=lambda events: events > 0) if active]
    return [float(sum(run)) for run in runs], [len(run) for run in runs]


@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(2, 40)), elements=st.integers(0, 3)))
@settings(max_examples=100, deadline=None)
def test_any_raster_agrees_with_the_walk(raster):
    activity = raster.sum(axis=0)
    if not activity.any() or activity.all():
        return
    found = avalanches(raster)
    sizes, durations = walked(activity.tolist())
    assert (found.sizes.tolist(), found.durations.tolist()) == (sizes, durations)
    assert found.profiles.tolist() == activity[activity > 0].tolist()
    cut = np.zeros(len(found), dtype=bool)
    cut[0] |= activity[0] > 0
    cut[-1] |= activity[-1] > 0
    assert found.censored.tolist() == cut.tolist()


def test_bins_are_joined_and_an_incomplete_last_one_is_left_out():
    found = avalanches([1, 0, 0, 2, 0, 0, 3], bin_size=2)  # 1 | 2 | 0, and 3 is on its own
    assert found.sizes.tolist() == [3.0]
    assert found.durations.tolist() == [2]
    assert found.n_bins == 3


def test_booleans_and_whole_floats_count_alike():
    raster = np.array([[0, 1, 0, 1], [0, 1, 0, 0]])
    assert avalanches(raster.astype(bool)).sizes.tolist() == avalanches(raster.astype(float)).sizes.tolist() == [2, 1]


def test_the_size_of_an_excursion_is_the_area_above_the_threshold():
    found = avalanches_of_signal([0, 3, 5, 1, 2, 0], threshold=1.5)
    assert found.sizes.tolist() == [5.0, 0.5]
    assert found.durations.tolist() == [2, 1]
    assert found.profiles.tolist() == [1.5, 3.5, 0.5]


def test_blocks_are_ten_at_least_and_single_where_trials_are_separate():
    record = avalanches(np.tile([0, 1], 400))
    assert np.bincount(correlated_blocks(record, None))[0] == 15  # 2 · 400^⅓
    assert correlated_blocks(avalanches(np.tile([0, 1], 50)), None).max() == 9
    assert correlated_blocks(separate_avalanches(np.ones(400), np.ones(400)), None).tolist() == list(range(400))
    assert correlated_blocks(separate_avalanches(np.ones(4), np.ones(4)), None).tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="block must lie in 1 … 40"):
        correlated_blocks(record, 41)


def test_causal_webs_give_back_trees_that_run_at_the_same_time():
    """Every unit is the place of one tree after the other; some unit is always active, so no run of bins ever ends."""
    rng = np.random.default_rng(3)
    trees = galton_watson(2_000, max_generations=30, profiles=True, rng=rng)
    raster = np.zeros((60, 800), dtype=np.int64)
    planted = []
    front = np.ones(60, dtype=int)
    for i in range(len(trees)):
        unit, length = i % 60, int(trees.durations[i])
        if front[unit] + length < 799:
            start = front[unit]
            raster[unit, start : start + length] = trees.profiles[trees.offsets[i] : trees.offsets[i + 1]]
            planted.append((start, trees.sizes[i], length))
            front[unit] += length + rng.integers(1, 3)
    with pytest.raises(ValueError, match="no avalanche ever ends"):
        avalanches(raster[:, 1:200])
    webs = causal_avalanches(raster, np.stack([np.arange(60)] * 2, axis=1))
    assert sorted(zip(webs.sizes, webs.durations, strict=True)) == sorted((size, length) for _, size, length in planted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: avalanches(np.zeros(9, dtype=int)), "silent in all 9 bins"),
        (lambda: avalanches(np.ones(9, dtype=int)), "active in each of its 9 bins"),
        (lambda: avalanches([0.5, 0.0]), "booleans or whole numbers"),
        (lambda: avalanches([0.0, np.nan]), "booleans or whole numbers"),
        (lambda: avalanches([-1, 0, 1]), "booleans or whole numbers"),
        (lambda: avalanches(np.zeros((2, 2, 2))), "n_units, n_bins"),
        (lambda: avalanches([0, 1], bin_size=3), r"bin_size must lie in 1 … 2"),
        (lambda: avalanches_of_signal([0.0, 1.0], threshold=2.0), "never above"),
        (lambda: avalanches_of_signal([0.0, 1.0], threshold=-1.0), "always above"),
        (lambda: avalanches_of_signal([0.0, np.inf], threshold=0.5), "finite numbers"),
        (lambda: separate_avalanches(np.ones(3), np.ones(2)), "one shape"),
        (
            lambda: Avalanches(
                sizes=np.ones(3),
                durations=np.ones(3, dtype=int),
                censored=np.zeros(3, dtype=bool),
                profiles=np.ones(3),
                offsets=np.arange(3),
                n_bins=0,
            ),
            "offsets need 4 entries",
        ),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
