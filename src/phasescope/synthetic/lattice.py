"""Lattices as tables of neighbors, with one site more that takes what leaves."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Boundary = Literal["open", "periodic"]
SINK = -1  # place of the site that takes what leaves, in an array of one entry per site and one for it


def neighbor_table(shape: tuple[int, ...], boundary: Boundary = "open") -> NDArray[np.int32]:
    """The 2d neighbors of each site of a hypercubic lattice.

    Args:
        shape: Sites along each axis.
        boundary: `"open"`: what lies outside is the sink. `"periodic"`: the other side.

    Returns:
        Indices into the flattened lattice, shape `(n_sites, 2d)`; the sink is `n_sites`.

    Raises:
        ValueError: If the boundary is neither, or a side is not positive.
    """
    if boundary not in ("open", "periodic"):
        raise ValueError(f"boundary is 'open' or 'periodic', not {boundary!r}")
    if not shape or min(shape) < 1:
        raise ValueError(f"a lattice needs at least one site along every axis; its shape is {shape}")
    n_sites = math.prod(shape)
    index = np.arange(n_sites, dtype=np.int32).reshape(shape)
    columns = []
    for axis in range(len(shape)):
        for step in (1, -1):
            neighbor = np.roll(index, -step, axis=axis)
            if boundary == "open":
                edge: list[slice | int] = [slice(None)] * len(shape)
                edge[axis] = -1 if step == 1 else 0
                neighbor[tuple(edge)] = n_sites
            columns.append(neighbor.ravel())
    return np.stack(columns, axis=1)
