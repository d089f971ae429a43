-- One row per run of the recording, written when the recording is made.
CREATE TABLE run (
    run     INTEGER PRIMARY KEY,            -- 0 … R−1, the position along the run axis
    status  TEXT NOT NULL,                  -- running | finished | failed
    step    INTEGER NOT NULL,               -- last training step recorded; 0 before the first
    message TEXT NOT NULL                   -- why it failed or ended; empty when there is nothing to say
);

-- Names of the scalar series; all runs of a recording share them.
CREATE TABLE series (
    series  INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,           -- for example train/loss
    unit    TEXT NOT NULL                   -- for example nats; empty for a pure number
);

-- Scalars as they arrive: the newest points of every series, and all points of a short one.
CREATE TABLE scalar (
    run     INTEGER NOT NULL,
    series  INTEGER NOT NULL,
    step    INTEGER NOT NULL,               -- training step
    value   REAL,                           -- NULL is NaN
    PRIMARY KEY (run, series, step)
) WITHOUT ROWID;

-- Sealed scalars: a thousand or more points of one series in two blobs, read 25 times faster than rows.
-- A point that is also in `scalar` counts as it stands there.
CREATE TABLE chunk (
    run        INTEGER NOT NULL,
    series     INTEGER NOT NULL,
    first_step INTEGER NOT NULL,
    last_step  INTEGER NOT NULL,
    steps      BLOB NOT NULL,               -- little-endian int64, increasing
    vals       BLOB NOT NULL,               -- little-endian float64, as many
    PRIMARY KEY (run, series, first_step)
) WITHOUT ROWID;

-- Arrays along training: snapshots of parameters, spectra, embeddings.
CREATE TABLE array (
    run     INTEGER NOT NULL,
    name    TEXT NOT NULL,                  -- for example params/embedding
    step    INTEGER NOT NULL,
    dtype   TEXT NOT NULL,                  -- NumPy's name, little-endian: <f4, <i8, |b1, …
    shape   TEXT NOT NULL,                  -- JSON list of lengths
    data    BLOB NOT NULL,                  -- the elements in C order
    PRIMARY KEY (run, name, step)
);

-- What was concluded about a run: a verdict, its transitions, its delay.
CREATE TABLE result (
    run      INTEGER NOT NULL,
    name     TEXT NOT NULL,
    step     INTEGER NOT NULL,              -- last step recorded when it was written; going back before it drops it
    document TEXT NOT NULL,                 -- JSON object
    PRIMARY KEY (run, name)
);

-- What happened on the way: a resumption, a loss that became NaN, a caveat of the store itself.
CREATE TABLE event (
    event   INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    message TEXT NOT NULL
);

-- Where to go on after an interruption; only the newest checkpoint is kept.
CREATE TABLE checkpoint (
    step   INTEGER PRIMARY KEY,
    state  TEXT NOT NULL,                   -- JSON object
    arrays BLOB NOT NULL                    -- safetensors
);
PRAGMA user_version = 1;
