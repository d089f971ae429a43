"""What a measure is handed: NumPy arrays, torch tensors or nested lists, turned into checked float64 arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Measures square and multiply what they are handed; within these bounds nothing overflows or vanishes.
LARGEST, SMALLEST = 1e60, 1e-60


def as_numpy(value: ArrayLike) -> NDArray[Any]:
    """The array behind `value`; a torch tensor is detached, brought to the CPU and, if bfloat16, widened."""
    tensor: Any = value
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":
            tensor = tensor.float()
        return np.asarray(tensor.numpy())
    return np.asarray(value)


def as_finite(value: ArrayLike, *, name: str, ndim: int) -> NDArray[np.float64]:
    """The array as float64, checked to have `ndim` axes, at least one element and only finite, workable numbers.

    Raises:
        ValueError: With the name, what is needed and what arrived.
    """
    array = as_numpy(value)
    if np.iscomplexobj(array):
        raise ValueError(f"{name} must be real numbers; complex ones arrived: take their modulus or real part")
    if array.ndim != ndim or array.size == 0:
        raise ValueError(f"{name} needs {ndim} non-empty axes; its shape is {array.shape}")
    array = array.astype(np.float64, copy=False)
    n_bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if n_bad:
        raise ValueError(f"{name} has {n_bad} NaN or infinite entries of {array.size}; leave out what diverged")
    top = float(np.abs(array).max())
    if top > LARGEST or 0 < top < SMALLEST:
        raise ValueError(
            f"{name} reaches {top:.3g} in absolute value, and products of such numbers cannot be represented; "
            f"rescale it into {SMALLEST:g} … {LARGEST:g}"
        )
    return array


def as_table(value: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """The array as a finite float64 table over all pairs (a, b) of ℤ_p, shape `(p, p, n)` with p ≥ 3."""
    table = as_finite(value, name=name, ndim=3)
    if table.shape[0] != table.shape[1] or table.shape[0] < 3:
        raise ValueError(
            f"{name} must hold every pair (a, b) of ℤ_p, shape (p, p, n) with p ≥ 3; its shape is {table.shape}"
        )
    return table
