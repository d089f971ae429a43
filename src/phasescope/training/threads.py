"""Pinning a process to a number of threads, and keeping its memory.

Small matrix products waste their time in thread barriers: on a shared machine oversubscription costs up to a factor of
twenty. The default of phasescope is one thread per process and one process per core.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

import torch

# glibc's names for mallopt, from malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_HEAP_BLOCK = 1 << 30


def pin_threads(n_threads: int) -> None:
    """Let PyTorch compute on `n_threads` threads in this process.

    Raises:
        ValueError: If `n_threads` is below 1.
    """
    if n_threads < 1:
        raise ValueError(f"the number of threads must be at least 1, and {n_threads} arrived")
    torch.set_num_threads(n_threads)


@contextlib.contextmanager
def pinned_threads(n_threads: int) -> Iterator[None]:
    """Pin this process for a while and give it back its threads."""
    before = torch.get_num_threads()
    pin_threads(n_threads)
    try:
        yield
    finally:
        pin_threads(before)


def keep_freed_memory() -> None:
    """Ask glibc to keep freed blocks instead of returning them to the system.

    A training step allocates the same few megabytes again and again; by default each large block is mapped and
    unmapped anew and its pages are faulted in, which costs 15–30 % of a step. No effect where there is no glibc.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _LARGEST_HEAP_BLOCK)
        mallopt(_TRIM_THRESHOLD, _LARGEST_HEAP_BLOCK)
