"""Stacked networks against plain transcriptions of their papers.

Only this file sees: a tabulated transformer that is not the textbook one, runs that leak into each other, and a gather
whose gradient misses repeated rows.
"""

import math

import numpy as np
import pytest
import torch

from phasescope.training.models import EmbeddingMLP, Transformer, take_rows

P = 11
MODELS = {
    "square": EmbeddingMLP(P, 16),
    "relu": EmbeddingMLP(P, 16, "relu"),
    "linear": EmbeddingMLP(P, 16, "relu", embedding_dim=6),
    "transformer": Transformer(P, dim=12, n_heads=3, mlp_width=20),
}


def stacked_parameters(model, n_runs=3):
    draws = [model.initialize(np.random.default_rng(seed)) for seed in range(n_runs)]
    for seed, draw in enumerate(draws):  # biases that are zero would hide that they are used
        for name in draw:
            if name.endswith("bias"):
                draw[name] = np.random.default_rng([seed, 1]).standard_normal(draw[name].shape)
    return {name: torch.from_numpy(np.stack([draw[name] for draw in draws])) for name in model.shapes()}


def random_rows(n_runs=3, n_rows=50):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(P, (2, n_runs, n_rows), generator=generator)


def textbook_mlp(model, w, a, b):
    summed = w["left_embedding"][a] + w["right_embedding"][b]
    if "hidden" in w:
        summed = summed @ w["hidden"]
    return (summed**2 if model.activation == "square" else summed.clamp(min=0)) @ w["output"]


def textbook_transformer(model, w, a, b):
    """All three positions, causal mask and all, one head at a time, as in a lecture."""
    tokens = torch.stack([a, b, torch.full_like(a, P)], dim=1)
    stream = w["embedding"][tokens] + w["position"]
    causal = torch.triu(torch.full((3, 3), -torch.inf, dtype=stream.dtype), diagonal=1)
    width = model.dim // model.n_heads
    heads = []
    for head in range(model.n_heads):
        columns = slice(head * width, (head + 1) * width)
        q, k, v = (stream @ w[name][:, columns] for name in ("query", "key", "value"))
        heads.append(torch.softmax(q @ k.transpose(1, 2) / math.sqrt(width) + causal, dim=-1) @ v)
    stream = stream + torch.cat(heads, dim=-1) @ w["attention_output"]
    hidden = (stream @ w["mlp_in"] + w["mlp_in_bias"]).clamp(min=0)
    stream = stream + hidden @ w["mlp_out"] + w["mlp_out_bias"]
    return (stream @ w["unembedding"])[:, -1]


@pytest.mark.parametrize("name", MODELS)
def test_logits_and_gradients_are_those_of_the_textbook_form_run_by_run(name):
    model = MODELS[name]
    stacked = stacked_parameters(model)
    left, right = random_rows()
    leaves = {key: value.clone().requires_grad_() for key, value in stacked.items()}
    logits = model.logits(leaves, left, right)
    logits.logsumexp(-1).sum().backward()
    textbook = textbook_transformer if name == "transformer" else textbook_mlp
    for run in range(3):
        alone = {key: value[run].clone().requires_grad_() for key, value in stacked.items()}
        expected = textbook(model, alone, left[run], right[run])
        assert torch.allclose(logits[run], expected, rtol=1e-11, atol=1e-12)
        expected.logsumexp(-1).sum().backward()
        for key, value in alone.items():
            expected = torch.zeros_like(value) if value.grad is None else value.grad
            assert torch.allclose(leaves[key].grad[run], expected, rtol=1e-9, atol=1e-11), key


@pytest.mark.parametrize("name", MODELS)
def test_logits_of_embedding_vectors_are_those_of_their_tokens(name):
    model = MODELS[name]
    parameters = stacked_parameters(model, n_runs=1)
    left, right = random_rows(n_runs=1)
    if name == "transformer":
        tables = [parameters["embedding"][0]] * 2
    else:
        tables = [parameters["left_embedding"][0], parameters["right_embedding"][0]]
    logits = model.logits_of_embeddings(parameters, tables[0][left[0]], tables[1][right[0]])
    assert torch.allclose(logits, model.logits(parameters, left, right)[0], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_entries_are_drawn_with_variance_one_over_fan_in(name):
    model = MODELS[name]
    big = type(model)(**{f: getattr(model, f) for f in model.__slots__} | {"modulus": 97})
    draw = big.initialize(np.random.default_rng(0))
    assert {key: value.shape for key, value in draw.items()} == big.shapes()
    for key, value in draw.items():
        if key.endswith("bias"):
            assert not value.any()
            continue
        embeds = key in ("left_embedding", "right_embedding", "embedding", "position")
        variance = 1 / (value.shape[1] if embeds else value.shape[0])
        # The mean of n squared normals has relative standard deviation √(2/n).
        assert abs((value**2).mean() / variance - 1) < 4.5 * math.sqrt(2 / value.size), key


def test_gathering_the_same_row_twice_adds_both_gradients():
    table = torch.zeros(2, 3, 1, requires_grad=True)
    take_rows(table, torch.tensor([[0, 0, 2], [1, 1, 1]])).sum().backward()
    assert table.grad[:, :, 0].tolist() == [[2, 0, 1], [0, 3, 0]]


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="must be a multiple of the number of heads"):
        Transformer(11, dim=10, n_heads=4, mlp_width=8)


def test_an_unknown_activation_suggests_near_ones():
    with pytest.raises(ValueError, match=r"no activation named 'sqare'; closest names: \['square'\]"):
        EmbeddingMLP(11, 8, "sqare")
