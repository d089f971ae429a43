"""Runs for other programs, runs side by side, and all curves of a run searched at once."""

import csv
import io
import math

import numpy as np
import pytest

from phasescope.errors import RunNotFoundError, StoreError
from phasescope.store.comparison import compare, headline_results, interval_text
from phasescope.store.export import columns, write_csv, write_parquet
from phasescope.store.logs import read_log
from phasescope.store.panels import mirage_panels, split_of
from phasescope.store.runs import open_run
from phasescope.store.series import Series


@pytest.fixture
def two_runs(record, tmp_path):
    with record(2) as writer:
        writer.append(0, 1, {"loss": 0.1 + 0.2, "acc": 0.5})
        writer.append(0, 2, {"loss": math.nan})
        writer.append(1, 1, {"loss": -math.inf, "step": 7.0})
        writer.write_result(1, "delay", {"estimate": 9.0, "interval": [8.0, 10.0]})
        writer.write_result(1, "transitions", {"items": []})
    return [open_run(tmp_path, run) for run in writer.run_ids]


def test_csv_has_a_row_per_run_and_step_and_all_digits(two_runs):
    file = io.StringIO()
    assert write_csv(two_runs, file) == 3
    rows = list(csv.reader(io.StringIO(file.getvalue())))
    first, second = (run.id for run in two_runs)
    assert rows == [
        ["run", "seed", "step", "loss", "acc", "step (series)"],
        [first, "10", "1", "0.30000000000000004", "0.5", ""],
        [first, "10", "2", "nan", "", ""],
        [second, "11", "1", "-inf", "", "7.0"],
    ]


def test_parquet_tells_nan_from_nothing(two_runs, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    assert write_parquet(two_runs, tmp_path / "runs.parquet") == 3
    table = pq.read_table(tmp_path / "runs.parquet")
    assert table.column_names == ["run", "seed", "step", *columns(two_runs)]
    assert table["acc"].to_pylist() == [0.5, None, None]
    loss = table["loss"].to_pylist()
    assert loss[0] == 0.1 + 0.2
    assert math.isnan(loss[1])
    assert loss[2] == -math.inf
    with pytest.raises(StoreError, match="cannot be written"):
        write_parquet(two_runs, tmp_path / "nowhere" / "runs.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_exported_can_be_read_as_a_log(two_runs, tmp_path, kind):
    path = tmp_path / f"runs.{kind}"
    if kind == "csv":
        with open(path, "w", newline="") as file:
            write_csv(two_runs, file)
    else:
        pytest.importorskip("pyarrow")
        write_parquet(two_runs, path)
    log = read_log(path)
    first, second = (run.id for run in two_runs)
    assert log.series.keys() == {f"{first} - loss", f"{second} - loss", f"{first} - acc", f"{second} - step (series)"}
    np.testing.assert_array_equal(log.series[f"{first} - loss"].values, [0.1 + 0.2, math.nan])


def test_comparing_shows_what_differs_and_what_came_of_it(two_runs):
    comparison = compare(two_runs)
    assert comparison.runs == tuple(run.id for run in two_runs)
    assert comparison.settings == {"seed": (10, 11), "weight_decay": (0.0, 1.0)}
    assert comparison.environment == {}
    assert comparison.results == {"status": ("finished", "finished"), "steps": (2, 1), "delay": (None, 9.0)}
    assert comparison.last_values["acc"] == (0.5, None)
    with pytest.raises(ValueError, match="needs two runs; got 1"):
        compare(two_runs[:1])


def test_headlines_and_intervals_of_results():
    results = {"verdict": {"label": "grokking", "estimate": 3}, "odd": {"label": ["x"]}, "m": {"estimate": None}}
    assert headline_results(results) == {"verdict": "grokking", "m": None}
    assert interval_text({"interval": [1.0, 2.5]}) == "[1, 2.5]"
    assert interval_text({"interval": "wide"}) == ""


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("test/accuracy", "test"),
        ("test_all/loss", "test_all"),
        ("eval_loss", "eval"),
        ("val_acc", "val"),
        ("loss", ""),
        ("validity_score", ""),
        ("run-1 - val/acc", "run-1 - val"),
        ("trainer_loss", ""),
    ],
)
def test_the_split_is_read_from_the_name(name, split):
    assert split_of(name) == split


def curve(name, steps, values):
    return Series(name=name, steps=np.asarray(steps), values=np.asarray(values, dtype=float))


def test_panels_compare_the_metrics_of_one_split_at_the_steps_they_share():
    steps = np.arange(1, 101)
    q = np.linspace(0.5, 0.99, 100)
    panels = mirage_panels(
        [
            curve("test/exact_match", steps, q**5),
            curve("test/accuracy", steps[::2], q[::2]),
            curve("train/loss", steps, -np.log(q)),
            curve("weight_norm", steps, q),
        ]
    )
    assert panels.keys() == {"test"}
    assert panels["test"].verdict == "mirage"
    assert len(panels["test"].metrics[0].steps) == 50


@pytest.fixture(scope="module")
def steps():
    return np.unique(np.geomspace(1, 100_000, 120).astype(np.int64))


def test_all_curves_of_a_run_are_searched_and_each_names_itself(record, tmp_path, steps):
    rng = np.random.default_rng(0)
    with record() as writer:
        for step, noise in zip(steps.tolist(), rng.normal(0, 0.02, (len(steps), 3)), strict=True):
            rise = 1 / (1 + (1000 / step) ** 4)
            writer.append(0, step, {"test/accuracy": rise + noise[0], "noise": noise[1], "late": rise + noise[2]})
        for step in range(1, 11):
            writer.append(0, step, {"short": float(step > 5)})
    run = open_run(tmp_path, writer.id)
    found = run.find_transitions(rng=np.random.default_rng(1))
    assert sorted(one.observables for one in found) == [("late",), ("test/accuracy",)]
    for one in found:
        assert one.midpoint_interval[0] < 1000 < one.midpoint_interval[1]
    alone = run.find_transitions(rng=np.random.default_rng(1), names=["test/accuracy"])
    assert [one.observables for one in alone] == [("test/accuracy",)]
    with pytest.raises(RunNotFoundError, match="no series named 'tset/accuracy'"):
        run.find_transitions(rng=rng, names=["tset/accuracy"])
    with pytest.raises(ValueError, match="short has 10 finite values"):
        run.find_transitions(rng=rng, names=["short"])


def test_a_transition_that_many_searches_would_find_by_chance_says_so(monkeypatch, steps):
    import phasescope.store.transitions as searching

    rng = np.random.default_rng(0)
    real = searching.find_transitions
    weak = real(steps, 1 / (1 + (1000 / steps) ** 4) + rng.normal(0, 0.02, len(steps)), rng=rng)[0]
    monkeypatch.setattr(searching, "find_transitions", lambda *_, **__: [weak])
    curves = [curve(str(number), steps, steps) for number in range(100)]
    assert searching.find_in_series(curves[:1], rng=rng)[0].caveats == weak.caveats
    assert "one of 100 curves searched" in searching.find_in_series(curves, rng=rng)[0].caveats[-1]
