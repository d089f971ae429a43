"""What an optimizer is about to use: norm and non-finite elements of each parameter's gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from phasescope.recorders.norms import euclidean_norm


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientReading:
    """Scalars on the gradients' own devices, in the order of the parameters; `None` where there is no gradient."""

    norms: list[Tensor | None]
    nonfinite: list[Tensor | None]  # number of NaN and infinite elements


def read_gradients(parameters: Sequence[Tensor], *, scale: Tensor | None = None) -> GradientReading:
    """Reduce each parameter's gradient to its norm and the number of its non-finite elements.

    Sparse gradients count with duplicates summed, as optimizers apply them. Nothing is written to the gradients.

    Args:
        parameters: The parameters whose `.grad` is read.
        scale: What the loss was multiplied by where the optimizer itself divides it out (fused optimizers under a
            GradScaler), shape `()`; the norms are divided by it.

    Returns:
        The norms and counts.
    """
    norms: list[Tensor | None] = []
    nonfinite: list[Tensor | None] = []
    for parameter in parameters:
        if parameter.grad is None:
            norms.append(None)
            nonfinite.append(None)
            continue
        elements = _elements(parameter.grad.detach())
        norm = euclidean_norm(elements)
        nonfinite.append(_nonfinite_elements(elements, norm))
        norms.append(norm if scale is None else norm / scale.to(norm.device))
    return GradientReading(norms=norms, nonfinite=nonfinite)


def _elements(gradient: Tensor) -> Tensor:
    if gradient.layout == torch.strided:
        return gradient
    return gradient.coalesce().values() if gradient.layout == torch.sparse_coo else gradient.values()


def _nonfinite_elements(elements: Tensor, norm: Tensor) -> Tensor:
    # A finite norm means finite elements. Only a CPU can ask that without waiting for the device.
    if elements.device.type == "cpu" and torch.isfinite(norm):
        return torch.zeros((), dtype=torch.int64)
    return torch.count_nonzero(elements - elements)  # x − x is 0, or NaN where x is NaN or infinite
