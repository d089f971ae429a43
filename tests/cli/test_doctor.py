"""`phasescope doctor`: it says what is there, and fails when something does not work."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from phasescope.cli import checkup
from phasescope.cli.main import command
from phasescope.errors import StoreError
from phasescope.store import filesystem


def call(*arguments):
    return CliRunner().invoke(command, ["doctor", *(str(argument) for argument in arguments)])


def test_a_sound_installation(tmp_path):
    done = call("--store", tmp_path, "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 0, document["findings"]
    assert document["ok"] is True
    assert document["versions"]["torch"]
    assert document["sqlite"]["version"] == sqlite3.sqlite_version
    assert document["store"]["writable"] is True
    assert document["compute"]["devices"].startswith("cpu")
    checks = [one["message"] for one in document["findings"] if one["level"] == "ok"]
    assert checks == ["self-check: measures", "self-check: store"]
    assert list(tmp_path.iterdir()) == []


def test_a_broken_store_fails_with_the_reason(tmp_path, monkeypatch):
    def refuse():
        raise StoreError("no space left on the disk of runs")

    monkeypatch.setattr(checkup, "_write_and_read", refuse)
    done = call("--store", tmp_path / "not" / "yet")
    assert done.exit_code == 1
    assert "self-check: store: StoreError: no space left" in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_wrong_measure_is_noticed(monkeypatch):
    monkeypatch.setattr("phasescope.measures.transitions.find_transitions", lambda *_, **__: [])
    assert "located at []" in checkup._known_answer(0)


def test_a_network_file_system_and_a_missing_browser_are_notes(tmp_path, monkeypatch):
    monkeypatch.setattr(checkup, "is_network", lambda path: True)
    monkeypatch.setattr(checkup, "filesystem_type", lambda path: "nfs4")
    monkeypatch.setattr(checkup, "BROWSERS", ())
    monkeypatch.setattr(checkup, "MAC_BROWSERS", ())
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    _, findings = checkup.examine(tmp_path, 0)
    notes = " ".join(one.message for one in findings if one.level == "note")
    assert "lies on nfs4" in notes
    assert "Chrome or Chromium" in notes or "phasescope[export]" in notes
    assert all(one.level != "failed" for one in findings)
    assert "nfs4" in filesystem.NETWORK


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_the_versions_of_sqlite_with_the_race_of_two_writers(version, affected):
    assert checkup.has_wal_reset_race(version) is affected
