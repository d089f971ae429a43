"""`phasescope transitions` from outside, on a log and on a run."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from phasescope.cli.main import command
from phasescope.store.runs import create_recording


def call(*arguments):
    return CliRunner().invoke(command, ["transitions", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def curves():
    """A rise at step 1,000 as accuracy and as loss, and noise."""
    rng = np.random.default_rng(0)
    steps = np.unique(np.geomspace(1, 100_000, 120).astype(np.int64))
    rise = 1 / (1 + (1000 / steps) ** 4.0)
    noise = rng.normal(0, 0.02, (3, len(steps)))
    return steps, {"val_acc": 0.1 + 0.8 * rise + noise[0], "val_loss": 3 - 2.5 * rise + noise[1], "noise": noise[2]}


@pytest.fixture
def log(tmp_path, curves):
    steps, by_name = curves
    path = tmp_path / "log.csv"
    rows = zip(steps, *by_name.values(), strict=True)
    lines = [",".join(["step", *by_name]), *(",".join(str(value) for value in row) for row in rows)]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def run(tmp_path, curves):
    steps, by_name = curves
    with create_recording(tmp_path / "runs", study="other", config={}, runs=[{"seed": 0}]) as writer:
        for at, step in enumerate(steps.tolist()):
            writer.append(0, step, {name: values[at] for name, values in by_name.items()})
    return writer.id


def test_a_log_as_json(log):
    done = call(log, "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert document["searched"] == ["val_acc", "val_loss", "noise"]
    found = {one["observables"][0]: one for one in document["transitions"]}
    assert found.keys() == {"val_acc", "val_loss"}
    for one in found.values():
        assert one["midpoint_interval"][0] < 1000 < one["midpoint_interval"][1]
        assert one["p_value"] < 0.01
    assert document["mirage"]["val"]["verdict"] == "survives"
    assert document["caveats"] == []


def test_the_same_seed_gives_the_same_answer(log):
    assert call(log, "--json", "--seed", 3).stdout == call(log, "--json", "--seed", 3).stdout


def test_a_run_gives_what_its_log_gives(run, log, tmp_path):
    of_run = json.loads(call(run, "--store", tmp_path / "runs", "--json").stdout)
    of_log = json.loads(call(log, "--json").stdout)
    assert of_run["source"] == run
    assert of_run["transitions"] == of_log["transitions"]
    assert of_run["mirage"] == of_log["mirage"]


def test_people_get_the_interval_the_verdict_and_the_items(log):
    done = call(log, "--series", "val_acc", "--series", "val_loss", "--items", 200)
    assert done.exit_code == 0
    assert done.stdout == ""
    text = " ".join(done.stderr.split())
    for words in ("2 transitions in 2 curves searched", "decades", "mirage (val): survives", "with 200 items"):
        assert words in text


def test_short_curves_are_told(log, tmp_path):
    lines = log.read_text().splitlines()
    lines[0] += ",short"
    lines[1:] = [line + (",1" if number < 5 else ",") for number, line in enumerate(lines[1:])]
    log.write_text("\n".join(lines))
    document = json.loads(call(log, "--json").stdout)
    assert "short" not in document["searched"]
    assert document["caveats"] == ["not searched, since they have fewer than 12 finite points: short"]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["none.csv"], 1, "no file at none.csv"),
        (["no-such-run"], 1, "no store at"),
        (["no-such-run", "--store", "RUNS"], 1, "no run named"),
        (["LOG", "--series", "val_ac"], 1, "closest names: ['val_acc'"),
        (["LOG", "--step-column", "stp"], 1, "no column named 'stp'"),
        (["RUN", "--store", "RUNS", "--step-column", "step"], 2, "--step-column belongs to a file"),
        (["RUN", "--store", "RUNS", "--series", "val_ac"], 1, "no series named 'val_ac'"),
        (["LOG", "--seed", "-1"], 2, "-1 is not in the range"),
        (["LOG", "--items", "0"], 2, "0 is not in the range"),
        (["SHORT"], 1, "no curve has 12 finite points"),
        (["PERCENT", "--items", "100"], 2, "it is no share of 100 items"),
    ],
)
def test_a_mistake_gets_one_sentence(log, run, tmp_path, curves, arguments, code, complaint):
    (tmp_path / "short.csv").write_text("step,acc\n1,0\n2,1\n")
    steps, by_name = curves
    rows = [f"{step},{100 * acc},{loss}" for step, acc, loss in zip(steps, *list(by_name.values())[:2], strict=True)]
    (tmp_path / "percent.csv").write_text("step,acc,loss\n" + "\n".join(rows))
    places = {"LOG": log, "RUN": run, "RUNS": tmp_path / "runs"}
    places |= {"SHORT": tmp_path / "short.csv", "PERCENT": tmp_path / "percent.csv"}
    done = call(*(places.get(argument, argument) for argument in arguments))
    assert (done.exit_code, done.stdout) == (code, "")
    assert complaint in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
