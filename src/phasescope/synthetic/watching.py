"""Watching a long simulation: it is carried out in stretches, and the observer is told after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Watch = Callable[[int, NDArray[np.int64]], None]  # grains dropped so far, and the sizes of their avalanches (0: none)
N_STRETCHES = 200


def stretches(n: int, sizes: NDArray[np.int64], watch: Watch | None) -> Iterator[slice]:
    """The whole as one stretch, or with an observer as many; what is simulated is the same."""
    length = n if watch is None else -(-n // N_STRETCHES)
    for start in range(0, n, max(length, 1)):
        stop = min(start + length, n)
        yield slice(start, stop)
        if watch is not None:
            watch(stop, sizes[:stop])
