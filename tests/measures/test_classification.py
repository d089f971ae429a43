"""Scores of logits, against their definitions in double precision.

Only this file sees: a Brier score that forgets the wrong classes, a tie counted as right, and digits lost in float32.
"""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phasescope.measures.classification import SCORES, classification_scores

logits_strategy = arrays(np.float64, (6, 5), elements=st.floats(-40, 40))
labels = np.array([0, 4, 2, 1, 3, 3])


def by_definition(logits):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    onehot = np.eye(logits.shape[1])[labels]
    rest = np.where(onehot == 1, 0, p).sum(1)
    return {
        "accuracy": (logits[rows, labels] > others.max(1)).astype(float),
        "loss": np.log1p(rest / p[rows, labels]),
        "brier": ((p - onehot) ** 2).sum(1),
        "margin": logits[rows, labels] - others.max(1),
        "log_odds": np.log(p[rows, labels] / rest),
    }


@given(logits_strategy)
def test_scores_are_their_definitions(logits):
    scores = classification_scores(torch.tensor(logits), torch.tensor(labels))
    assert tuple(scores) == SCORES
    for name, expected in by_definition(logits).items():
        assert np.allclose(scores[name].numpy(), expected, rtol=1e-7, atol=1e-14), name


@given(logits_strategy, st.floats(-100, 100))
def test_adding_a_constant_to_all_logits_changes_nothing(logits, constant):
    one = classification_scores(torch.tensor(logits), torch.tensor(labels))
    two = classification_scores(torch.tensor(logits + constant), torch.tensor(labels))
    for name in ("loss", "brier", "log_odds"):
        assert torch.allclose(one[name], two[name], rtol=1e-8, atol=1e-10)


def test_a_tie_is_not_an_answer():
    scores = classification_scores(torch.zeros(1, 4), torch.tensor([0]))
    assert scores["accuracy"].item() == 0


def test_float32_keeps_small_losses():
    scores = classification_scores(torch.tensor([[40.0, 0.0, 0.0]]), torch.tensor([0]))
    assert abs(scores["loss"].item() / (2 * np.exp(-40.0)) - 1) < 1e-5
    assert abs(scores["log_odds"].item() - (40 - np.log(2))) < 1e-5


def test_leading_axes_are_kept():
    logits = torch.randn(3, 2, 6, 5, generator=torch.Generator().manual_seed(0))
    stacked = classification_scores(logits, torch.tensor(labels).expand(3, 2, 6))
    alone = classification_scores(logits[1, 0], torch.tensor(labels))
    for name in SCORES:
        assert torch.equal(stacked[name][1, 0], alone[name])
