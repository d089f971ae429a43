"""`phasescope runs` from outside: one JSON document, readable tables, one sentence for every mistake."""

import json
import math

import pytest
from click.testing import CliRunner

from phasescope.cli.main import command
from phasescope.store.runs import create_recording

HOSTILE = "</script>[red]x[/red]\x1b[31m\u202e"


@pytest.fixture
def call():
    def run(*arguments):
        return CliRunner().invoke(command, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "runs"
    with create_recording(
        root,
        study="grokking",
        config={"lr": 1e-3, "note": HOSTILE, "deep": {"a": {"b": 1}}},
        runs=[{"seed": 0, "weight_decay": 1.0}, {"seed": 1, "weight_decay": 2.0}],
        group="two",
        threads=1,
        device="cpu",
    ) as writer:
        writer.append(0, 100, {"train/loss": 0.25, HOSTILE: 1.0})
        writer.append(1, 200, {"train/loss": math.nan})
        writer.write_result(0, "verdict", {"label": "grokking", "interval": None})
        writer.write_result(0, "delay", {"estimate": 8.5, "interval": [7.0, 9.0]})
        writer.write_event(0, 100, "alert", HOSTILE)
        writer.set_status(1, "failed", HOSTILE)
    return root


@pytest.fixture
def ids(store, call):
    return [run["id"] for run in json.loads(call("runs", "list", "--store", store, "--json").stdout)["runs"]]


def test_the_list_as_json(store, call):
    (store / "broken").mkdir()
    (store / "broken" / "run.json").write_text("{")
    done = call("runs", "list", "--store", store, "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    corrupt, first, second = document["runs"]
    assert (corrupt["id"], corrupt["status"]) == ("broken", "corrupt")
    assert (first["study"], first["status"], first["steps"], first["seed"]) == ("grokking", "finished", 100, 0)
    assert (first["group"], first["verdict"], second["verdict"]) == ("two", "grokking", None)
    assert (second["status"], second["message"]) == ("failed", HOSTILE)


def test_nothing_a_run_is_named_reaches_the_terminal_as_a_command(store, call, ids):
    for arguments in (["list"], ["show", ids[0]], ["show", ids[1]], ["compare", *ids]):
        done = call("runs", *arguments, "--store", store)
        assert done.exit_code == 0
        assert "\x1b" not in done.output
        assert "\u202e" not in done.output
        assert "[red]" in "".join(done.output.split()), "markup was obeyed"


def test_the_tables_say_what_there_is(store, call, ids):
    listed = call("runs", "list", "--store", store).stderr
    assert all(run in listed for run in ids)
    shown = call("runs", "show", ids[0], "--store", store).stderr
    for word in ("weight_decay", "train/loss", "0.25", "grokking", "8.5", "[7, 9]", "numpy", "alert"):
        assert word in shown


def test_show_as_json(store, call, ids):
    document = json.loads(call("runs", "show", ids[1], "--store", store, "--json").stdout)
    assert document["run"]["config"]["weight_decay"] == 2.0
    assert document["run"]["environment"]["threads"] == 1
    assert document["series"] == [
        {"name": "train/loss", "unit": "", "points": 1, "first_step": 200, "last_step": 200, "last_value": None}
    ]
    assert document["results"] == {}


def test_compare_takes_a_group_and_shows_what_differs(store, call, ids):
    document = json.loads(call("runs", "compare", "two", "--store", store, "--json").stdout)
    assert document["runs"] == ids
    assert document["settings"] == {"seed": [0, 1], "weight_decay": [1.0, 2.0]}
    assert document["results"]["delay"] == [8.5, None]


def test_export_to_standard_output_and_to_files(store, call, ids, tmp_path):
    printed = call("runs", "export", "two", "--store", store)
    assert printed.exit_code == 0
    assert printed.stdout.splitlines()[1] == f"{ids[0]},0,100,0.25,1.0"
    target = tmp_path / "out.csv"
    document = json.loads(call("runs", "export", *ids, "--store", store, "--output", target, "--json").stdout)
    assert document["rows"] == 2
    assert document["columns"][0] == "train/loss"
    assert target.read_text() == printed.stdout
    pytest.importorskip("pyarrow")
    done = call("runs", "export", ids[0], "--store", store, "--format", "parquet", "--output", tmp_path / "o.parquet")
    assert done.exit_code == 0
    assert "1 rows of 1 runs" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["runs", "list", "--store", "NOWHERE"], 1, "no store at"),
        (["runs", "show", "grokkin"], 1, "no run named 'grokkin'"),
        (["runs", "show", "tow"], 1, "closest names: ['two']"),
        (["runs", "show", "two"], 1, "names 2 runs"),
        (["runs", "show", "../../etc"], 1, "no run named"),
        (["runs", "show"], 2, "Missing argument"),
        (["runs", "compare"], 2, "Missing argument"),
        (["runs", "export", "two", "--format", "parquet"], 2, "--output is needed"),
        (["runs", "export", "two", "--json"], 2, "--output is needed"),
        (["runs", "export", "two", "--format", "xls"], 2, "'xls' is not one of"),
        (["runs", "export", "two", "--output", "NOWHERE/x.csv"], 1, "cannot be written"),
        (["runs", "delete", "two"], 2, "No such command"),
    ],
)
def test_a_mistake_gets_one_sentence_and_no_traceback(store, call, tmp_path, arguments, code, complaint):
    arguments = [argument.replace("NOWHERE", str(tmp_path / "nowhere")) for argument in arguments]
    if "--store" not in arguments and "delete" not in arguments:
        arguments += ["--store", str(store)]
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert complaint in " ".join(done.stderr.split())
    assert "Traceback" not in done.output


def test_comparing_one_run_is_wrong_usage(store, call, ids):
    done = call("runs", "compare", ids[0], "--store", store)
    assert done.exit_code == 2
    assert "needs two runs" in done.stderr


def test_an_empty_store_is_no_mistake(tmp_path, call):
    done = call("runs", "list", "--store", tmp_path)
    assert done.exit_code == 0
    assert "no runs in" in done.stderr
    assert json.loads(call("runs", "list", "--store", tmp_path, "--json").stdout)["runs"] == []
