"""Labels are harmless, thinned curves keep their extremes, and a finished figure comes apart as it was put together."""

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasescope.figures.theme import HEIGHT, blank, escape, finish, log_axis, number, parts, thin, translucent

HOSTILE = "</script><script>alert(1)</script>"


def test_a_label_is_shown_literally():
    assert escape(HOSTILE) == "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
    assert escape("a & b\n<b>c</b>") == "a &amp; b &lt;b&gt;c&lt;/b&gt;"


@given(st.text(max_size=300))
def test_no_label_holds_markup_or_is_longer_than_its_limit(text):
    label = escape(text, limit=50)
    assert "<" not in label
    assert ">" not in label
    assert len(label.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= 50


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_thinned_curve_keeps_the_spike_and_the_dip(logarithmic):
    steps = np.arange(1.0, 50_001.0)
    values = np.sin(steps / 5000)
    values[31_415], values[2_718] = 9.0, -9.0
    x, y = thin(steps, values, logarithmic=logarithmic)
    assert len(x) <= 2000
    assert (np.diff(x) > 0).all()
    assert (y.max(), y.min()) == (9.0, -9.0)
    assert np.isin(x, steps).all()
    assert np.array_equal(y, values[np.searchsorted(steps, x)])


def test_logarithmic_thinning_keeps_the_first_decades():
    steps = np.arange(1.0, 1_000_001.0)
    x, _ = thin(steps, np.random.default_rng(0).random(steps.size), logarithmic=True)
    assert (x <= 100).sum() >= 90


def test_a_short_curve_is_not_thinned_and_a_gap_stays_a_gap():
    x, y = thin([1, 2, 3], [1.0, np.nan, 3.0])
    assert x.tolist() == [1, 2, 3]
    assert np.isnan(y[1])
    steps = np.arange(10_000.0)
    values = np.where((steps > 4000) & (steps < 6000), np.nan, 1.0)
    x, y = thin(steps, values)
    assert np.isnan(y[(x > 4010) & (x < 5990)]).all()


def test_a_finished_figure_comes_apart_again():
    figure = finish(blank(height=300), title=f"Title {HOSTILE}", summary="One <sentence>.", caveats=("It is & was.",))
    assert "<script" not in figure.layout.title.text
    [note] = [note for note in figure.layout.annotations if note.name == "caveats"]
    assert note.text == "caveat: It is &amp; was."
    assert figure.layout.height > 300
    found = parts(figure)
    assert found.title == f"Title {HOSTILE}"
    assert (found.summary, found.caveats) == ("One <sentence>.", ("It is & was.",))
    assert not found.plot.layout.annotations
    assert not found.plot.layout.title.text
    assert found.plot.layout.height is None
    assert found.plot.layout.margin.b == blank().layout.template.layout.margin.b


def test_a_figure_from_elsewhere_comes_apart_too():
    found = parts(go.Figure(layout={"title": {"text": "a &lt; b"}}))
    assert (found.title, found.summary, found.caveats) == ("a < b", "", ())
    assert found.height < HEIGHT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (0.017, "0.017"),
        (505.0, "505"),
        (12345.0, "12,345"),
        (-2.5, "−2.5"),
        (0.000012, "1.2×10⁻⁵"),
        (3.2e9, "3.2×10⁹"),
    ],
)
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("low", "high", "dtick"), [(1, 1000, 1), (1, 1e12, 2), (40, 700, "D2")])
def test_a_logarithmic_axis_has_few_ticks(low, high, dtick):
    axis = go.layout.XAxis()
    log_axis(axis, low, high)
    assert (axis.type, axis.dtick) == ("log", dtick)
    assert axis.range == pytest.approx((np.log10(low), np.log10(high)))


def test_translucent():
    assert translucent("#ff8000", 0.25) == "rgba(255,128,0,0.25)"
