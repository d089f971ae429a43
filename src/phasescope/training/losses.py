"""Cross-entropy whose smallest values and gradients float32 does not quantize."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _MarginCrossEntropy(torch.autograd.Function):
    """See `cross_entropy`; the gradient is formed in the forward pass, where its parts are at hand."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        index = labels.unsqueeze(-1)
        top = logits.amax(-1, keepdim=True)
        odds = (logits - top).exp_()
        correct = odds.gather(-1, index)
        odds.scatter_(-1, index, 0.0)
        rest = odds.sum(-1, keepdim=True)
        total = rest + correct
        # log1p keeps the digits of a small rest; where the correct class nears underflow, the plain form has them.
        losses = torch.where(
            correct > 1e-30, torch.log1p(rest / correct), top - logits.gather(-1, index) + torch.log(total)
        ).squeeze(-1)
        if ctx.needs_input_grad[0]:
            gradient = odds.scatter_(-1, index, -rest).mul_(weights.unsqueeze(-1) / total)
            ctx.save_for_backward(gradient)
        return (losses * weights).sum(-1)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(upstream[0][..., None, None]), None, None  # in place: it is nobody else's


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of cross-entropies over rows, by way of the odds against the correct class.

    −log p_y = log(1 + Σ_{j≠y} exp(l_j − l_y)). The usual log-softmax subtracts two numbers of the size of the logits,
    so in float32 losses below about 1e-7 become exactly zero, and with them the gradient of the correct class
    ("softmax collapse", Prieto et al. 2025, arXiv 2501.04697). Here the sum leaves out the correct class, nothing
    cancels, and both stay accurate to about 1e-6 relative down to 1e-37, without a float64 copy of the logits.

    Args:
        logits: Shape `(n_runs, n_rows, n_classes)`.
        labels: Correct classes, shape `(n_runs, n_rows)`.
        weights: Weight of each row, shape `(n_runs, n_rows)`: 1/n_train on training rows and 0 on padding gives means.

    Returns:
        Loss per run in nats, shape `(n_runs,)`.
    """
    losses: Tensor = _MarginCrossEntropy.apply(logits, labels, weights)
    return losses
