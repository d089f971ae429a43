"""Euclidean norms of large tensors, good to 1e-6, and their way to the host in one transfer per device.

`torch.linalg.vector_norm` sums float32 on a CPU without compensation: on normal data it is low by 4e-4 at 10 million
elements and by 1 % at 100 million. Norms of blocks, then the norm of those, cost the same and lose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BLOCK = 1024  # elements whose squares are summed in one go; the error grows with it, the cost does not fall


def euclidean_norm(values: Tensor) -> Tensor:
    """Euclidean norm of all elements, on the tensor's own device and without waiting for it.

    Args:
        values: Dense tensor of any shape and floating or complex type; half precision is summed in float32.

    Returns:
        A real scalar tensor, float64 for float64 and complex128, else float32.
    """
    if values.is_complex():
        values = torch.view_as_real(values.resolve_conj())
    dtype = torch.float64 if values.dtype == torch.float64 else torch.float32
    flat = values.reshape(-1)
    n_whole = flat.numel() // _BLOCK * _BLOCK
    if n_whole == 0:
        norm: Tensor = torch.linalg.vector_norm(flat, dtype=dtype)
        return norm
    blocks = torch.linalg.vector_norm(flat[:n_whole].view(-1, _BLOCK), dim=1, dtype=dtype)
    if n_whole < flat.numel():
        blocks = torch.cat([blocks, torch.linalg.vector_norm(flat[n_whole:], dtype=dtype)[None]])
    return euclidean_norm(blocks)


def to_host(scalars: Sequence[Tensor]) -> NDArray[np.float64]:
    """Bring scalar tensors of any device and type to the host: one transfer, so one wait, per device.

    Args:
        scalars: Real tensors of shape `()`.

    Returns:
        Their values in the given order, shape `(n_scalars,)`.
    """
    values = np.empty(len(scalars), dtype=np.float64)
    places: dict[torch.device, dict[torch.dtype, list[int]]] = {}
    for place, scalar in enumerate(scalars):
        places.setdefault(scalar.device, {}).setdefault(scalar.dtype, []).append(place)
    for device, by_dtype in places.items():
        wide = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        stacks = [torch.stack([scalars[place] for place in found]).to(wide) for found in by_dtype.values()]
        values[[place for found in by_dtype.values() for place in found]] = torch.cat(stacks).cpu().numpy()
    return values


def combined_norm(norms: NDArray[np.float64]) -> float:
    """Norm of a vector from the norms of its parts, shape `(n_parts,)`."""
    return float(np.sqrt(np.square(norms).sum()))
