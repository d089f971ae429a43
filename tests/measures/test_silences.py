"""Silences between avalanches, and what their variation tells apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasescope.measures.silences import MEMORYLESS, silence_variation, silences
from phasescope.measures.surrogates import ornstein_uhlenbeck


def test_silences_lie_between_avalanches_and_not_before_or_after():
    assert silences([0, 0, 1, 0, 2, 2, 0, 0, 0, 1, 0]).tolist() == [1, 3]
    assert silences([5.0, 1.0, 5.0], level=2.0).tolist() == [1]
    assert silences([0, 0, 0]).tolist() == []
    assert silence_variation([1, 0, 1]) == math.inf


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
def test_a_drive_without_memory_has_the_variation_of_its_geometric_law(p):
    events = np.random.default_rng(0).random(400_000) < p
    assert silence_variation(events) == pytest.approx(math.sqrt(1 - p), rel=0.03)  # sd √(1−p)/p over mean 1/p


@pytest.mark.parametrize("level", [-1.0, 0.0, 1.5])
def test_noise_above_a_threshold_falls_silent_for_much_less_regular_times(level):
    noise = ornstein_uhlenbeck(200_000, correlation_time=100, rng=np.random.default_rng(0))
    assert silence_variation(noise, level=level) > 1.5 * MEMORYLESS
