"""Runs and series as they are printed, shown in a notebook, and turned into tables.

Mistakes only these tests see: a row of the table on the wrong step, a series that takes the place of the steps, and a
name from a stranger that acts as HTML.
"""

import json

import numpy as np
import pytest

from phasescope.store.runs import create_recording, open_run


@pytest.fixture
def run(tmp_path):
    with create_recording(tmp_path, study="demo", config={"lr": 0.1}, runs=[{"seed": 3, "width": 64}]) as writer:
        for step in (0, 10, 20):
            writer.append(0, step, {"loss": 2.0 - step / 20})
        writer.append(0, 15, {"<b>step</b>": float("nan")})
        writer.append(0, 20, {"step": 7.0})
        writer.write_result(0, "verdict", {"label": "grokking"})
    return open_run(tmp_path, writer.id)


def test_a_printed_series_is_a_block_with_its_ends(run):
    lines = str(run.series("loss")).splitlines()
    assert lines[0] == "loss"
    assert [line.split(maxsplit=1) for line in lines[1:]] == [
        ["points", "3"],
        ["steps", "0 … 20"],
        ["values", "1 … 2"],
        ["first", "2"],
        ["last", "1"],
    ]
    assert "none is finite" in str(run.series("<b>step</b>"))


def test_a_printed_run_says_what_it_is_in_a_few_lines(run):
    text = str(run)
    assert text.startswith(f"Run {run.id}\n")
    assert len(text.splitlines()) <= 10
    for words in ("demo", "finished", "width 64", "loss"):
        assert words in text


def test_a_strange_name_is_only_text_in_a_notebook(run):
    for shown in (run, run.series("<b>step</b>")):
        assert "<b>" not in shown._repr_html_()
        assert "&lt;b&gt;step" in shown._repr_html_()


def test_the_table_of_a_run_has_a_row_per_step_and_a_hole_where_nothing_was_recorded(run):
    frame = run.to_frame()
    assert list(frame.columns) == ["step", "loss", "<b>step</b>", "step (series)"]
    assert frame["step"].tolist() == [0, 10, 15, 20]
    np.testing.assert_array_equal(frame["loss"], [2.0, 1.5, np.nan, 1.0])
    np.testing.assert_array_equal(frame["step (series)"], [np.nan, np.nan, np.nan, 7.0])


def test_the_table_of_a_series_has_its_points(run):
    frame = run.series("step").to_frame()
    assert frame.to_dict("list") == {"step": [20], "step (series)": [7.0]}


def test_a_run_and_a_series_become_json(run):
    document = json.loads(json.dumps(run.to_dict(), allow_nan=False))
    assert document["run"]["config"] == {"lr": 0.1, "seed": 3, "width": 64}
    assert document["results"]["verdict"]["label"] == "grokking"
    assert [one["last_value"] for one in document["series"]] == [1.0, None, 7.0]
    assert json.loads(json.dumps(run.series("loss").to_dict()))["values"] == [2.0, 1.5, 1.0]
