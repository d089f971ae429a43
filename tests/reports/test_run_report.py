"""Any run gets a report: its series, where they change, its settings, and whatever trouble it had."""

import pytest

from phasescope.errors import RunNotFoundError
from phasescope.reports.run_report import write_run_report
from phasescope.store.runs import create_recording


def test_the_transition_of_a_watched_run_is_located_and_told(hostile_store, tmp_path):
    root, run_id = hostile_store
    text = write_run_report(root, [run_id], tmp_path / "report.html").read_text(encoding="utf-8")
    verdict = text.partition('<p class="verdict">')[2].partition("</p>")[0]
    assert verdict.startswith("One transition was located in 4 series; the clearest is that of &lt;/script&gt;")
    assert "at step 15" in verdict or "at step 14" in verdict
    assert "&lt;svg onload=alert(4)&gt;" in text
    assert "There is no finite value to draw." in text
    assert text.count('class="plot"') == 8


def test_a_failed_run_is_reported_with_its_message(tmp_path):
    writer = create_recording(tmp_path, study="watch", config={}, runs=[{"seed": 1}])
    writer.append(0, 1, {"loss": 2.0})
    writer.set_status(0, "failed", "out of luck")
    writer.close(status="failed")
    text = write_run_report(tmp_path, [writer.id], tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No transition was located in 1 series." in text
    assert f"{writer.id} is failed at step 1 (out of luck)" in text


def test_a_run_without_any_series_is_reported(tmp_path):
    with create_recording(tmp_path, study="watch", config={}, runs=[{"seed": 1}]) as writer:
        pass
    text = write_run_report(tmp_path, [writer.id], tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No transition was located in 0 series." in text


def test_several_runs_share_their_figures(tmp_path):
    with create_recording(tmp_path, study="watch", config={}, runs=[{"seed": 1}, {"seed": 2}]) as writer:
        for run in (0, 1):
            for step in range(1, 8):
                writer.append(run, step, {"loss": 1.0 / step})
    text = write_run_report(tmp_path, writer.run_ids, tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('class="plot"') == 2
    assert "<h1>2 runs of watch</h1>" in text


def test_no_run_and_a_missing_run_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one run"):
        write_run_report(tmp_path, [], tmp_path / "report.html")
    with pytest.raises(RunNotFoundError):
        write_run_report(tmp_path, ["nothing"], tmp_path / "report.html")
