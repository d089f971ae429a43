"""AdamW on stacked parameters, with one learning rate and one weight decay per run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class StackedAdamW:
    """Decoupled weight decay on every parameter, bias-corrected moments; run r uses row r of every column.

    Reference: Loshchilov & Hutter (2019), arXiv 1711.05101, algorithm 2, with linear warm-up of the learning rate.

    Args:
        parameters: Stacked parameters by name, each `(n_runs, …)`; changed in place.
        learning_rate: Shape `(n_runs,)`.
        weight_decay: Shape `(n_runs,)`.
        betas: Decay of the first and second moment.
        epsilon: Added to the root of the second moment.
        warmup: Steps over which the learning rate rises linearly from 1/warmup of its value; 0 for none.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        *,
        learning_rate: Tensor,
        weight_decay: Tensor,
        betas: tuple[float, float],
        epsilon: float,
        warmup: int,
    ) -> None:
        self.parameters = dict(parameters)
        self.first = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.second = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.betas = betas
        self.epsilon = epsilon
        self.warmup = warmup

    def step(self, gradients: Mapping[str, Tensor], step: int) -> None:
        """One update; `step` counts from 1."""
        beta1, beta2 = self.betas
        rate = self.learning_rate * min(1.0, step / self.warmup) if self.warmup else self.learning_rate
        keep = 1 - rate * self.weight_decay
        size = rate / (1 - beta1**step)
        second_correction = (1 - beta2**step) ** 0.5
        for name, value in self.parameters.items():
            gradient, first, second = gradients[name], self.first[name], self.second[name]
            column = (-1,) + (1,) * (value.ndim - 1)
            first.lerp_(gradient, 1 - beta1)
            second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            update = second.sqrt().div_(second_correction).add_(self.epsilon)
            torch.div(first, update, out=update)
            value.mul_(keep.view(column)).sub_(update.mul_(size.view(column)))
