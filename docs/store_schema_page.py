"""The page docs/reference/store-schema.md."""

from __future__ import annotations

from phasescope.store import arrays, environment, manifest, schema, sealing


def store_schema() -> str:
    """The page."""
    return f"""# Store schema

<!-- Written by docs/build_reference.py; edit the code instead. -->

A store is a directory of recordings. A recording is a directory with three files, and copying it copies everything:

| file | what it holds |
|---|---|
| `run.json` | format {manifest.FORMAT}: study, group, status, settings, environment; replaced in one step |
| `data.sqlite` | schema version {schema.version()}: curves, arrays, results, events, the newest checkpoint |
| `writer.lock` | locked by the process that writes; the system frees it when that process dies |

While a recording is written there are also `data.sqlite-wal` and `data.sqlite-shm`. They belong to it: after a
`kill -9` the first holds what was committed last, so copy it along. A recording that was closed has none.

A recording holds one run, or the R runs of one ensemble process. The id of a run is that of its recording, followed by
`.0` … `.R−1` when there are several. Ids match `[A-Za-z0-9][A-Za-z0-9_-]{{0,99}}`.

## Statuses

| status | meaning |
|---|---|
| `running` | a living process holds `writer.lock` |
| `interrupted` | `run.json` says running, and nobody holds the lock |
| `finished`, `failed` | closed by its writer; a failed run keeps its rows and the message |
| `corrupt` | in lists only: the directory cannot be read, and the message says why |

A single run of a recording may finish or fail before the others; `run.json` repeats what the runs have come to when the
recording is closed, so that a list need not open the databases of closed recordings.

## Environment

`run.json` records {", ".join(f"`{name}`" for name in sorted(environment.ALLOWED))} and nothing else: no environment
variables, no host or user name, no path.

## Tables

`PRAGMA user_version` is the schema version. An older file is migrated when its recording is resumed, and read as it is
before that; a newer one is refused with a sentence.

```sql
{schema.SCHEMA}```

Arrays have one of the dtypes {", ".join(f"`{name}`" for name in sorted(arrays.DTYPES))}.
Series of {sealing.CHUNK} points and more are sealed into chunks as they grow.

## Reading with other programs

Open the file read-only (`sqlite3 'file:data.sqlite?mode=ro'`), and read within one transaction what belongs together.
Never open it for writing while its recording runs: one writer per file is what keeps it whole. For a table of all
curves, `phasescope runs export RUN` writes CSV or Parquet.
"""
