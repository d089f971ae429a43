"""Tables show every cell literally, as HTML and as CSV, and a figure's points come out of it as they went in."""

import base64
import csv
import io

import numpy as np
import plotly.graph_objects as go
from hypothesis import given
from hypothesis import strategies as st

from phasescope.figures.curves import Curve
from phasescope.reports.tables import Table, digest, table_of


def test_cells_are_escaped_and_missing_numbers_shown():
    text = Table(columns=("<b>", "n"), rows=[("<img src=x onerror=alert(1)>", None), ("a", 0.5)]).to_html()
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert '<th scope="col">&lt;b&gt;</th>' in text
    assert '<td class="number">–</td>' in text


def test_of_a_long_table_evenly_spaced_rows_are_shown():
    text = Table(columns=("n",), rows=[(value,) for value in range(1001)]).to_html(max_rows=11)
    assert text.count("<tr>") == 12
    assert "11 of 1,001 rows" in text
    assert '<td class="number">100</td>' in text


def test_spreadsheets_get_no_formula():
    text = Table(columns=("=1+1",), rows=[("=cmd|' /C calc'!A0",), ("@x",), ("-y",), (-2.5,)]).to_csv()
    assert [row[0] for row in csv.reader(io.StringIO(text))] == ["'=1+1", "'=cmd|' /C calc'!A0", "'@x", "'-y", "-2.5"]


@given(st.lists(st.tuples(st.floats(allow_nan=False), st.integers()), max_size=20))
def test_numbers_survive_the_way_through_csv(rows):
    text = Table(columns=("x", "n"), rows=rows).to_csv()
    assert [(float(x), int(n)) for x, n in list(csv.reader(io.StringIO(text)))[1:]] == rows


def test_the_address_of_the_data_holds_the_csv():
    table = Table(columns=("x",), rows=[(1,), (2,)])
    kind, _, content = table.to_data_uri().partition(",")
    assert kind == "data:text/csv;charset=utf-8;base64"
    assert base64.b64decode(content).decode() == "x\n1\n2\n"


def test_a_figures_points_come_out_again():
    figure = go.Figure()
    figure.add_scatter(x=np.array([1.0, 2.0]), y=[0.5, np.nan], name="a &lt; b", meta="seed 0")
    figure.add_heatmap(x=[1, 2], y=[3], z=[[7.0, 8.0]], name="heat")
    figure.update_layout(xaxis_title_text="step", yaxis_title_text="value &amp; more")
    table = table_of(figure)
    assert table.columns == ["curve", "run", "step", "value & more", "value"]
    assert table.rows == [
        ["a < b", "seed 0", 1.0, 0.5, None],
        ["a < b", "seed 0", 2.0, None, None],
        ["heat", "", 1, 3, 7.0],
        ["heat", "", 2, 3, 8.0],
    ]


def test_columns_without_content_are_left_out():
    table = table_of(go.Figure(go.Scatter(x=[1], y=[2])))
    assert table.columns == ["x", "y"]
    assert table.rows == [[1, 2]]


def test_a_digest_gives_medians_and_ranges_at_a_few_steps():
    curves = [
        Curve(name="loss", steps=np.array([0.0, 1000.0]), values=np.array([level, level + 1.0]))
        for level in (0.0, 2.0, 4.0)
    ]
    curves.append(Curve(name="loss", steps=np.array([0.0, 10.0]), values=np.array([9.0, 9.0])))
    table = digest(curves, n_rows=4)
    assert table.columns == ["step", "loss, median", "range"]
    assert [row[0] for row in table.rows] == [1, 10, 100, 1000]
    assert table.rows[1][1:] == [3.01, "0.01 … 9"]
    assert table.rows[2][1:] == [2.1, "0.1 … 4.1"]  # the short curve has ended


def test_a_digest_of_single_curves_has_no_ranges():
    table = digest([Curve(name="loss", steps=np.array([1.0, 100.0]), values=np.array([1.0, 2.0]))], n_rows=2)
    assert table.columns == ["step", "loss"]
    assert table.rows == [[1, 1.0], [100, 2.0]]
    assert digest([]).rows == []
