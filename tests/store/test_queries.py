"""What is written comes back, from a database in memory and on disk alike.

Only these tests see: points lost or doubled where rows meet sealed chunks, and a rewind that keeps too much or too
little (against a dictionary as the truth, over random histories).
"""

import math
import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasescope.errors import CorruptRunError
from phasescope.store import queries, sealing
from phasescope.store.batch import Batch
from phasescope.store.rewinding import rewind
from phasescope.store.schema import create
from phasescope.store.sealing import Sealer


def test_scalars_come_back_in_order_with_nan_and_infinity(database):
    batch = Batch(database, [0, 0])
    for step, value in ((5, math.nan), (1, 0.1), (3, math.inf), (2, -math.inf)):
        batch.add_scalars(1, step, {"train/loss": value})
    batch.commit(Sealer(database))
    series = queries.series(database, 1, "train/loss")
    assert series.steps.tolist() == [1, 2, 3, 5]
    np.testing.assert_array_equal(series.values, [0.1, -math.inf, math.inf, math.nan])
    assert series.steps.dtype == np.int64
    assert series.values.dtype == np.float64
    assert queries.series_names(database, 0) == []
    assert len(queries.series(database, 0, "train/loss")) == 0
    assert queries.series(database, 0, "train/lost") is None


def test_a_series_longer_than_a_chunk_is_sealed_and_reads_the_same(database):
    batch, sealer = Batch(database, [0, 0]), Sealer(database)
    for step in range(2_500):
        batch.add_scalars(0, step, {"loss": step / 7})
        if step % 300 == 299:
            batch.commit(sealer)
    batch.commit(sealer)
    assert database.execute("SELECT count(*) FROM chunk").fetchone()[0] == 2
    assert database.execute("SELECT count(*) FROM scalar").fetchone()[0] < sealing.CHUNK
    series = queries.series(database, 0, "loss")
    np.testing.assert_array_equal(series.steps, np.arange(2_500))
    np.testing.assert_array_equal(series.values, np.arange(2_500) / 7)


def test_a_step_written_again_replaces_a_sealed_point(database):
    batch, sealer = Batch(database, [0, 0]), Sealer(database)
    for step in range(1_500):
        batch.add_scalars(0, step, {"loss": 1.0})
    batch.commit(sealer)
    batch.add_scalars(0, 700, {"loss": 2.0})
    batch.commit(sealer)
    series = queries.series(database, 0, "loss")
    assert len(series) == 1_500
    assert series.values[700] == 2.0
    assert series.values.sum() == 1_501.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 60), st.integers(1, 12), st.floats(-5, 5)),
            st.tuples(st.just("rewind"), st.integers(0, 60), st.just(0), st.just(0.0)),
            st.tuples(st.just("commit"), st.just(0), st.just(0), st.just(0.0)),
        ),
        max_size=40,
    )
)
def test_any_history_of_appends_and_rewinds_reads_like_a_dictionary(history):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "CHUNK", 5)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        create(connection, 1)
        batch, sealer = Batch(connection, [0]), Sealer(connection)
        truth: dict[int, float] = {}
        for action, step, n_points, value in history:
            if action == "append":
                for at in range(step, step + n_points):
                    batch.add_scalars(0, at, {"x": value})
                    truth[at] = value
            elif action == "commit":
                batch.commit(sealer)
            else:
                batch.commit(sealer)
                rewind(connection, step)
                sealer.recount()
                truth = {at: kept for at, kept in truth.items() if at <= step}
        batch.commit(sealer)
        series = queries.series(connection, 0, "x")
        connection.close()
    found = {} if series is None else dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))
    assert found == truth


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array(3.5),
        np.zeros((0, 4), dtype=np.int16),
        np.array([[True, False]]),
        np.array([1 + 2j, 3j]),
        np.arange(4, dtype=">f8"),
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::2],
        np.array([0.1, 6e4], dtype=np.float16),
        np.array([2**63], dtype=np.uint64),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_come_back_bit_for_bit(database, array):
    batch = Batch(database, [0, 0])
    batch.add_array(0, "params/w", 7, array)
    batch.commit(Sealer(database))
    found = queries.array(database, 0, "params/w", 7)
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("<")
    np.testing.assert_array_equal(found, array)
    found[...] = 0  # writable, in memory of its own


def test_the_last_array_is_the_default(database):
    batch = Batch(database, [0, 0])
    for step in (1, 100, 20):
        batch.add_array(0, "plane", step, np.array([step]))
    batch.commit(Sealer(database))
    assert queries.array_steps(database, 0, "plane") == [1, 20, 100]
    assert queries.array(database, 0, "plane", None).tolist() == [100]
    assert queries.array(database, 0, "plane", 20).tolist() == [20]
    assert queries.array(database, 0, "plane", 21) is None
    assert queries.array_names(database, 0) == ["plane"]


@pytest.mark.parametrize(
    "array", [np.array([object()]), np.array(["text"]), np.array(["2020"], "M8[Y]")], ids=["object", "text", "date"]
)
def test_objects_and_texts_are_no_arrays(database, array):
    with pytest.raises(TypeError, match="cannot be stored"):
        Batch(database, [0, 0]).add_array(0, "a", 0, array)


@pytest.mark.parametrize(
    ("dtype", "shape", "data", "complaint"),
    [
        ("|O", "[1]", b"12345678", "dtype"),
        ("<f8", "[1000000000000, 1000000000000]", b"", "bytes"),
        ("<f8", "[-1, -1]", b"12345678", "shape"),
        ("<f8", "[1.0]", b"12345678", "shape"),
        ("<f8", "[true]", b"12345678", "shape"),
        ("<f8", "{}", b"", "shape"),
        ("<f8", "[" * 5000, b"", "shape"),
        ("<f8", str([1] * 40), b"12345678", "shape"),
        ("<f8", "[2]", b"12345678", "16 bytes, and holds 8"),
        ("<f8", "[1]", "a text", "holds 0"),
        (7, "[1]", b"12345678", "dtype"),
    ],
)
def test_an_array_that_lies_about_itself_is_refused_before_anything_is_allocated(
    database, dtype, shape, data, complaint
):
    database.execute("INSERT INTO array VALUES (0, 'a', 0, ?, ?, ?)", (dtype, shape, data))
    with pytest.raises(CorruptRunError, match=complaint):
        queries.array(database, 0, "a", None)


def test_text_where_a_number_belongs_is_a_corrupt_run(database):
    database.execute("INSERT INTO series VALUES (0, 'loss', '')")
    database.execute("INSERT INTO scalar VALUES (0, 0, 1, 'zero')")
    with pytest.raises(CorruptRunError, match="something else than numbers"):
        queries.series(database, 0, "loss")


def test_a_torn_chunk_is_a_corrupt_run(database):
    database.execute("INSERT INTO series VALUES (0, 'loss', '')")
    database.execute("INSERT INTO chunk VALUES (0, 0, 1, 2, ?, ?)", (b"1234567", b"1234567"))
    with pytest.raises(CorruptRunError, match="damaged chunk"):
        queries.series(database, 0, "loss")


@pytest.mark.parametrize("document", ["{", "[1]", '{"a":' * 200 + "1" + "}" * 200, 3])
def test_a_result_that_is_no_object_is_a_corrupt_run(database, document):
    database.execute("INSERT INTO result VALUES (0, 'verdict', 0, ?)", (document,))
    with pytest.raises(CorruptRunError):
        queries.results(database, 0)
    with pytest.raises(CorruptRunError):
        queries.outcomes(database, 2)
