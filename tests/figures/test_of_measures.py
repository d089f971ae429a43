"""What each figure shows is what its result holds: points, intervals, marks and the numbers in the sentence."""

import dataclasses
from types import SimpleNamespace

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


def test_a_power_law_shows_data_law_interval_and_start(results):
    result = results["PowerLaw"]
    figure = figures.draw(result)
    assert list(named(figure, "data").y) == result.survival.tolist()
    law = named(figure, f"power law, α = {result.estimate:.3g}")
    assert law.y[0] == pytest.approx(result.n_tail / result.n)
    slope = np.diff(np.log(law.y)) / np.diff(np.log(law.x))
    np.testing.assert_allclose(slope, 1 - result.estimate)
    [start] = [shape for shape in figure.layout.shapes if shape.name == "x_min interval"]
    assert (start.x0, start.x1) == result.x_min_interval
    [interval] = [shape for shape in figure.layout.shapes if shape.name == "interval"]
    assert (interval.y0, interval.y1) == result.interval
    assert list(named(figure, "α by x_min").y) == result.scan_alpha.tolist()
    assert result.verdict in figure.layout.meta["summary"]


def test_a_discrete_bounded_law_ends_where_it_was_said_to(results):
    comparison = SimpleNamespace(law="stretched_exponential", log_ratio=3.21, p_value=0.01, nested=False)
    options = {"discrete": True, "x_max": 60.0, "interval": (2.1, 2.9), "estimate": 2.5, "x_min": 2.0}
    result = dataclasses.replace(results["PowerLaw"], comparisons=(comparison,), **options)
    figure = figures.draw(result)
    law = named(figure, "power law, α = 2.5")
    assert law.x[-1] == pytest.approx(60)
    shares = np.arange(2, 61) ** -2.5 / np.sum(np.arange(2, 61) ** -2.5)
    assert law.y[-1] == pytest.approx(result.n_tail / result.n * shares[-1])
    assert "stretched exponential 3.21" in figure.layout.meta["summary"]


def test_two_exponents_show_both_intervals(results):
    result = results["ExponentDifference"]
    figure = figures.draw(result)
    for name, alpha, (low, high) in zip(("first", "second"), result.alphas, result.alpha_intervals, strict=True):
        trace = named(figure, f"{name} sample")
        assert trace.x[0] == alpha
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(high)
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(low)


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


def test_exponents_show_points_laws_and_ranges(results):
    result = results["AvalancheExponents"]
    figure = figures.draw(result)
    law = named(figure, f"τ = {result.size_exponent:.3g}")
    assert list(law.x) == result.size_curve[:, 0].tolist()
    late = np.diff(np.log(law.y[-10:])) / np.diff(np.log(law.x[-10:]))
    np.testing.assert_allclose(late, -result.size_exponent, atol=0.02)  # where the correction is gone
    assert list(named(figure, "mean size of duration T").y) == result.mean_size_points[:, 1].tolist()
    assert f"γ {result.mean_size_exponent:.3g}" in figure.layout.meta["summary"]


def test_both_sides_of_the_relation_show_their_intervals(results):
    result = results["CracklingRelation"]
    trace = named(figures.draw(result), "(α − 1)/(τ − 1)")
    assert trace.x[0] + trace.error_x.array[0] == pytest.approx(result.predicted_interval[1])
    assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(result.predicted_interval[0])


def test_a_branching_ratio_shows_slopes_fit_and_the_naive_decay(results):
    result = results["BranchingRatio"]
    figure = figures.draw(result)
    assert list(named(figure, "regression slopes r_k").y) == result.slopes.tolist()
    fit = named(figure, f"b·m^k, m = {result.estimate:.5g}")
    np.testing.assert_allclose(fit.y, result.amplitude * result.estimate**result.lags)


def test_a_collapse_shows_every_group_over_the_common_shape(results):
    result = results["ShapeCollapse"]
    figure = figures.draw(result)
    assert list(named(figure, "shape of long avalanches").y) == result.shape.tolist()
    groups = [trace for trace in figure.data if trace.name.startswith("T ≈")]
    assert [list(trace.y) for trace in groups] == result.group_profiles.tolist()


def test_avalanches_show_the_share_at_least_as_large(results):
    result = results["Avalanches"]
    trace = named(figures.draw(result), "size")
    for x, share in list(zip(trace.x, trace.y, strict=True))[::40]:
        assert share == pytest.approx(np.mean(result.sizes >= x))


def test_surrogates_are_shown_in_units_of_the_data(results):
    result = results["SurrogateComparison"]
    figure = figures.draw(result)
    assert set(named(figure, "data").y) == {1.0}
    box = named(figure, "time-shuffled (p = 0.05)")
    shown = {name: [y for x, y in zip(box.x, box.y, strict=True) if x == name] for name in dict.fromkeys(box.x)}
    np.testing.assert_allclose(shown["number"], np.exp(result.statistics[1:, 0] - result.statistics[0, 0]))
    np.testing.assert_allclose(shown["variation of silences"], result.silence_variations[1:])  # 1 for the data
    assert len(shown) == 5


def test_a_scan_is_blank_where_nothing_scales(results):
    result = results["AvalancheScan"]
    [heat] = [trace for trace in figures.draw(result).data if trace.type == "heatmap"]
    assert [[cell == "no avalanches" for cell in row] for row in heat.text] == (result.n_avalanches == 0).tolist()


def test_simple_scaling_shows_deviations_with_their_errors(results):
    result = results["SimpleScaling"]
    [trace] = [trace for trace in figures.draw(result).data if trace.type == "scatter"]
    assert list(trace.y) == result.deviations.tolist()
    np.testing.assert_allclose(trace.error_y.array, 1.96 * result.deviation_errors)


def test_a_lattice_shows_a_hue_per_number_of_grains_and_their_shares():
    from phasescope.figures.lattice import draw_lattice

    figure = draw_lattice(np.array([[0, 1], [3, 3]]), title="Heights")
    assert np.asarray(figure.data[0].z).tolist() == [[0, 1], [3, 3]]
    assert "3: 50 %" in figure.layout.meta["summary"]
    assert np.asarray(draw_lattice(np.arange(8).reshape(2, 2, 2), title="Cube").data[0].z).shape == (2, 2)


def test_a_calibration_shows_coverage_size_and_power_apart(results):
    figure = figures.draw(results["Calibration"])
    assert list(named(figure, "coverage").x) == [94]
    assert list(named(figure, "coverage").error_x.array) == pytest.approx([1.5])
    assert list(named(figure, "size: taken though false").y) == ["noise: called critical"]
    assert list(named(figure, "power: taken where true").x) == [90]
    assert "1 of the coverages agree with 95 %" in figure.layout.meta["summary"]
