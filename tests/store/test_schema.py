"""The schema's versions: the oldest file still opens, is migrated once, and the printed schema is the real one."""

import sqlite3
from pathlib import Path

import pytest

from phasescope.errors import SchemaTooNewError
from phasescope.store import schema
from phasescope.store.runs import open_run, resume_recording

OLDEST = Path(__file__).parent / "schema_1.sql"  # as released with 0.1.0; never edited


def test_a_recording_with_the_oldest_schema_opens_and_goes_on(record, tmp_path):
    with record(2) as writer:
        pass
    database = writer.path / "data.sqlite"
    database.unlink()
    connection = sqlite3.connect(database)
    connection.executescript(OLDEST.read_text())
    connection.executescript(
        "INSERT INTO run VALUES (0, 'running', 3, ''), (1, 'failed', 2, 'NaN');"
        "INSERT INTO series VALUES (0, 'loss', 'nats');"
        "INSERT INTO scalar VALUES (0, 0, 3, 0.5), (1, 0, 2, NULL);"
    )
    connection.close()
    assert open_run(tmp_path, f"{writer.id}.0").series("loss").values.tolist() == [0.5]
    with resume_recording(tmp_path, writer.id) as again:
        assert again._connection.execute("PRAGMA user_version").fetchone()[0] == schema.version()
        again.append(0, 4, {"loss": 0.25})
    assert open_run(tmp_path, f"{writer.id}.0").series("loss").values.tolist() == [0.5, 0.25]
    assert open_run(tmp_path, f"{writer.id}.1").status == "failed"


@pytest.mark.parametrize("where", [":memory:", "disk"])
def test_migrations_run_once_each_and_in_order(monkeypatch, tmp_path, where):
    applied = []

    def add_color(connection):
        applied.append("color")
        connection.execute("ALTER TABLE run ADD COLUMN color TEXT NOT NULL DEFAULT 'gray'")

    def paint(connection):
        applied.append("paint")
        connection.execute("UPDATE run SET color = 'red'")

    connection = sqlite3.connect(tmp_path / "d.sqlite" if where == "disk" else where, isolation_level=None)
    schema.create(connection, 1)
    monkeypatch.setattr(schema, "MIGRATIONS", (add_color, paint))
    schema.check(connection, "d")  # a reader of the older schema still works
    for _ in range(2):
        schema.migrate(connection, "d")
    assert applied == ["color", "paint"]
    assert connection.execute("SELECT color FROM run").fetchone() == ("red",)
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    schema.check(connection, "d")
    monkeypatch.setattr(schema, "MIGRATIONS", (add_color,))
    with pytest.raises(SchemaTooNewError, match="schema 3, and this phasescope reads up to 2"):
        schema.migrate(connection, "d")
    connection.close()


def test_a_migration_that_fails_changes_nothing(monkeypatch):
    def half(connection):
        connection.execute("DELETE FROM run")
        raise RuntimeError("stopped halfway")

    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.create(connection, 3)
    monkeypatch.setattr(schema, "MIGRATIONS", (half,))
    with pytest.raises(RuntimeError):
        schema.migrate(connection, "d")
    assert connection.execute("SELECT count(*) FROM run").fetchone() == (3,)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_the_stored_oldest_schema_is_the_first_version():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(OLDEST.read_text())
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    schema.migrate(connection, "d")
    migrated = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    schema.create(fresh, 0)
    assert migrated == fresh.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    for (name,) in migrated:
        columns = [[row[1:3] for row in one.execute(f"PRAGMA table_info({name})")] for one in (connection, fresh)]
        assert columns[0] == columns[1]
    connection.close()
    fresh.close()
