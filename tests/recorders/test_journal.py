"""Rows on their way: only these see a wait for the device per value, or a logged value that never arrives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from phasescope.recorders import journal as journal_module
from phasescope.recorders.journal import Journal
from phasescope.recorders.optimizer_step import UNITS
from phasescope.recorders.sink import Sink
from phasescope.store.recordings import create_recording
from phasescope.store.runs import Run, open_run


class Bench:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.writer = create_recording(root, study="journal", config={}, runs=[{"seed": 0}])
        self.sink = Sink(self.writer, UNITS)
        self.journal = Journal(self.sink, "whole")

    def read(self) -> Run:
        self.sink.commit()
        return open_run(self.root, self.writer.run_ids[0])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.sink.close()


def test_tensors_wait_for_a_reading_and_numbers_do_not(bench: Bench) -> None:
    bench.journal.log(1, {"train/loss": 0.5})
    bench.journal.write_if_free()
    assert bench.read().series("train/loss").values.tolist() == [0.5]
    bench.journal.log(2, {"train/loss": torch.tensor(0.25), "train/accuracy": 1.0})
    bench.journal.write_if_free()
    assert bench.read().series("train/loss").steps.tolist() == [1]
    bench.journal.write()
    assert bench.read().series("train/loss").values.tolist() == [0.5, 0.25]
    assert bench.read().series("train/accuracy").steps.tolist() == [2]


def test_all_that_waits_comes_in_one_transfer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    transfers = []
    to_cpu = Tensor.cpu
    monkeypatch.setattr(Tensor, "cpu", lambda self: transfers.append(self.shape) or to_cpu(self))
    for step in range(9):
        bench.journal.log(step, {"train/loss": torch.tensor(0.5), "train/hits": torch.tensor(step)})
    bench.journal.write(8, [], {kind: {} for kind in UNITS})
    assert transfers == [(18,)]
    assert bench.read().series("train/hits").values.tolist() == list(range(9))


def test_what_waits_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MOST_WAITING", 5)
    for step in range(1, 8):
        bench.journal.log(step, {"train/loss": torch.tensor(float(step))})
        bench.journal.write_if_free()
    assert bench.read().series("train/loss").steps.tolist() == [1, 2, 3, 4, 5]


def test_a_name_from_the_web_is_stored_as_it_is(bench: Bench) -> None:
    bench.journal.log(1, {"</script>": 1.0})
    bench.journal.write()
    assert bench.read().series_names() == ["</script>"]
