"""`phasescope grok` from the command line, as its user types it.

Only this file sees: a document whose keys are not the promised ones, an override that never reaches the training, and
an interrupted study that cannot be taken up.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from phasescope.cli.main import command
from phasescope.store.runs import list_runs, open_run

KEYS = {
    "id",
    "seed",
    "memorization_step",
    "generalization_step",
    "last_crossing_step",
    "delay",
    "final_train_accuracy",
    "final_test_accuracy",
    "final_test_accuracy_all",
    "verdict",
    "status",
}


def grok(store, *args):
    return CliRunner().invoke(command, ["grok", "--store", str(store), "--processes", "0", *args])


@pytest.fixture(scope="module")
def short_study(tmp_path_factory):
    """Two F1 seeds to the end, with the report."""
    store = tmp_path_factory.mktemp("runs")
    result = grok(store, "--bench", "F1", "--seeds", "2", "--json")
    return store, result


def test_the_document_has_the_promised_keys_and_a_grokking_verdict(short_study):
    _, result = short_study
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == 1
    assert len(document["runs"]) == 2
    for row in document["runs"]:
        assert set(row) == KEYS
        assert row["verdict"] == "grokking"
        assert 30 <= row["memorization_step"] <= 80
        assert row["delay"] == pytest.approx(row["generalization_step"] / row["memorization_step"])
        assert row["final_test_accuracy"] >= 0.99
    assert document["failures"] == []
    with open(document["report"], encoding="utf-8") as page:
        text = page.read()
    assert "</html>" in text
    assert all(row["id"] in text for row in document["runs"])


def test_the_runs_hold_what_the_report_shows(short_study):
    store, result = short_study
    run = open_run(store, json.loads(result.stdout)["runs"][0]["id"])
    assert run.study == "grokking"
    assert run.environment["threads"] == 1
    assert {"verdict", "memorization", "generalization", "delay", "transitions", "mirage"} <= set(run.results())
    names = set(run.series_names())
    assert {"fourier/restricted_loss", "fourier/excluded_loss", "representation/circularity"} <= names
    restricted = run.series("fourier/restricted_loss").values
    assert restricted[-1] < 0.3 < 2 < restricted[0]
    transition = [t for t in run.result("transitions")["items"] if t["observables"] == ["test/accuracy"]]
    memorized, generalized = run.result("memorization")["estimate"], run.result("generalization")["estimate"]
    assert any(memorized < t["midpoint"] < generalized for t in transition)


def test_the_same_seed_gives_the_same_bytes(short_study, tmp_path):
    store, result = short_study
    again = grok(tmp_path, "--bench", "F1", "--seeds", "2", "--json", "--no-report")
    one, two = json.loads(result.stdout)["runs"], json.loads(again.stdout)["runs"]
    for first, second in zip(one, two, strict=True):
        old, new = open_run(store, first["id"]), open_run(tmp_path, second["id"])
        for name, series in old.all_series().items():
            assert series.values.tobytes() == new.series(name).values.tobytes(), name
        assert old.results() == new.results()


def test_overrides_reach_the_training(tmp_path):
    args = ["--bench", "F1", "--seeds", "1", "--steps", "30", "--no-report", "--json", "--seed", "5"]
    args += ["--task", "subtract", "--fraction", "0.4", "--weight-decay", "0.5", "--lr", "0.02", "--labels", "random"]
    args += ["--split", "symmetric_closed", "--split-seed", "9", "--modulus", "29", "--temperature", "2"]
    result = grok(tmp_path, *args)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["report"] is None
    run = open_run(tmp_path, document["runs"][0]["id"])
    expected = {
        "operation": "subtract",
        "fraction": 0.4,
        "weight_decay": 0.5,
        "learning_rate": 0.02,
        "labels": "random",
        "split": "symmetric_closed",
        "init_seed": 5,
        "split_seed": 9,
        "modulus": 29,
        "temperature": 2.0,
    }
    assert {name: run.config[name] for name in expected} == expected
    assert run.steps == 30
    assert document["runs"][0]["generalization_step"] is None


def test_a_training_on_every_row_has_nothing_to_generalize_to(tmp_path):
    result = grok(tmp_path, "--bench", "F1", "--seeds", "1", "--fraction", "1", "--steps", "60", "--json")
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)["runs"][0]
    assert row["verdict"] is None
    assert row["final_train_accuracy"] > 0.99


def test_a_run_that_overflows_is_unstable_and_the_others_go_on(tmp_path):
    result = grok(tmp_path, "--bench", "F1", "--seeds", "2", "--lr", "1e20", "--steps", "40", "--json")
    assert result.exit_code == 0, result.output
    assert [row["verdict"] for row in json.loads(result.stdout)["runs"]] == ["unstable", "unstable"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--bench", "F33"], "no bench named 'F33'; closest names: "),
        (["--task", "divide", "--modulus", "96"], "needs a prime modulus, and 96 arrived"),
        (["--fraction", "1.5"], "fraction must lie in (0, 1], and 1.5 arrived"),
        (["--labels", "rnadom"], "no labels named 'rnadom'; closest names: ['random']"),
        (["--device", "tpu"], "no device 'tpu' on this machine"),
        (["--resume", "nothing"], "nothing"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(tmp_path, args, sentence):
    result = grok(tmp_path / "runs", *args)
    assert result.exit_code in (1, 2)
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_an_unwritable_store_is_said_before_any_training(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    result = CliRunner().invoke(command, ["grok", "--store", str(blocked / "runs"), "--bench", "F1", "--seeds", "1"])
    assert result.exit_code == 1
    assert "cannot be" in result.output
    assert "Traceback" not in result.output


def test_a_killed_study_resumes_and_ends_as_if_nothing_had_happened(tmp_path, short_study):
    whole_store, whole = short_study
    args = ["--bench", "F1", "--seeds", "2", "--no-report", "--store", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "phasescope.cli.main", "grok", "--processes", "1", *args],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and not any(run.steps > 100 for run in list_runs(tmp_path)):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20  # a killed worker's lock is freed when the system has buried it
    while time.monotonic() < deadline and {run.status for run in list_runs(tmp_path)} != {"interrupted"}:
        time.sleep(0.05)
    runs = list_runs(tmp_path)
    assert {run.status for run in runs} == {"interrupted"}
    result = grok(tmp_path, "--resume", runs[0].group, "--json", "--no-report")
    assert result.exit_code == 0, result.output
    for first, second in zip(json.loads(whole.stdout)["runs"], json.loads(result.stdout)["runs"], strict=True):
        assert {**first, "id": ""} == {**second, "id": ""}
        old, new = open_run(whole_store, first["id"]), open_run(tmp_path, second["id"])
        for name, series in old.all_series().items():
            assert series.values.tobytes() == new.series(name).values.tobytes(), name


def test_a_study_stopped_between_training_and_verdict_is_resumed_to_its_verdict(tmp_path, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("phasescope.studies.grokking.run.record_verdict", stop)
        grok(tmp_path, "--bench", "F1", "--seeds", "1", "--steps", "60", "--no-report")
    [run] = list_runs(tmp_path)
    assert run.status == "interrupted"
    result = grok(tmp_path, "--resume", run.id, "--json", "--no-report")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["runs"][0]["verdict"] == "memorization"


@pytest.mark.parametrize("modulus", [2, 3, 4, 24])
def test_a_measure_that_a_modulus_does_not_allow_is_left_out_and_said_so(tmp_path, modulus):
    args = ["--bench", "F1", "--seeds", "1", "--steps", "40", "--modulus", str(modulus), "--json"]
    result = grok(tmp_path, *args)
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)["runs"][0]
    assert row["verdict"] is not None
    events = open_run(tmp_path, row["id"]).events()
    assert any(event.kind == "not_measured" and f"p = {modulus}" in event.message for event in events)


def test_resuming_changes_no_setting(tmp_path):
    result = grok(tmp_path, "--resume", "group", "--steps", "10")
    assert result.exit_code == 2
    assert "keeps the settings it began with; leave out --steps" in result.output


def test_the_list_of_benches_is_for_people_and_machines(tmp_path):
    people = CliRunner().invoke(command, ["grok", "--list"]).output
    assert "F3" in people
    machines = json.loads(CliRunner().invoke(command, ["grok", "--list", "--json"]).output)
    assert {bench["name"] for bench in machines["benches"]} >= {"F1", "F2", "F3", "F4", "F6", "F9", "T1", "P113"}
