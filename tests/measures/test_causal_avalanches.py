"""Causal webs against a search that walks from event to event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasescope.measures.avalanches import avalanches
from phasescope.measures.causal_avalanches import causal_avalanches


def literal_webs(raster, links, delay):
    """Components by breadth-first search over events in both directions."""
    n_units, n_bins = raster.shape
    pairs = {(int(i), int(j)) for i, j in links}
    events = [(t, i) for t in range(n_bins) for i in range(n_units) if raster[i, t]]
    webs, seen = [], set()
    for start in events:
        if start in seen:
            continue
        web, front = [], [start]
        seen.add(start)
        while front:
            t, i = front.pop()
            web.append((t, i))
            for other in events:
                forward = other[0] == t + delay and (i, other[1]) in pairs
                backward = other[0] == t - delay and (other[1], i) in pairs
                if other not in seen and (forward or backward):
                    seen.add(other)
                    front.append(other)
        webs.append(web)
    sizes = [float(sum(raster[i, t] for t, i in web)) for web in webs]
    durations = [max(t for t, _ in web) - min(t for t, _ in web) + 1 for web in webs]
    return sizes, durations


@given(st.integers(0, 10_000), st.integers(1, 3), st.floats(0.05, 0.6))
@settings(max_examples=60, deadline=None)
def test_any_raster_agrees_with_the_search(seed, delay, density):
    rng = np.random.default_rng(seed)
    raster = rng.poisson(density, size=(6, 12))
    if not raster.any():
        return
    links = rng.integers(6, size=(rng.integers(1, 12), 2))
    found = causal_avalanches(raster, links, delay=delay)
    sizes, durations = literal_webs(raster, links, delay)
    assert found.sizes.tolist() == sizes
    assert found.durations.tolist() == durations
    assert found.profiles.sum() == raster.sum()
    for i in range(len(found)):
        assert found.profiles[found.offsets[i] : found.offsets[i + 1]].sum() == found.sizes[i]


def test_two_cascades_at_the_same_time_stay_two():
    raster = np.zeros((4, 5), dtype=int)
    raster[0, 1] = raster[1, 2] = 1  # one along 0 → 1
    raster[2, 1] = raster[3, 2] = 1  # one along 2 → 3
    assert causal_avalanches(raster, [[0, 1], [2, 3]]).sizes.tolist() == [2.0, 2.0]
    assert avalanches(raster).sizes.tolist() == [4.0]


def test_a_steadily_driven_network_has_ends_where_its_raster_has_none():
    rng = np.random.default_rng(0)
    raster = rng.random((200, 500)) < 0.1
    with pytest.raises(ValueError, match="no avalanche ever ends"):
        avalanches(raster)
    links = np.stack([np.arange(200), (np.arange(200) + 1) % 200], axis=1)
    assert len(causal_avalanches(raster, links)) > 2_000


def test_webs_at_the_edges_are_censored():
    raster = np.zeros((2, 6), dtype=int)
    raster[0, 0] = raster[0, 3] = raster[1, 5] = 1
    assert causal_avalanches(raster, [[0, 1]]).censored.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("raster", "links", "delay", "message"),
    [
        (np.zeros((2, 5), dtype=int), [[0, 1]], 1, "silent in all 5 bins"),
        (np.ones((2, 5)), [[0, 1]], 1, "booleans or whole numbers"),
        (np.ones((2, 5), dtype=int), [[0, 2]], 1, "units 0 … 1"),
        (np.ones((2, 5), dtype=int), [0, 1], 1, "pairs of units"),
        (np.ones((2, 5), dtype=int), [[0, 1]], 5, "1 … 4 bins"),
    ],
)
def test_bad_input_is_told(raster, links, delay, message):
    with pytest.raises(ValueError, match=message):
        causal_avalanches(raster, links, delay=delay)
