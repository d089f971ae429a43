"""Spectra and key frequencies over ℤ_p.

Only this file sees: a wrong normalization of the shares (explicit projections on written-out cosines, odd and even p),
a Gini coefficient of the wrong vector, a wrong closed-form null (simulated white noise), and a frequency lost at p/2.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from phasescope.measures.fourier import embedding_spectrum, key_frequencies, table_spectrum
from phasescope.measures.fourier_basis import gini


def waves(p: int, frequencies: list[int], amplitudes: list[float] | None = None) -> NDArray[np.float64]:
    """Logits Σ_k A_k cos(w_k(a + b − c))."""
    a, b, c = np.ogrid[:p, :p, :p]
    heights = amplitudes or [1.0] * len(frequencies)
    parts = [h * np.cos(2 * np.pi * k * (a + b - c) / p) for k, h in zip(frequencies, heights, strict=True)]
    return np.sum(parts, axis=0)


def explicit_directions(p: int, k: int, sign: int) -> list[NDArray[np.float64]]:
    """The unit vectors cos(w_k(a ± b)), sin(w_k(a ± b)) over all p² pairs, written out."""
    directions = []
    for wave in (np.cos, np.sin):
        vector = np.array([wave(2 * np.pi * k * (a + sign * b) / p) for a in range(p) for b in range(p)])
        if np.linalg.norm(vector) > 1e-6:  # sin is zero everywhere at k = p/2
            directions.append(vector / np.linalg.norm(vector))
    return directions


def circles(p: int, frequencies: list[int]) -> NDArray[np.float64]:
    angles = 2 * np.pi * np.outer(np.arange(p), frequencies) / p
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize("p", [7, 8])
@pytest.mark.parametrize(("direction", "sign"), [("sum", 1), ("difference", -1)])
def test_shares_equal_explicit_projections(p, direction, sign):
    table = np.random.default_rng(p).normal(size=(p, p, 5))
    flat = table.reshape(p * p, 5) - table.mean(axis=(0, 1))
    expected = [
        sum(((direction_ @ flat) ** 2).sum() for direction_ in explicit_directions(p, k, sign)) / (flat**2).sum()
        for k in range(1, p // 2 + 1)
    ]
    spectrum = table_spectrum(table, direction=direction)
    np.testing.assert_allclose(spectrum.share, [0.0, *expected], atol=1e-12)
    assert spectrum.estimate == pytest.approx(sum(expected))


@pytest.mark.parametrize("p", [11, 12])
def test_embedding_power_sums_to_the_squared_norm(p):
    embedding = np.random.default_rng(0).normal(size=(p, 4)) + 3
    spectrum = embedding_spectrum(embedding)
    assert spectrum.power.sum() == pytest.approx((embedding**2).sum())
    assert len(spectrum.component_norms) == p - 1
    assert (spectrum.component_norms**2).sum() == pytest.approx(spectrum.power[1:].sum())
    assert spectrum.share.sum() == pytest.approx(1.0)


def test_gini_of_one_circle_is_that_of_two_equal_components():
    spectrum = embedding_spectrum(circles(23, [4]))
    assert spectrum.estimate == pytest.approx(1 - 2 / 22)
    assert spectrum.share[4] == pytest.approx(1.0)


def test_gini_equals_half_the_mean_absolute_difference_over_the_mean():
    values = np.random.default_rng(1).gamma(0.7, size=30)
    assert gini(values) == pytest.approx(np.abs(values[:, None] - values).mean() / (2 * values.mean()))
    assert gini(np.ones(5)) == pytest.approx(0.0)
    assert gini(np.eye(8)[0]) == pytest.approx(1 - 1 / 8)


def test_gini_of_gaussian_embeddings_falls_in_its_null_band_95_percent_of_the_time():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(300):
        spectrum = embedding_spectrum(rng.normal(size=(59, 16)), rng=rng, n_null=400)
        low, high = spectrum.null_interval
        inside += low <= spectrum.estimate <= high
    assert 0.95 - 0.04 < inside / 300 < 0.95 + 0.04


def test_null_band_of_white_noise_tables_is_the_simulated_one():
    rng = np.random.default_rng(3)
    shares = np.array([table_spectrum(rng.normal(size=(11, 11, 4))).estimate for _ in range(600)])
    spectrum = table_spectrum(rng.normal(size=(11, 11, 4)))
    assert shares.mean() == pytest.approx(spectrum.null, abs=4 * shares.std() / np.sqrt(600))
    low, high = spectrum.null_interval
    assert 0.92 < ((low <= shares) & (shares <= high)).mean() < 0.98


def test_largest_share_of_white_noise_exceeds_the_null_share_in_5_percent_of_tables():
    rng = np.random.default_rng(4)
    for method in ("logit_variance", "neuron_argmax"):
        results = [key_frequencies(rng.normal(size=(11, 11, 3)), method=method) for _ in range(500)]
        exceeding = np.mean([result.share.max() > result.null_share for result in results])
        assert 0.02 < exceeding < 0.085, method


@pytest.mark.parametrize(("p", "keys"), [(13, [3, 5]), (59, [2, 11, 17, 29]), (16, [1, 8])])
def test_hand_built_logits_give_back_their_keys(p, keys):
    noise = 0.1 * np.random.default_rng(0).normal(size=(p, p, p))
    found = key_frequencies(waves(p, keys) + noise, threshold=0.05)
    assert found.keys.tolist() == keys
    assert found.estimate > 0.95
    assert found.caveats == ()


def test_two_percent_of_the_variance_is_the_default_threshold():
    # Shares of A² / ΣA²: 0.0215 and 0.0185 of the total beside one strong frequency.
    strong, above, below = 1.0, np.sqrt(0.0215 / 0.96), np.sqrt(0.0185 / 0.96)
    found = key_frequencies(waves(31, [4, 7, 9], [strong, above, below]))
    assert found.keys.tolist() == [4, 7]
    assert found.threshold == 0.02


def test_subtraction_needs_the_other_direction():
    a, b, c = np.ogrid[:13, :13, :13]
    table = np.cos(2 * np.pi * 4 * (a - b - c) / 13)
    assert key_frequencies(table, direction="difference").keys.tolist() == [4]
    assert key_frequencies(table).keys.tolist() == []


@pytest.mark.parametrize("p", [9, 10])
def test_neuron_argmax_equals_explicit_projection_on_eight_products(p):
    rng = np.random.default_rng(p)
    neurons = rng.normal(size=(p, p, 6))
    flat = neurons.reshape(p * p, 6) - neurons.mean(axis=(0, 1))
    explained = np.zeros((p // 2 + 1, 6))
    t = np.arange(p)
    for k in range(1, p // 2 + 1):
        basis = np.array([np.ones(p), np.cos(2 * np.pi * k * t / p), np.sin(2 * np.pi * k * t / p)])
        products = np.array([np.outer(x, y).ravel() for x in basis for y in basis][1:])
        kept = products[np.linalg.norm(products, axis=1) > 1e-6]
        kept /= np.linalg.norm(kept, axis=1, keepdims=True)
        explained[k] = ((kept @ flat) ** 2).sum(axis=0)
    result = key_frequencies(neurons, method="neuron_argmax")
    np.testing.assert_allclose(result.share, explained.sum(axis=1) / (flat**2).sum(), atol=1e-12)
    assert result.keys.tolist() == np.unique(explained.argmax(axis=0)).tolist()


def test_neuron_argmax_names_a_frequency_for_every_neuron_even_in_noise():
    noise = np.random.default_rng(0).normal(size=(23, 23, 64))
    assert len(key_frequencies(noise, method="neuron_argmax").keys) >= 9
    assert key_frequencies(noise, method="neuron_argmax", threshold=0.5).keys.tolist() == []
    assert key_frequencies(noise).keys.tolist() == []


def test_neuron_argmax_says_which_keys_noise_would_name_too():
    rng = np.random.default_rng(4)
    noisy = [key_frequencies(rng.normal(size=(23, 23, 40)), method="neuron_argmax") for _ in range(20)]
    assert sum(f"keys {result.keys.tolist()} hold less" in result.caveats[0] for result in noisy) >= 17
    a, b = np.ogrid[:23, :23]
    neuron = np.cos(2 * np.pi * 5 * a / 23) * np.cos(2 * np.pi * 5 * b / 23) + 0.3 * rng.normal(size=(23, 23))
    assert key_frequencies(neuron[:, :, None], method="neuron_argmax").caveats == ()


def test_constant_neurons_are_left_out_and_counted():
    neurons = np.random.default_rng(0).normal(size=(9, 9, 4))
    neurons[:, :, 1] = 2.5
    result = key_frequencies(neurons, method="neuron_argmax")
    assert result.caveats[0] == "1 of 4 neurons are constant and name no frequency"


def test_a_key_below_the_noise_level_gets_a_caveat():
    result = key_frequencies(np.random.default_rng(1).normal(size=(7, 7, 2)))
    assert result.keys.size
    assert "may be noise" in result.caveats[0]


@given(st.integers(3, 16), st.floats(1e-3, 1e3), st.integers(0, 15), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_shares_ignore_scale_shift_of_the_inputs_and_rotation_of_the_outputs(p, scale, shift, seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(p, p, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    changed = scale * np.roll(table, shift, axis=0) @ rotation + rng.normal(size=3)
    np.testing.assert_allclose(table_spectrum(changed).share, table_spectrum(table).share, atol=1e-10)


def test_torch_tensors_and_arrays_give_the_same():
    torch = pytest.importorskip("torch")
    table = waves(9, [2]).astype(np.float32)
    tensor = torch.tensor(table, requires_grad=True)
    np.testing.assert_array_equal(table_spectrum(tensor).share, table_spectrum(table).share)
    half = embedding_spectrum(torch.ones(5, 2, dtype=torch.bfloat16).cumsum(0))
    assert half.estimate == embedding_spectrum(np.arange(1.0, 6)[:, None] * [1.0, 1.0]).estimate


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: embedding_spectrum(np.ones((5, 3))), "all 5 rows of embedding are equal"),
        (lambda: embedding_spectrum(np.zeros((5, 3))), "all 5 rows of embedding are equal"),
        (lambda: embedding_spectrum(np.ones((2, 3))), "p ≥ 3"),
        (lambda: embedding_spectrum(np.ones(5)), "2 non-empty axes"),
        (lambda: table_spectrum(np.ones((5, 5, 3))), "does not depend on"),
        (lambda: table_spectrum(np.ones((5, 4, 3))), r"shape \(p, p, n\)"),
        (lambda: table_spectrum(np.full((5, 5, 3), np.nan)), "75 NaN or infinite entries of 75"),
        (lambda: table_spectrum(waves(5, [1]), direction="product"), "direction is"),
        (lambda: key_frequencies(waves(5, [1]), method="norm"), "method is"),
        (lambda: gini([-1.0, 2.0]), "values ≥ 0"),
    ],
)
def test_a_wrong_call_says_what_is_needed(call, message):
    with pytest.raises(ValueError, match=message):
        call()
