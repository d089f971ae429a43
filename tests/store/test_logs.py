"""Curves from other people's logs, each in the format its program writes, and what is said about bad ones."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from phasescope.errors import MissingExtraError, PhasescopeError
from phasescope.store.logs import is_log, read_log


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return to


def points(log, name):
    series = log.series[name]
    return dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "step,acc\n1,0.5\n2,0.75\n",
        "step\tacc\r\n1\t0.5\r\n2\t0.75\r\n",
        "Step;acc\n1;0,5\n2;0,75\n",
        "step|acc\n1|0.5\n2|0.75\n",
        "# step acc\n1 0.5\n2 0.75\n",
        "# step   acc\n  1  5.0e-01\n  2  7.5e-01\n",
        "\ufeffglobal_step,acc\n1,5e-1\n2,.75\n",
        '"step", "acc"\n"1", "0.5"\n"2", "0.75"\n',
        ",acc\n1,0.5\n2,0.75\n",
        "acc,iteration\n0.5,1\n0.75,2\n",
        "step,acc,epoch,Wall time\n1,0.5,0.1,1e9\n2,0.75,0.2,1e9\n\n",
        "step,acc\n1.0,0.5\n2.0,0.75\n3,\n",
        "step,acc\n1,0.5\n2,0.75",
    ],
)
def test_delimited_text_of_many_dialects(write, text):
    log = read_log(write("log.csv", text))
    assert log.series.keys() == {"acc"}
    assert points(log, "acc") == {1: 0.5, 2: 0.75}
    assert log.caveats == ()


def test_a_table_without_a_header_has_numbered_columns(write):
    log = read_log(write("log.txt", "1,0.5,3\n2,0.25,4\n"))
    assert points(log, "column 2") == {1: 0.5, 2: 0.25}
    assert points(log, "column 3") == {1: 3.0, 2: 4.0}


def test_a_table_from_a_spreadsheet_in_utf_16(write):
    assert points(read_log(write("log.csv", "step,acc\n1,0.5\n".encode("utf-16"))), "acc") == {1: 0.5}


def test_repeated_unsorted_and_missing_steps_are_mended_and_told(write):
    log = read_log(write("log.csv", "step,acc\n3,0.3\n1,0.1\n2,0.2\n1,0.9\n,0.7\n-1,0.7\nnan,0.7\n"))
    assert points(log, "acc") == {1: 0.9, 2: 0.2, 3: 0.3}
    told = " | ".join(log.caveats)
    assert "3 of 7 rows have no usable step" in told
    assert "were sorted" in told
    assert "1 rows repeat a step" in told


def test_an_empty_cell_is_no_point_and_nan_is_one(write):
    log = read_log(write("log.csv", "step,a,b\n1,0.5,\n2,,1\n3,NaN,inf\n"))
    assert log.series["a"].steps.tolist() == [1, 3]
    assert math.isnan(log.series["a"].values[1])
    assert points(log, "b") == {2: 1.0, 3: math.inf}


def test_a_column_of_words_is_left_out_and_told(write):
    log = read_log(write("log.csv", "step,acc,phase\n1,0.5,warm\n2,0.75,cold\n"))
    assert log.series.keys() == {"acc"}
    assert log.caveats == ("column 'phase' was left out, since 'warm' in row 1 is not a number",)


def test_a_named_step_column_and_named_curves(write):
    path = write("log.csv", "k,acc,loss\n1,0.5,2\n2,0.75,1\n")
    log = read_log(path, step_column="k", names=["loss"])
    assert log.series.keys() == {"loss"}
    with pytest.raises(PhasescopeError, match=r"no column named 'kk'.*'k'"):
        read_log(path, step_column="kk")
    with pytest.raises(PhasescopeError, match=r"no curve named 'los'.*'loss'"):
        read_log(path, step_column="k", names=["los"])


def test_a_table_of_several_runs_gives_each_its_own_curves(write):
    log = read_log(write("runs.csv", "run,seed,step,acc\na,0,1,0.1\na,0,2,0.2\nb,1,1,0.3\n"))
    assert log.series.keys() == {"a - acc", "b - acc"}
    assert points(log, "b - acc") == {1: 0.3}
    assert log.caveats == ()
    assert read_log(write("one.csv", "run,seed,step,acc\na,0,1,0.1\n")).series.keys() == {"acc"}


def test_the_csv_export_of_the_wandb_pages(write):
    log = read_log(
        write(
            "wandb.csv",
            '"Step","sun-1 - val/acc","sun-1 - val/acc__MIN","sun-1 - val/acc__MAX","sun-1 - _step"\n'
            '"0","0.1","0.0","0.2","0"\n'
            '"10","","","",""\n'
            '"20","0.5","0.4","0.6","20"\n',
        )
    )
    assert log.series.keys() == {"sun-1 - val/acc"}
    assert points(log, "sun-1 - val/acc") == {0: 0.1, 20: 0.5}


def test_a_wandb_history_of_json_lines(write):
    lines = [
        {"_step": 0, "_timestamp": 1.7e9, "_runtime": 3, "loss": 2.0, "val": {"acc": 0.1}, "note": "x", "flag": True},
        {"_step": 1, "_timestamp": 1.7e9, "loss": "NaN", "_wandb": {"runtime": 3}, "image": {"path": "a.png"}},
        {"_step": 2, "_timestamp": 1.7e9, "loss": 1.0, "val": {"acc": 0.2}},
    ]
    log = read_log(write("history.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n"))
    assert log.series.keys() == {"loss", "val.acc", "flag"}
    assert points(log, "val.acc") == {0: 0.1, 2: 0.2}
    assert log.series["loss"].steps.tolist() == [0, 1, 2]
    assert math.isnan(log.series["loss"].values[1])


def test_the_trainer_state_of_hugging_face(write):
    history = [{"step": 10, "loss": 2.0, "epoch": 0.1}, {"step": 10, "eval_loss": 2.5}, {"step": 20, "loss": 1.0}]
    log = read_log(write("trainer_state.json", json.dumps({"best_metric": None, "log_history": history})))
    assert points(log, "loss") == {10: 2.0, 20: 1.0}
    assert points(log, "eval_loss") == {10: 2.5}
    assert log.caveats == ()


def test_parquet_with_nulls_integers_and_words(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table({"_step": [0, 5, 9], "acc": [0.5, None, math.nan], "n": [1, 2, 3], "note": ["a", None, "b"]})
    pq.write_table(table, tmp_path / "log.parquet")
    log = read_log(tmp_path / "log.parquet")
    assert log.series["acc"].steps.tolist() == [0, 9]
    assert points(log, "n") == {0: 1.0, 5: 2.0, 9: 3.0}
    assert "note" in log.caveats[0]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(PhasescopeError, match="cannot be read as Parquet"):
        read_log(tmp_path / "bad.parquet")


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Two runs of TensorBoard: 3,000 points by the old summary, a few by the new one."""
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto import event_pb2, summary_pb2, types_pb2
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    root = tmp_path_factory.mktemp("logdir")
    writer = EventFileWriter(str(root / "train"))
    for step in range(3_000):
        value = summary_pb2.Summary.Value(tag="loss", simple_value=step * 0.5)
        writer.add_event(event_pb2.Event(step=step, wall_time=0.0, summary=summary_pb2.Summary(value=[value])))
    writer.close()
    writer = EventFileWriter(str(root / "test"))
    metadata = summary_pb2.SummaryMetadata()
    metadata.plugin_data.plugin_name = "scalars"
    for step in (2, 4, 4):
        value = summary_pb2.Summary.Value(
            tag="acc", tensor=TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[step / 8]), metadata=metadata
        )
        writer.add_event(event_pb2.Event(step=step, wall_time=0.0, summary=summary_pb2.Summary(value=[value])))
    writer.close()
    return root


def test_tensorboard_keeps_every_point_of_every_run(events, capfd):
    assert is_log(events)
    log = read_log(events)
    assert log.series.keys() == {"test - acc", "train - loss"}
    np.testing.assert_array_equal(log.series["train - loss"].steps, np.arange(3_000))
    assert log.series["train - loss"].values[-1] == 1499.5
    assert points(log, "test - acc") == {2: 0.25, 4: 0.5}
    assert any("repeat a step" in caveat for caveat in log.caveats)
    assert capfd.readouterr() == ("", "")


def test_one_event_file_and_one_torn(events, tmp_path):
    source = next((events / "train").iterdir())
    assert read_log(source).series.keys() == {"loss"}
    torn = tmp_path / source.name
    torn.write_bytes(source.read_bytes()[:50_000])
    kept = read_log(torn).series["loss"]
    assert 500 < len(kept) < 3_000
    np.testing.assert_array_equal(kept.values, kept.steps * 0.5)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("log.csv", "", "is empty"),
        ("log.csv", "\n \n", "is empty"),
        ("log.csv", "step,acc\n", "a header and no rows"),
        ("log.csv", "step,phase\n1,warm\n2,cold\n", "no numeric column besides the steps in 'step'.*'warm'"),
        ("log.csv", "step\n1\n2\n", "no numeric column"),
        ("log.csv", "acc,loss\n0.5,1\n0.4,2\n", r"--step-column: 'acc', 'loss'"),
        ("log.csv", "step,acc\none,0.5\n", "--step-column"),
        ("log.csv", "epoch,acc\n0.25,0.5\n0.5,1\n", r"holds fractions \(0.25\)"),
        ("log.csv", "step,acc\n1,0.5,7\n", "row 1 has 3 cells and the header 2"),
        ("log.csv", "step,acc\n-1,0.5\n", "no training step"),
        ("log.csv", "step,acc\n1,\n2,\n", "no numeric column"),
        ("log.csv", b"\x89PNG\r\n\x1a\n\x00", "not a text file"),
        ("log.csv", b"step,acc\n1,\x00\n", "not a text file"),
        (
            "log.csv",
            "step,accurac\u00e9\n1,2\n".encode("latin-1"),
            "not UTF-8: byte 0xe9 in line 1; save the file as UTF-8",
        ),
        ("log.jsonl", '{"_step": 1}\nnot json\n', "line 2 is not JSON"),
        ("log.jsonl", "[1]\n", "line 1 is not a JSON object"),
        ("log.jsonl", '{"a": "b"}\n', "holds no numbers"),
        ("log.json", '{"a": 1}', "neither a list of records"),
        ("log.json", "[1, 2]", "neither a list of records"),
    ],
)
def test_a_bad_file_gets_one_sentence(write, name, text, complaint):
    with pytest.raises(PhasescopeError, match=complaint):
        read_log(write(name, text))


def test_what_is_not_there(tmp_path):
    with pytest.raises(PhasescopeError, match="no file at"):
        read_log(tmp_path / "none.csv")
    with pytest.raises(PhasescopeError, match="no TensorBoard event files"):
        read_log(tmp_path)
    assert not is_log(tmp_path)
    assert not is_log(tmp_path / "none.csv")


@pytest.mark.parametrize(("package", "name"), [("pyarrow", "log.parquet"), ("tensorboard", "events.out.tfevents.1")])
def test_a_missing_extra_is_named(write, monkeypatch, package, name):
    for module in [module for module in sys.modules if module.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"needs {package}.*pip install"):
        read_log(write(name, "x"))


def test_reading_logs_and_runs_loads_no_torch():
    modules = "phasescope.store.runs, phasescope.store.logs, phasescope.store.export"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
