"""Cross-entropy by way of the odds.

Only this file sees: digits lost to float32 where the usual form returns exactly zero, and a gradient that does not
belong to the loss.
"""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phasescope.training.losses import cross_entropy


def rows(logits, labels):
    weights = torch.full((1, len(labels)), 1 / len(labels), dtype=torch.float64)
    return torch.tensor(logits).unsqueeze(0), torch.tensor([labels]), weights


@given(arrays(np.float64, (5, 4), elements=st.floats(-700, 700)))
def test_equals_log_softmax_in_double_precision(logits):
    labels = [0, 1, 2, 3, 1]
    stacked, targets, weights = rows(logits, labels)
    expected = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels))
    assert torch.allclose(cross_entropy(stacked, targets, weights)[0], expected, rtol=1e-10, atol=1e-12)


@given(arrays(np.float64, (3, 4), elements=st.floats(-30, 30)))
def test_gradient_is_that_of_autograd(logits):
    stacked, targets, weights = rows(logits, [0, 3, 2])
    ours = stacked.clone().requires_grad_()
    cross_entropy(ours, targets, weights).sum().backward()
    theirs = torch.tensor(logits, requires_grad=True)
    torch.nn.functional.cross_entropy(theirs, targets[0]).backward()
    assert torch.allclose(ours.grad[0], theirs.grad, rtol=1e-9, atol=1e-15)


def test_float32_keeps_the_digits_that_log_softmax_drops():
    logits = np.float32([[30.0, 0.0, -1.0], [60.0, 0.0, 3.0], [83.0, 0.0, 0.0]])
    stacked, targets, weights = rows(logits, [0, 0, 0])
    assert torch.nn.functional.cross_entropy(stacked[0], targets[0]) == 0
    exact = rows(logits.astype(np.float64), [0, 0, 0])[0].requires_grad_()
    ours = stacked.clone().requires_grad_()
    for row in range(3):
        one_row = torch.zeros(1, 3)
        one_row[0, row] = 1
        loss = cross_entropy(ours, targets, one_row)
        odds = np.exp(np.delete(logits[row].astype(float), 0) - float(logits[row, 0])).sum()
        assert abs(loss.item() / np.log1p(odds) - 1) < 2e-6
    cross_entropy(ours, targets, weights).sum().backward()
    cross_entropy(exact, targets, weights).sum().backward()
    assert torch.all(ours.grad[0, :, 0] < 0)
    assert torch.allclose(ours.grad.double() / exact.grad, torch.ones(()).double(), rtol=1e-5)


def test_a_hopeless_row_has_the_loss_of_its_logit_gap():
    stacked, targets, weights = rows(np.float32([[-500.0, 0.0]]), [0])
    assert cross_entropy(stacked, targets, weights).item() == 500.0


def test_padding_rows_change_nothing():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 6, 5, generator=generator)
    labels = torch.randint(5, (2, 6), generator=generator)
    weights = torch.full((2, 6), 1 / 4)
    weights[:, 4:] = 0
    shorter = cross_entropy(logits[:, :4], labels[:, :4], weights[:, :4])
    assert torch.equal(cross_entropy(logits, labels, weights), shorter)
