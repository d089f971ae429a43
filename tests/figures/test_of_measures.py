"""What each figure shows is what its result holds: points, intervals, marks and the numbers in the sentence."""

import numpy as np
import pytest

from phasescope import figures
from phasescope.figures.delay import RunSteps, draw_run_steps
from phasescope.figures.fourier import draw_power_over_time
from phasescope.figures.mirage import draw_steepness
from phasescope.figures.representation import circularity_of, draw_plane, strongest_frequency
from phasescope.figures.survival import draw_survivals
from phasescope.figures.transitions import band, draw_order
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.survival import kaplan_meier


def named(figure, name):
    [trace] = [trace for trace in figure.data if trace.name == name]
    return trace


def test_a_transition_shows_points_fit_and_interval(results):
    result = results["Transition"]
    figure = figures.draw(result)
    assert list(named(figure, "test/accuracy").y) == result.values.tolist()
    assert list(named(figure, "fit").y) == result.fit.tolist()
    [interval] = [shape for shape in figure.layout.shapes if shape.name == "midpoint interval"]
    assert (interval.x0, interval.x1) == result.midpoint_interval


def test_the_band_of_a_transition_runs_from_a_tenth_to_nine_tenths_of_the_change(results):
    shown = band(results["Transition"])
    assert shown.low == results["Transition"].onset
    assert shown.low * shown.high == pytest.approx(shown.center**2)  # symmetric in log-time
    assert 250 < shown.low < 400 < shown.high < 700


def test_transitions_are_ordered_by_their_midpoints(results):
    result = results["Transition"]
    figure = draw_order([("seed 0", result), ("seed 1", result)], title="t")
    assert list(figure.layout.yaxis.ticktext) == ["test/accuracy"]
    assert list(named(figure, "test/accuracy: midpoint").x) == [result.midpoint] * 2


def test_a_delay_shows_both_brackets(results):
    result = results["Delay"]
    figure = figures.draw(result)
    marks = {trace.name: trace for trace in figure.data}
    low, high = result.generalization_step_interval
    assert marks["generalization"].x[0] == result.generalization_step
    assert marks["generalization"].x[0] - marks["generalization"].error_x.arrayminus[0] == low
    assert marks["memorization"].x[0] == result.memorization_step
    assert high == result.generalization_step


def test_runs_are_drawn_by_generalization_and_censored_ones_marked():
    runs = [
        RunSteps(run="late", memorization=50, generalization=600, last_step=1200),
        RunSteps(run="never", memorization=60, generalization=None, last_step=1500),
        RunSteps(run="early", memorization=40, generalization=400, last_step=800),
    ]
    figure = draw_run_steps(runs, title="t")
    assert list(figure.layout.yaxis.categoryarray) == ["never", "late", "early"]
    assert list(named(figure, "generalization").x) == [400, 600]
    censored = named(figure, "not generalized (censored)")
    assert (list(censored.x), list(censored.y)) == ([1500], ["never"])
    expected = (
        "Of the networks, 3 of 3 memorized, between steps 40 and 60; 2 of 3 generalized, between steps 400 and 600."
    )
    assert figure.layout.meta["summary"] == expected


def test_a_survival_curve_shows_steps_band_and_censoring():
    curve = kaplan_meier([400, 450, 500, 600, 1500], [True, True, True, True, False])
    figure = draw_survivals({"generalization": curve}, title="t")
    line = named(figure, "generalization")
    assert list(line.y[:-1]) == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.2])
    assert list(line.x[1:-1]) == [400, 450, 500, 600, 1500]
    assert list(named(figure, "generalization: censored").x) == [1500]
    assert "edian generalization step 500" in figure.layout.meta["summary"]


def test_a_median_that_was_not_reached_is_not_invented():
    curve = kaplan_meier([400, 1500, 1500], [True, False, False])
    summary = draw_survivals({"generalization": curve}, title="t").layout.meta["summary"]
    assert "not reached (1 of 3 runs got there)" in summary


@pytest.mark.parametrize("frequency", [1, 4, 9])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_circle_is_recognized_whichever_way_it_turns(frequency, turn):
    angle = turn * 2 * np.pi * frequency * np.arange(23) / 23
    plane = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert strongest_frequency(plane) == frequency
    assert circularity_of(plane, frequency) == pytest.approx(1)
    figure = draw_plane(plane, title="t")
    assert "is a circle (circularity 1 of 1)" in figure.layout.meta["summary"]
    assert list(named(figure, "residues").marker.color) == [frequency * residue % 23 for residue in range(23)]


def test_circularity_of_a_drawn_plane_is_that_of_the_measure():
    embedding = np.random.default_rng(0).normal(size=(31, 4))
    result = principal_plane(embedding)
    assert circularity_of(result.coordinates, result.frequency) == pytest.approx(result.estimate, rel=1e-6)


def test_names_of_residues_keep_clear_of_the_points():
    angle = 2 * np.pi * np.arange(53) / 53
    plane = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    figure = draw_plane(plane, title="t", label_residues=True)
    names = named(figure, "names of the residues")
    places = np.stack([names.x, names.y], axis=1)
    distances = np.hypot(*(places[:, None] - plane[None]).transpose(2, 0, 1))
    assert distances.min() > 0.05


def test_power_over_time_is_told_against_an_even_spread():
    power = np.ones((4, 6))
    power[-1, 3] = 95.0
    figure = draw_power_over_time([0, 10, 100, 1000], power, title="t", keys=[3])
    heat = named(figure, "log10 of power over an even spread")
    assert list(heat.x) == [10, 100, 1000]
    assert list(heat.y) == [1, 2, 3, 4, 5]
    z = np.array(heat.z)
    assert z[:, 0] == pytest.approx(np.zeros(5))
    assert z[2, -1] == pytest.approx(np.log10(5 * 95 / 99))
    assert list(named(figure, "key frequency of the final network").y) == [3]
    assert "96 % at step 1,000" in figure.layout.meta["summary"]


def test_key_frequencies_stand_out(results):
    figure = figures.draw(results["KeyFrequencies"])
    assert list(named(figure, "key frequency").x) == [3]
    assert list(named(figure, "other frequency").x) == [1, 2, 4, 5, 6]


@pytest.mark.parametrize(("name", "whole"), [("RestrictedLoss", "full_loss"), ("ExcludedLoss", "train_loss")])
def test_losses_stand_beside_that_of_the_whole_network(name, whole, results):
    result = results[name]
    figure = figures.draw(result)
    assert list(named(figure, "loss").x) == [getattr(result, whole), result.estimate]
    assert list(named(figure, "as many frequencies at random, 95 %").x) == list(result.null_interval)


def test_every_metric_runs_from_its_worst_to_its_best(results):
    figure = figures.draw(results["Mirage"])
    assert [trace.name.split(":")[0] for trace in figure.data] == ["accuracy", "cross-entropy"]
    for trace in figure.data:
        assert (np.min(trace.y), np.max(trace.y)) == pytest.approx((0, 1))
        assert trace.y[-1] == pytest.approx(1)


def test_steepness_is_shown_with_its_interval_and_the_threshold(results):
    result = results["Mirage"]
    figure = draw_steepness(result)
    for trace, metric in zip(figure.data, result.metrics, strict=True):
        assert trace.x[0] == metric.estimate
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(metric.interval[1])
    assert figure.layout.shapes[0].x0 == result.sharp_above


def test_a_verdict_gives_its_reason(results):
    figure = figures.draw(results["Verdict"])
    assert figure.layout.title.text == "Verdict: grokking"
    assert "0.99" in figure.layout.meta["summary"]
