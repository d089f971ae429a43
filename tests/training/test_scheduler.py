"""Batches: many small runs together, large ones alone."""

import dataclasses

from phasescope.studies.grokking.benches import bench
from phasescope.training.scheduler import batch_sizes


def sizes(name, n_runs, device="cpu", n_processes=2, **changes):
    chosen = bench(name, **changes)
    runs = [chosen.run(seed) for seed in range(n_runs)]
    return batch_sizes(chosen.training, runs, device=device, n_processes=n_processes)


def test_small_runs_are_shared_out_evenly_over_the_processes():
    assert sizes("F1", 33) == [17, 16]
    assert sizes("F1", 1, n_processes=0) == [1]


def test_larger_runs_make_two_batches_per_process():
    assert sizes("F3", 8) == [2, 2, 2, 2]
    assert sizes("F3", 6) == [2, 2, 1, 1]


def test_a_large_transformer_runs_alone():
    assert sizes("P113", 3) == [1, 1, 1]


def test_a_batch_stays_within_the_cache_whatever_the_number_of_runs():
    per_batch = sizes("F3", 100, n_processes=1)
    assert sum(per_batch) == 100
    assert max(per_batch) <= 9
    assert max(sizes("F3", 100, n_processes=1, dtype="float64")) <= 5


def test_one_run_is_one_batch_and_an_accelerator_takes_all():
    assert sizes("F3", 1) == [1]
    assert sizes("F3", 1000, device="cuda") == [1000]


def test_the_largest_fraction_decides():
    chosen = bench("F3")
    runs = [chosen.run(0), dataclasses.replace(chosen.run(1), fraction=1.0)]
    few = batch_sizes(chosen.training, runs * 20, device="cpu", n_processes=1)
    assert max(few) < max(sizes("F3", 40, n_processes=1))
