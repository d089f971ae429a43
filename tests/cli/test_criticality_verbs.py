"""`phasescope sandpile`, `branching` and `calibrate` from the command line, as their user types them.

Only this file sees: a document whose keys are not the promised ones, an option that never reaches the simulation, and
a report that `phasescope report` cannot write again.
"""

import json

import pytest
from click.testing import CliRunner

from phasescope.cli.main import command


def run(*args):
    return CliRunner().invoke(command, [str(arg) for arg in args])


def test_sandpile_prints_the_promised_document_and_its_report_can_be_written_again(tmp_path):
    result = run("sandpile", "--size", 12, "--grains", 5_000, "--bootstrap", 100, "--store", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == 1
    assert document["mean_topplings"] == pytest.approx(document["exact_mean_topplings"], rel=0.1)
    assert document["topplings_per_second"] > 0
    assert {"exponents", "verdict", "reason", "power_law", "published_criterion"} <= set(document)
    assert set(document["exponents"]) == {"size_exponent", "duration_exponent", "mean_size_exponent"}
    again = run("report", document["id"], "--store", tmp_path, "--output", tmp_path / "again.html")
    assert again.exit_code == 0, again.output
    with open(document["report"], encoding="utf-8") as page:
        assert page.read() == (tmp_path / "again.html").read_text()


def test_sandpile_speaks_to_people_on_standard_error(tmp_path):
    result = run(
        "sandpile", "--model", "manna", "--size", 10, "--grains", 2_000, "--bootstrap", 100, "--store", tmp_path
    )
    assert result.exit_code == 0, result.output
    assert "Manna sandpile" in result.stderr
    assert "verdict" in result.stderr
    assert result.stdout.startswith("report: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "bak"], "btw"),
        (["--boundary", "periodic"], "grains must be able to leave"),
        (["--model", "directed", "--dissipation", "2"], "dissipation means nothing to the directed model"),
        (["--drive", "centre"], "drive is one of"),
    ],
)
def test_a_wrong_sandpile_gets_one_sentence_and_leaves_nothing_behind(options, message, tmp_path):
    result = run("sandpile", "--grains", 100, "--store", tmp_path / "runs", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "runs").exists()


def test_branching_prints_the_ratio_at_every_share(tmp_path):
    options = [
        "--ratio",
        0.9,
        "--bins",
        20_000,
        "--sampling",
        1,
        "--sampling",
        0.1,
        "--trees",
        2_000,
        "--bootstrap",
        100,
    ]
    result = run("branching", *options, "--store", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [one["share"] for one in document["sampled"]] == [1.0, 0.1]
    assert all(one["interval"][0] < 0.9 < one["interval"][1] for one in document["sampled"])
    again = run("report", document["id"], "--store", tmp_path, "--output", tmp_path / "again.html")
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sampling", "2"], "share of events seen"),
        (["--offspring", "binary"], "offspring is one of"),
        (["--ratio", "-1"], "positive number"),
        (["--drive", "0"], "drive > 0"),
    ],
)
def test_a_wrong_branching_process_gets_one_sentence(options, message, tmp_path):
    result = run("branching", "--trees", 100, "--bins", 1_000, "--store", tmp_path / "runs", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "runs").exists()


def test_calibrate_prints_coverage_by_case():
    listed = json.loads(run("calibrate", "--list", "--json").stdout)
    assert all({"name", "system", "trials"} == set(one) for one in listed["cases"])
    name = next(one["name"] for one in listed["cases"] if one["name"].startswith("power law"))
    result = run("calibrate", name, "--trials", 4, "--processes", 0, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    rows = document["estimates"] + document["decisions"]
    assert rows
    assert all(row["n_trials"] == 4 for row in rows)
    people = run("calibrate", name, "--trials", 4, "--processes", 0)
    assert "coverage of 95 % is known to" in people.stderr


def test_calibrate_names_the_nearest_case():
    result = run("calibrate", "power lew")
    assert result.exit_code == 2
    assert "power law" in result.stderr
