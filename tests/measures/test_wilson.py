"""The interval solves |p − share| = z √(p (1 − p)/n) at both ends: only that catches a slip in the closed form."""

import numpy as np
import pytest
from scipy.special import ndtri

from phasescope.measures.wilson import wilson_interval


@pytest.mark.parametrize("n_yes", [1, 7, 50, 93])
def test_both_ends_are_one_score_away_from_the_share(n_yes):
    for end in wilson_interval(n_yes / 100, 100):
        assert abs(end - n_yes / 100) == pytest.approx(ndtri(0.975) * np.sqrt(end * (1 - end) / 100))


def test_none_and_all_of_the_trials_leave_room_on_one_side():
    low, high = wilson_interval([0.0, 1.0], 20)
    assert low[0] == 0
    assert 0.1 < low[1] < 0.2
    assert high[1] == 1
    assert 0.8 < high[0] < 0.9
