"""The list of runs: its order, its answers about groups, and stores that are not there."""

import shutil

import pytest

from phasescope.errors import StoreError
from phasescope.store.runs import list_runs, resolve


def test_the_list_is_in_order_of_time_and_place(record, tmp_path):
    with record(2) as first:
        first.append(0, 9, {"loss": 1.0})
    with record() as second:
        pass
    found = list_runs(tmp_path)
    assert [run.id for run in found] == [*first.run_ids, *second.run_ids]
    assert [(run.seed, run.steps, run.status, run.study) for run in found] == [
        (10, 9, "finished", "grokking"),
        (11, 0, "finished", "grokking"),
        (10, 0, "finished", "grokking"),
    ]


def test_an_empty_store_has_no_runs_and_a_missing_one_is_an_error(tmp_path):
    assert list_runs(tmp_path) == []
    with pytest.raises(StoreError, match="no store at"):
        list_runs(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="no store at"):
        resolve(tmp_path / "nowhere", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="no store at"):
        list_runs(tmp_path / "file")


def test_hundreds_of_runs_and_one_ruin_are_listed(record, tmp_path):
    with record(4) as writer:
        writer.append(2, 7, {"loss": 1.0})
    for number in range(60):
        shutil.copytree(writer.path, tmp_path / f"copy-{number}")
    (tmp_path / "copy-7" / "run.json").write_text("ruin")
    found = list_runs(tmp_path)
    assert len(found) == 4 * 60 + 1
    assert [run.id for run in found if run.status == "corrupt"] == ["copy-7"]
