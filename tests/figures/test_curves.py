"""The plotted points are the recorded ones, on the axes asked for, and the band stands where the transition is."""

import numpy as np
import pytest

from phasescope.figures.curves import Axes, Band, Curve, draw_curves
from phasescope.figures.theme import TEST, TRAIN

STEPS = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])


def curves(n_runs=3):
    rising = [
        Curve(name="train", steps=STEPS, values=np.linspace(0, 1, 5) + run, run=f"r{run}") for run in range(n_runs)
    ]
    falling = [Curve(name="test", steps=STEPS, values=np.linspace(1, 0, 5), run=f"r{run}") for run in range(n_runs)]
    return rising + falling


def test_linear_axes_show_every_point():
    figure = draw_curves(curves(), axes=Axes(value_label="accuracy", log_steps=False), title="t")
    assert len(figure.data) == 6
    assert list(figure.data[1].x) == STEPS.tolist()
    assert list(figure.data[1].y) == (np.linspace(0, 1, 5) + 1).tolist()
    assert figure.layout.xaxis.type is None
    assert figure.layout.xaxis.title.text == "training step (linear)"
    assert figure.layout.yaxis.title.text == "accuracy"


def test_what_has_no_place_on_a_logarithmic_axis_is_left_out():
    figure = draw_curves(curves(1), axes=Axes(value_label="loss", log_values=True), title="t")
    train, test = figure.data
    assert list(train.x) == [1, 10, 100, 1000]
    assert np.isnan(test.y[-1])
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.xaxis.range == pytest.approx((0, 3))


def test_each_name_has_one_legend_entry_one_hue_and_one_dash():
    figure = draw_curves(curves(), axes=Axes(value_label="accuracy"), title="t")
    assert [trace.showlegend for trace in figure.data] == [True, False, False, True, False, False]
    assert {(trace.line.color, trace.line.dash) for trace in figure.data} == {(TRAIN, "solid"), (TEST, "dash")}
    assert figure.layout.showlegend


def test_one_name_needs_no_legend():
    figure = draw_curves(curves(2)[:2], axes=Axes(value_label="accuracy"), title="t")
    assert not figure.layout.showlegend


@pytest.mark.parametrize("log_steps", [True, False])
def test_the_band_stands_where_the_transition_is(log_steps):
    band = Band(low=100, high=400, center=200, label="<here>")
    figure = draw_curves(curves(1), axes=Axes(value_label="a", log_steps=log_steps), title="t", band=band)
    rectangle, line = figure.layout.shapes
    assert (rectangle.x0, rectangle.x1, line.x0) == (100, 400, 200)
    [note] = figure.layout.annotations
    assert note.text == "&lt;here&gt;"
    assert note.x == pytest.approx(np.log10(200) if log_steps else 200)


def test_the_summary_tells_first_and_last_value():
    figure = draw_curves(curves(), axes=Axes(value_label="accuracy"), title="t")
    expected = "First to last evaluation: train from 1 to 2 and test from 1 to 0 (medians of 3 runs)."
    assert figure.layout.meta["summary"] == expected


def test_a_curve_without_a_finite_value_is_drawn_empty():
    nothing = Curve(name="nan", steps=STEPS, values=np.full(5, np.nan))
    figure = draw_curves([nothing], axes=Axes(value_label="a", log_values=True), title="t")
    assert figure.layout.meta["summary"] == "There is no finite value to draw."
    assert draw_curves([], axes=Axes(value_label="a"), title="t").layout.xaxis.type == "log"


def test_a_long_curve_is_thinned():
    long = Curve(name="long", steps=np.arange(1.0, 30_001.0), values=np.arange(30_000.0))
    figure = draw_curves([long], axes=Axes(value_label="a", log_steps=False), title="t")
    assert len(figure.data[0].x) <= 2000
