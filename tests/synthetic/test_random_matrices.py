"""Only this sees generators whose truth is not the one they state: variance, spikes, tail of the entries."""

import numpy as np
import pytest

from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix, spike_position, spiked_matrix


def test_gaussian_entries_have_the_deviation_asked_for():
    matrix = gaussian_matrix(200, 300, standard_deviation=0.02, rng=np.random.default_rng(0))
    assert matrix.std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * 60_000))
    assert abs(matrix.mean()) < 4 * 0.02 / np.sqrt(60_000)


def test_a_strong_spike_lies_where_bbp_say_and_a_weak_one_in_the_bulk():
    rng = np.random.default_rng(0)
    aspect = 0.25
    for strength in (1.0, 3.0):
        top = [np.linalg.norm(spiked_matrix(100, 400, strengths=[strength], rng=rng), 2) ** 2 / 400 for _ in range(60)]
        error = (1 + strength) * np.sqrt(2 / 400 / 60)
        assert np.mean(top) == pytest.approx(spike_position(strength, aspect), abs=4 * error + 0.02)
    assert spike_position(0.2, aspect) == pytest.approx(2.25)
    assert spike_position(0.5, aspect, variance=2) == pytest.approx(4.5)  # at the threshold: the edge


def test_pareto_entries_have_their_tail_and_no_preferred_sign():
    entries = pareto_matrix(300, 300, tail_index=1.2, rng=np.random.default_rng(0)).ravel()
    assert np.log(np.abs(entries)).mean() == pytest.approx(1 / 1.2, rel=4 / 300)
    assert abs((entries > 0).mean() - 0.5) < 4 * 0.5 / 300
    assert np.abs(entries).min() >= 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda rng: gaussian_matrix(0, 3, rng=rng), "sizes and scale must be positive; got 0 × 3"),
        (lambda rng: pareto_matrix(3, 3, tail_index=0, rng=rng), "sizes and scale must be positive"),
        (lambda rng: spiked_matrix(2, 3, strengths=[1, 1, 1], rng=rng), "strengths must be at most 2 numbers above −1"),
        (lambda rng: spiked_matrix(2, 3, strengths=[-1.5], rng=rng), "strengths must be at most 2 numbers above −1"),
        (lambda rng: spike_position(0.0, 1.0), "strength, aspect and variance must be positive; got 0"),
    ],
)
def test_wrong_sizes_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(np.random.default_rng(0))
