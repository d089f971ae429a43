"""Only this sees a verdict that calls noise a tail, a spike of the wrong strength, or a matrix read the wrong way.

Truths: noise, planted spikes, low rank, heavy-tailed entries, and summaries of spectra written down by hand.
"""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phasescope.measures.matrix_spectrum import matrix_spectrum, spike_strength
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix, spike_position, spiked_matrix


def analyzed(weight, **options):
    return matrix_spectrum(weight, rng=np.random.default_rng(9), **options)


ENTRIES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "sign": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "dropout": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.5),
}


@pytest.mark.parametrize("shape", [(50, 50), (100, 300), (300, 100), (60, 5000)])
@pytest.mark.parametrize("entries", ENTRIES)
def test_independent_entries_of_any_law_are_noise(shape, entries):
    """Four moments are enough. At level .01 one matrix in a hundred has a spike of chance, so five are asked."""
    rng = np.random.default_rng(1)
    found = [analyzed(ENTRIES[entries](rng, shape)) for _ in range(5)]
    assert [one.verdict for one in found].count("Marchenko–Pastur, no tail") >= 4
    assert all(one.tail is None and one.n_spikes <= 1 and one.caveats == () for one in found)


def test_the_false_alarm_rate_is_the_level():
    rng = np.random.default_rng(0)
    p = np.array([matrix_spectrum(gaussian_matrix(20, 60, rng=rng), rng=rng).p_value for _ in range(500)])
    for level in (0.5, 0.1, 0.05):
        assert (p < level).mean() == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 500))


def test_spikes_are_counted_and_weighed():
    strengths = [9.0, 5.0, 2.0, 0.2]  # the last one is below the threshold √c = 0.58
    found = analyzed(spiked_matrix(200, 600, strengths=strengths, rng=np.random.default_rng(0)))
    assert found.verdict == "bulk plus 3 spikes"
    assert (np.abs(found.spike_strengths - strengths[:3]) < 3 * found.spike_errors).all()
    assert found.p_value < 1e-100


def test_the_interval_of_a_spike_covers_it():
    rng = np.random.default_rng(0)
    found = [matrix_spectrum(spiked_matrix(60, 200, strengths=[3.0], rng=rng), rng=rng) for _ in range(200)]
    z = np.array([(one.spike_strengths[0] - 3) / one.spike_errors[0] for one in found])
    assert 0.89 <= (np.abs(z) < 1.96).mean() <= 0.99


@given(st.floats(0.01, 1), st.floats(1.01, 50))
def test_a_strength_is_found_back_from_its_position(aspect, excess):
    theta = excess * np.sqrt(aspect)
    assert spike_strength(spike_position(theta, aspect), aspect) == pytest.approx(theta, rel=1e-6)
    assert np.isnan(spike_strength(1.0, aspect))


def test_a_signal_added_to_noise_is_weighed_by_its_singular_value():
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal(300), rng.standard_normal(900)
    signal = 60 * np.outer(left / np.linalg.norm(left), right / np.linalg.norm(right))
    found = analyzed(rng.standard_normal((300, 900)) + signal)
    assert found.n_spikes == 1
    assert found.spike_strengths[0] == pytest.approx(60**2 / 900, rel=0.1)


def test_levy_matrices_are_heavy_tailed_with_the_index_of_their_entries():
    """The goodness of fit rejects one true law in ten, so most of six are asked for."""
    rng = np.random.default_rng(5)
    found = [analyzed(pareto_matrix(900, 900, tail_index=1.0, rng=rng), n_bootstrap=100) for _ in range(6)]
    assert sum(one.verdict.startswith("heavy tail") for one in found) >= 4
    assert np.median([one.tail.estimate for one in found]) == pytest.approx(1.5, abs=0.08)
    assert all(any("no bulk remains" in caveat for caveat in one.caveats) for one in found)
    assert all(any("excess kurtosis" in caveat for caveat in one.caveats) for one in found)
    assert "α =" in str(found[0])


def test_many_spikes_are_no_power_law_while_they_are_few():
    strengths = np.geomspace(2, 100, 40)
    found = analyzed(spiked_matrix(300, 900, strengths=strengths, rng=np.random.default_rng(0)), n_bootstrap=100)
    assert found.verdict == "bulk plus 40 spikes"
    assert "a verdict needs 100 points" in found.reason


def test_summaries_are_those_of_the_singular_values():
    found = analyzed(np.diag([3.0, 2.0, 1.0]))
    assert found.eigenvalues.tolist() == pytest.approx([1 / 3, 4 / 3, 3])
    assert found.participation_ratio == pytest.approx(14**2 / 98)
    shares = np.array([3, 2, 1]) / 6
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_a_matrix_of_low_rank_has_no_bulk():
    rng = np.random.default_rng(0)
    found = analyzed(rng.standard_normal((100, 4)) @ rng.standard_normal((4, 200)))
    assert found.verdict == "no bulk, rank 4"
    assert any("96 of 100 eigenvalues are below" in caveat for caveat in found.caveats)
    assert found.participation_ratio < 4.001


def test_rows_of_unequal_variance_are_said_not_to_be_one_noise():
    rng = np.random.default_rng(0)
    found = analyzed(rng.standard_normal((200, 600)) * np.exp(0.7 * rng.standard_normal((200, 1))))
    assert "not Marchenko–Pastur" in found.verdict
    assert any("the bulk departs from Marchenko–Pastur" in caveat for caveat in found.caveats)


def test_a_quarter_of_the_rows_with_three_times_the_entries_are_spikes():
    """Two populations that separate are spikes, and what is left has the variance of the others."""
    rng = np.random.default_rng(0)
    found = analyzed(rng.standard_normal((200, 600)) * np.r_[np.ones(150), 3 * np.ones(50)][:, None])
    assert found.verdict == "bulk plus 50 spikes"
    assert found.noise_variance == pytest.approx(1, abs=0.02)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-12, 1e12), st.booleans())
def test_neither_unit_nor_orientation_matter(scale, transpose):
    matrix = spiked_matrix(40, 90, strengths=[4.0], rng=np.random.default_rng(0))
    changed = analyzed(scale * (matrix.T if transpose else matrix))
    plain = analyzed(matrix)
    assert changed.verdict == plain.verdict
    assert changed.statistic == pytest.approx(plain.statistic, rel=1e-6)
    assert changed.noise_variance == pytest.approx(scale**2 * plain.noise_variance, rel=1e-9)


def test_single_precision_gives_the_same_answer():
    matrix = torch.randn(200, 500, generator=torch.Generator().manual_seed(0))
    double, single = analyzed(matrix), analyzed(matrix, dtype="float32")
    assert single.verdict == double.verdict
    assert single.p_value == pytest.approx(double.p_value, rel=1e-3)
    assert np.abs(single.eigenvalues - double.eigenvalues).max() <= single.eigenvalue_error
    assert single.eigenvalue_error < 1e-4


def test_a_convolution_is_one_matrix_of_its_outputs():
    kernel = np.random.default_rng(0).standard_normal((32, 16, 3, 3))
    assert analyzed(kernel).shape == (32, 144)


def test_few_eigenvalues_and_a_plain_dictionary():
    found = analyzed(np.random.default_rng(0).standard_normal((6, 9)))
    assert "only 6 eigenvalues" in found.caveats[0]
    kept = found.to_dict()
    assert kept["verdict"] == found.verdict
    assert set(kept) == {"type"} | {field.name for field in dataclasses.fields(found)}


@pytest.mark.parametrize(
    ("weight", "sentence"),
    [
        (np.full((5, 8), np.nan), "weight has 40 NaN or infinite entries of 40"),
        (np.zeros((5, 8)), "weight is 0 in all 40 entries"),
        (np.full((5, 8), 0.3), "weight is 0.3 in all 40 entries"),
        (np.ones((1, 8)), r"at least 2 rows and 2 columns; weight has shape \(1, 8\)"),
        (np.ones((8, 1)), r"at least 2 rows and 2 columns; weight has shape \(8, 1\)"),
        (np.ones(8), "leave out biases, gains and other vectors"),
    ],
)
def test_bad_input_is_a_sentence(weight, sentence):
    with pytest.raises(ValueError, match=sentence):
        analyzed(weight)


def test_bad_options_are_sentences():
    with pytest.raises(ValueError, match="level must lie in"):
        analyzed(np.eye(5), level=0.9)
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator"):
        matrix_spectrum(np.eye(5), rng=0)
