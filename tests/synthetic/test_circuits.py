"""Hand-built clock and pizza: the logits are the formulas they claim to be, and they add."""

from __future__ import annotations

import numpy as np
import pytest

from phasescope.measures.fourier import key_frequencies
from phasescope.synthetic.circuits import circuit


def test_clock_logits_are_a_sum_of_cosines():
    a, b, c = np.ogrid[:13, :13, :13]
    expected = sum(np.cos(2 * np.pi * k * (a + b - c) / 13) for k in (1, 4))
    np.testing.assert_allclose(circuit("clock", p=13, frequencies=[1, 4]).table(), expected, atol=1e-12)


def test_pizza_logits_are_absolute_values_of_the_sum_of_embeddings():
    a, b, c = np.ogrid[:13, :13, :13]
    expected = np.zeros((13, 13, 13))
    for k in (1, 4):
        w = 2 * np.pi * k / 13
        x = w * (a + b - c) / 2
        expected += np.abs(np.cos(w * (a - b) / 2)) * (np.abs(np.cos(x)) - np.abs(np.sin(x)))
    np.testing.assert_allclose(circuit("pizza", p=13, frequencies=[1, 4]).table(), expected, atol=1e-12)


@pytest.mark.parametrize("kind", ["clock", "pizza"])
def test_both_add_correctly_for_every_pair(kind):
    table = circuit(kind, p=59, frequencies=[2, 5, 13, 21], noise=0.01, rng=np.random.default_rng(0)).table()
    a, b = np.ogrid[:59, :59]
    assert (table.argmax(axis=2) == (a + b) % 59).mean() == 1.0


def test_the_clock_has_its_frequencies_as_keys():
    clock = circuit("clock", p=31, frequencies=[3, 8], noise=0.01, rng=np.random.default_rng(0))
    assert key_frequencies(clock.table()).keys.tolist() == [3, 8]


@pytest.mark.parametrize("kind", ["clock", "pizza"])
def test_noise_has_the_standard_deviation_asked_for(kind):
    clean = circuit(kind, p=31, frequencies=[3, 8]).table()
    noisy = circuit(kind, p=31, frequencies=[3, 8], noise=0.01, rng=np.random.default_rng(0)).table()
    assert (noisy - clean).std() == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "clock", "p": 12, "frequencies": [1]},
        {"kind": "clock", "p": 13, "frequencies": [7]},
        {"kind": "clock", "p": 13, "frequencies": [2, 2]},
        {"kind": "clock", "p": 13, "frequencies": []},
        {"kind": "dial", "p": 13, "frequencies": [1]},
        {"kind": "clock", "p": 13, "frequencies": [1], "noise": 0.1},
    ],
)
def test_impossible_circuits_are_refused(settings):
    with pytest.raises(ValueError, match=r"needs|is 'clock'"):
        circuit(settings.pop("kind"), **settings)
