"""Noise about a curve: the mistake only this file sees is a wrong constant for the tenth that is left out."""

import numpy as np
import pytest

from phasescope.measures.curve_noise import noise_of_neighbors


def test_white_noise_keeps_its_standard_deviation_though_a_tenth_is_left_out():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 40_000)
    assert noise_of_neighbors(x, np.sin(3 * x) + 2 * rng.normal(size=x.size)).sigma == pytest.approx(2, rel=0.015)


def test_a_step_is_not_taken_for_noise():
    rng = np.random.default_rng(1)
    x = np.linspace(0, 1, 400)
    assert noise_of_neighbors(x, 50.0 * (x > 0.5) + rng.normal(size=x.size)).sigma == pytest.approx(1, rel=0.15)
