"""Gradient symmetricity and distance irrelevance.

Only this file sees: gradients of left and right mixed up where a = b, an index error in (a + b, a − b), the published
script's use of the best incorrect logit, NaN from a constant correct logit, and intervals that cover too little.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from phasescope.measures.clock_and_pizza import (
    distance_irrelevance,
    gradient_symmetricity,
    symmetricity_of_gradients,
)
from phasescope.synthetic.circuits import circuit


def built(kind, noise=0.01, p=59):
    return circuit(kind, p=p, frequencies=[2, 5, 13, 21], noise=noise, rng=np.random.default_rng(0))


def symmetricity(network, seed=0, n_triples=100):
    rng = np.random.default_rng(seed)
    return gradient_symmetricity(network.logits, network.embedding, network.embedding, n_triples=n_triples, rng=rng)


def test_a_noisy_clock_and_a_noisy_pizza_are_told_apart():
    clock, pizza = built("clock"), built("pizza")
    assert symmetricity(clock).interval[1] < 0.6
    assert symmetricity(pizza).interval[0] > 0.98
    assert distance_irrelevance(clock.table()).interval[0] > 0.7
    assert distance_irrelevance(pizza.table()).interval[1] < 0.4


def test_independent_noise_on_every_logit_gives_the_same_answer():
    noise = 0.01 * np.random.default_rng(0).normal(size=(59, 59, 59))
    assert distance_irrelevance(built("clock", 0.0).table() + noise).interval[0] > 0.7
    assert distance_irrelevance(built("pizza", 0.0).table() + noise).interval[1] < 0.4


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_exact_clock_gets_a_caveat_instead_of_nan(dtype):
    result = distance_irrelevance(built("clock", 0.0).table().astype(dtype))
    assert result.estimate is None
    assert result.interval is None
    assert result.caveats[0].startswith("constant logits")
    assert "caveat: constant logits" in str(result)


def test_clock_symmetricity_is_the_mean_cosine_of_the_angle_between_the_inputs():
    # ∂Q/∂E_a has angle w_k(c − b) in plane k, ∂Q/∂E_b has w_k(c − a): their cosine is mean_k cos w_k(a − b).
    clock = built("clock", 0.0, p=11 * 5)
    triples = np.random.default_rng(3).choice(55**3, size=100, replace=False)
    a, b, _ = np.unravel_index(triples, (55, 55, 55))
    expected = np.mean([np.cos(2 * np.pi * k * (a - b) / 55) for k in clock.frequencies], axis=0)
    result = symmetricity(clock, seed=3)
    np.testing.assert_allclose(result.cosines, expected, atol=1e-12)
    assert result.estimate == pytest.approx(expected.mean())


def test_automatic_gradients_equal_finite_differences():
    pizza = built("pizza", 0.5)
    rows = torch.as_tensor(pizza.embedding)
    triples = np.random.default_rng(0).choice(59**3, size=20, replace=False)
    a, b, c = np.unravel_index(triples, (59, 59, 59))
    h = 1e-6
    gradients = []
    for side in range(2):
        columns = []
        for j in range(rows.shape[1]):
            inputs = [[rows[a].clone(), rows[b].clone()] for _ in range(2)]
            inputs[0][side][:, j] += h
            inputs[1][side][:, j] -= h
            high, low = (pizza.logits(*pair)[np.arange(20), c] for pair in inputs)
            columns.append((high - low) / (2 * h))
        gradients.append(torch.stack(columns, dim=1))
    expected = symmetricity_of_gradients(*gradients)
    result = symmetricity(pizza, n_triples=20)
    np.testing.assert_allclose(result.cosines, expected.cosines, atol=1e-6)
    assert result.estimate < 0.999  # the noise treats left and right differently


def test_parameters_and_embeddings_are_left_untouched():
    layer = torch.nn.Linear(3, 5)
    embedding = torch.nn.Parameter(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
    state = torch.random.get_rng_state()
    with torch.no_grad():
        result = gradient_symmetricity(
            lambda x, y: layer(torch.relu(x + y)), embedding, embedding, rng=np.random.default_rng(0)
        )
    assert result.estimate == pytest.approx(1.0)
    assert layer.weight.grad is None
    assert embedding.grad is None
    assert torch.equal(state, torch.random.get_rng_state())


def test_few_triples_are_all_drawn_and_none_twice():
    embedding = np.random.default_rng(0).normal(size=(3, 2))
    result = gradient_symmetricity(
        lambda x, y: torch.stack([(x * y).sum(1), (x**2 + y).sum(1)], dim=1), embedding, embedding,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert len(result.cosines) == 18


def test_triples_without_gradient_are_left_out_and_counted():
    left = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    result = symmetricity_of_gradients(left, np.ones((3, 2)))
    assert result.n_without_gradient == 1
    assert result.estimate == pytest.approx((1 / np.sqrt(2) + 1) / 2)
    assert "1 of 3 triples" in result.caveats[0]
    nothing = symmetricity_of_gradients(np.zeros((3, 2)), np.ones((3, 2)))
    assert (nothing.estimate, nothing.interval) == (None, None)


def test_interval_ends_are_where_the_skewness_corrected_t_reaches_its_quantile():
    # Hall (1992): T + g T²/(3√n) + g² T³/(27 n) + g/(6√n), with g the skewness, is nearly Student's t.
    n = 40
    cosines = 1 - 2 * np.random.default_rng(0).beta(1, 6, size=n)
    left = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    result = symmetricity_of_gradients(left, np.tile([1.0, 0.0], (n, 1)))
    skewness = ((cosines - cosines.mean()) ** 3).mean() / cosines.std() ** 3
    t = (cosines.mean() - np.array(result.interval)) / (cosines.std(ddof=1) / np.sqrt(n))
    corrected = t + skewness / np.sqrt(n) * (t**2 / 3 + 1 / 6) + skewness**2 * t**3 / (27 * n)
    np.testing.assert_allclose(corrected, [2.0226909, -2.0226909], rtol=1e-6)  # t quantile, 39 degrees of freedom


@pytest.mark.parametrize("n_triples", [50, 100])
def test_symmetricity_interval_covers_the_mean_over_all_triples(n_triples):
    # Cosines of a network between the two: half clock, half pizza, which pile up at 1 with a long tail.
    rng = np.random.default_rng(0)
    truth = 1 - 2 * 0.3 / (0.3 + 40)
    covered = 0
    for _ in range(1000):
        cosines = 1 - 2 * rng.beta(0.3, 40, size=n_triples)
        left = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
        low, high = symmetricity_of_gradients(left, np.tile([1.0, 0.0], (n_triples, 1))).interval
        covered += low <= truth <= high
    assert 0.91 < covered / 1000 < 0.98


def test_irrelevance_equals_the_transcribed_definition_on_the_correct_logit():
    p = 11
    logits = np.random.default_rng(0).normal(size=(p, p, p))
    matrix = np.zeros((p, p))
    for a in range(p):
        for b in range(p):
            matrix[(a + b) % p, (a - b) % p] = logits[a, b, (a + b) % p]
    result = distance_irrelevance(logits)
    np.testing.assert_array_equal(result.correct_logits, matrix)
    assert result.estimate == pytest.approx(np.mean(np.std(matrix, axis=0)) / np.std(matrix.flatten()))
    best_incorrect = logits.copy()
    a, b = np.ogrid[:p, :p]
    best_incorrect[a, b, (a + b) % p] = -np.inf
    assert result.estimate != pytest.approx(np.std(best_incorrect.max(axis=2)), abs=1e-3)


def test_for_subtraction_sum_and_difference_change_places():
    p = 13
    logits = np.random.default_rng(0).normal(size=(p, p, p))
    mirrored = logits[:, -np.arange(p) % p]  # b → −b turns a − b into a + b
    assert distance_irrelevance(logits, direction="difference").estimate == pytest.approx(
        distance_irrelevance(mirrored).estimate
    )


def test_irrelevance_ignores_scale_shift_and_dtype():
    logits = np.random.default_rng(0).normal(size=(13, 13, 13))
    reference = distance_irrelevance(logits)
    changed = distance_irrelevance(torch.as_tensor(3 * logits + 5))
    assert changed.estimate == pytest.approx(reference.estimate)
    assert changed.interval == pytest.approx(reference.interval)


def test_irrelevance_interval_covers_the_ratio_of_many_distances():
    # Columns drawn from one law; truth from 20,000 of them. Each distance d comes with −d, equal to it.
    rng = np.random.default_rng(0)
    p = 23

    def columns(n):
        mean = np.abs(np.cos(rng.uniform(0, np.pi, (n, 3)))).sum(axis=1)
        return mean + 0.5 * rng.gamma(3, 1 / 3, n) * rng.normal(size=(p, n))

    many = columns(20_000)
    truth = many.std(axis=0).mean() / many.std()
    a, b = np.ogrid[:p, :p]
    covered = 0
    for _ in range(400):
        half = columns((p + 1) // 2)
        matrix = np.concatenate([half, half[:, :0:-1]], axis=1)
        logits = np.zeros((p, p, p))
        logits[a, b, (a + b) % p] = matrix[(a + b) % p, (a - b) % p]
        low, high = distance_irrelevance(logits).interval
        covered += low <= truth <= high
    assert 0.91 < covered / 400 < 0.98


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance_irrelevance(np.ones((8, 8, 8))), "odd p"),
        (lambda: distance_irrelevance(np.ones((9, 9, 5))), "at least p classes"),
        (lambda: distance_irrelevance(np.ones((9, 9, 9)), direction="x"), "direction is"),
        (lambda: symmetricity_of_gradients(np.ones((3, 2)), np.ones((2, 2))), "pairs of equal shape"),
        (
            lambda: gradient_symmetricity(
                lambda x, y: x, np.ones((3, 2)), np.ones((3, 4)), rng=np.random.default_rng()
            ),
            "equal width",
        ),
    ],
)
def test_a_wrong_call_says_what_is_needed(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_interval_of_irrelevance_is_the_literal_jackknife_over_distances():
    table = np.random.default_rng(11).normal(size=(11, 11, 11))
    result = distance_irrelevance(table)
    logits = result.correct_logits  # (s, d)

    def log_odds(kept):
        part = logits[:, kept]
        ratio = part.std(axis=0).mean() / part.std()
        return np.log(ratio / (1 - ratio))

    pairs = [{0}, *({d, 11 - d} for d in range(1, 6))]
    n = len(pairs)
    without = np.array([log_odds([d for d in range(11) if d not in pair]) for pair in pairs])
    center = n * log_odds(range(11)) - (n - 1) * without.mean()
    error = math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    ends = center + 2.570582 * error * np.array([-1.0, 1.0])  # Student's t with 5 degrees of freedom at 97.5 %
    np.testing.assert_allclose(result.interval, 1 / (1 + np.exp(-ends)), rtol=1e-6)
