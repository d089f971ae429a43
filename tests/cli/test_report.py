"""`phasescope report` where a part of a group cannot be read: the rest gets its report, and the part is named."""

from click.testing import CliRunner

from phasescope.cli.main import command
from phasescope.store.runs import create_recording


def recorded(root, seed):
    with create_recording(root, study="demo", config={}, runs=[{"seed": seed}], group="both") as writer:
        for step in range(20):
            writer.append(0, step, {"loss": 1.0 / (1 + step)})
    return writer


def report(root, name):
    return CliRunner().invoke(command, ["report", name, "--store", str(root)])


def test_a_group_with_one_corrupt_recording_is_reported_without_it(tmp_path):
    whole, broken = recorded(tmp_path, 0), recorded(tmp_path, 1)
    (broken.path / "data.sqlite").write_text("no database")
    result = report(tmp_path, "both")
    assert result.exit_code == 1
    assert result.stderr.count(broken.id) == 1
    text = (tmp_path / "both.html").read_text()
    assert whole.run_ids[0] in text
    assert broken.run_ids[0] not in text


def test_where_nothing_can_be_read_the_reason_is_given(tmp_path):
    broken = recorded(tmp_path, 1)
    (broken.path / "data.sqlite").write_text("no database")
    result = report(tmp_path, "both")
    assert result.exit_code == 1
    assert "not an SQLite database" in result.stderr
    assert not (tmp_path / "both.html").exists()
