"""How many runs share a batch: many small ones, few large ones on a processor; all of them on an accelerator."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from phasescope.training.settings import RunSettings, TrainingSettings

# Activations that one batch may hold on a processor. Batching saves the fixed cost of some hundred small operations a
# step; once activations leave the cache it costs more than it saves. Measured by benchmarks/speed/ensemble.py.
CACHE_BUDGET_BYTES = 24_000_000
# From this size on, splitting costs a few percent; two batches per process then keep no core waiting at the end.
WORTH_SPLITTING_BYTES = 6_000_000


def batch_sizes(
    training: TrainingSettings, runs: Sequence[RunSettings], *, device: torch.device | str, n_processes: int
) -> list[int]:
    """Split runs into batches, one per recording.

    Args:
        training: What the runs share.
        runs: The runs, in order.
        device: On a processor a batch is bounded by `CACHE_BUDGET_BYTES` and the batches are shared out evenly over
            the processes; elsewhere all runs are one batch.
        n_processes: Processes that will work at the same time.

    Returns:
        Number of runs of each batch, in order; they sum to `len(runs)`.
    """
    if torch.device(device).type != "cpu":
        return [len(runs)]
    n_rows = max(run.fraction for run in runs) * training.build_task().n_rows
    bytes_per_run = (
        n_rows * training.build_model().floats_per_row() * torch.finfo(getattr(torch, training.dtype)).bits / 8
    )
    largest = max(1, int(CACHE_BUDGET_BYTES // bytes_per_run))
    n_processes = max(1, n_processes)
    n_batches = max(-(-len(runs) // largest), min(n_processes, len(runs)))
    if bytes_per_run * len(runs) / n_batches > WORTH_SPLITTING_BYTES:
        n_batches = max(n_batches, min(2 * n_processes, len(runs)))
    small, extra = divmod(len(runs), n_batches)
    return [small + (i < extra) for i in range(n_batches)]
