"""Only this file would notice: a detector that calls smooth trends transitions, one that misses a plain sigmoid, and
intervals that do not hold what they promise. The full calibration is benchmarks/accuracy/transitions.py; the checks
here are short versions of it with fixed seeds, whose limits are binomial quantiles of the stated rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import binom

from phasescope.measures.autoregression import color, whiten
from phasescope.measures.isolated_values import without_isolated
from phasescope.measures.sigmoid_dictionary import Dictionary
from phasescope.measures.sigmoids import sigmoid
from phasescope.measures.smooth_trend import bounded_curvature_fit, curvature_basis
from phasescope.measures.time_axis import evenly_spread, time_axis
from phasescope.measures.transition_fit import fit_transitions
from phasescope.measures.transitions import find_transitions

STEPS = np.geomspace(1.0, 10_000.0, 120)
X = np.log10(STEPS) / 4.0  # position in the record


def found(values, *, steps=STEPS, seed=0, **options):
    return find_transitions(steps, values, rng=np.random.default_rng(seed), **options)


def noise(rng, n=120, phi=0.0):
    return color(np.sqrt(1.0 - phi**2) * rng.standard_normal(n + 50), phi)[50:]


# --- closed forms ---


def test_a_sigmoid_goes_from_ten_to_ninety_percent_within_its_width():
    assert sigmoid(np.array([0.3, 0.4, 0.5]), 0.4, 0.2) == pytest.approx([0.1, 0.5, 0.9])
    assert sigmoid(np.array([0.39, 0.41]), 0.4, 0.0).tolist() == [0.0, 1.0]


def test_whitening_turns_autocorrelated_noise_into_its_innovations():
    innovations = np.random.default_rng(0).standard_normal((50, 3))
    np.testing.assert_allclose(whiten(color(innovations, 0.7), 0.7), innovations, atol=1e-12)
    # An AR(1) series with φ = 0.8 and unit innovations has variance 1/(1 − φ²).
    series = color(np.random.default_rng(1).standard_normal(200_000), 0.8)
    assert series.var() == pytest.approx(1.0 / 0.36, rel=0.03)


@pytest.mark.parametrize(
    ("curve", "inside"),
    [
        (4.0 * (X - 0.5) ** 2, True),  # |f''| = 8
        (np.sin(np.pi * X), True),  # |f''| ≤ π²
        (np.exp(-3.0 * X), True),  # |f''| ≤ 9 / (1 − e⁻³) = 9.5
        (sigmoid(X, 0.5, 1.0), True),
        (np.sin(2.0 * np.pi * X), False),  # 20 both ways
        (sigmoid(X, 0.5, 0.25), False),  # 30 both ways
    ],
)
def test_the_null_holds_what_it_says_it_holds(curve, inside):
    line = np.column_stack([np.ones_like(X), X])
    curvature = curvature_basis(X)
    fixed, bends = bounded_curvature_fit(curve, line, curvature, curve_range=float(np.ptp(curve)))
    misfit = np.sqrt(np.mean((curve - line @ fixed - curvature @ bends) ** 2)) / np.ptp(curve)
    assert (misfit < 0.002) == inside
    assert (misfit > 0.05) == (not inside)


def test_curvature_columns_are_twice_integrated_hats():
    # With f'' = 1 at all knots the trend is x²/2.
    np.testing.assert_allclose(curvature_basis(X).sum(axis=1), 0.5 * X**2, atol=1e-6)


def test_the_statistic_is_the_drop_found_by_least_squares_on_each_candidate():
    rng = np.random.default_rng(0)
    basis = np.vander(X, 3, increasing=True)
    candidates = sigmoid(X[:, None], rng.uniform(0.2, 0.8, 9), rng.uniform(0.0, 0.4, 9))
    values = noise(rng, phi=0.5)
    total, drop, chosen = Dictionary(basis, candidates, 0.5).best(values[:, None])

    def squares(design):
        white, rest = whiten(design, 0.5), whiten(values, 0.5)
        rest = rest - white @ np.linalg.lstsq(white, rest, rcond=None)[0]
        return float(rest @ rest)

    each = [squares(np.column_stack([basis, column])) for column in candidates.T]
    assert total[0] == pytest.approx(squares(basis))
    assert int(chosen[0]) == int(np.argmin(each))
    assert total[0] - drop[0] == pytest.approx(min(each))


def test_the_fit_is_the_optimum_of_a_general_optimizer():
    rng = np.random.default_rng(3)
    values = sigmoid(X, 0.47, 0.2) + 0.3 * X + 0.05 * rng.standard_normal(120)
    fit = fit_transitions(X, values, [(0.5, 0.1)])[0]

    def squares(shape):
        design = np.column_stack([np.ones_like(X), X, sigmoid(X, *shape)])
        white, rest = whiten(design, fit.autocorrelation), whiten(values, fit.autocorrelation)
        rest = rest - white @ np.linalg.lstsq(white, rest, rcond=None)[0]
        return float(rest @ rest)

    best = minimize(squares, [0.5, 0.1], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    assert squares(fit.shapes[0]) == pytest.approx(best.fun, rel=1e-4)
    assert fit.shapes[0] == pytest.approx(tuple(best.x), abs=2e-3)


# --- simulation: false alarms, power, coverage ---

N_SETS = 40


@pytest.mark.parametrize(
    ("curve", "phi"),
    [(0.0 * X, 0.0), (0.0 * X, 0.8), (10.0 * X, 0.0), (20.0 * (X - 0.4) ** 2, 0.0), (5.0 * np.sin(np.pi * X), 0.5)],
    ids=["noise", "autocorrelated noise", "drift", "parabola", "half sine in autocorrelated noise"],
)
def test_smooth_curves_are_rarely_accused(curve, phi):
    # At a true rate of 5 %, more than 7 of 40 happen in 1 of 1,000 seeds.
    rng = np.random.default_rng(11)
    alarms = sum(bool(find_transitions(STEPS, curve + noise(rng, phi=phi), rng=rng)) for _ in range(N_SETS))
    assert alarms <= binom.ppf(0.999, N_SETS, 0.05)


def test_sigmoids_are_found_and_their_intervals_cover():
    # Height 5σ, width up to a quarter of the record. Power 0.9 and coverage 0.95 are required of the detector.
    rng = np.random.default_rng(12)
    n_found, n_covered = 0, 0
    for _ in range(N_SETS):
        midpoint, width = rng.uniform(1 / 3, 2 / 3), rng.uniform(0.0, 0.25)
        transitions = find_transitions(STEPS, 5.0 * sigmoid(X, midpoint, width) + noise(rng), rng=rng)
        n_found += bool(transitions)
        covers = [t.midpoint_interval[0] <= 10.0 ** (4.0 * midpoint) <= t.midpoint_interval[1] for t in transitions]
        n_covered += any(covers)
    assert n_found >= binom.ppf(0.001, N_SETS, 0.9)
    assert n_covered >= binom.ppf(0.001, n_found, 0.95)


def test_two_transitions_are_two_and_opposite_ones_do_not_cancel():
    rng = np.random.default_rng(4)
    first, second = sigmoid(X, 0.35, 0.08), sigmoid(X, 0.8, 0.08)
    for sign in (1.0, -1.0):
        transitions = found(first + sign * second + 0.04 * noise(rng))
        assert [round(float(np.log10(t.midpoint)) / 4.0, 1) for t in transitions] == [0.3, 0.8] or [
            abs(np.log10(t.midpoint) / 4.0 - truth) < 0.02 for t, truth in zip(transitions, (0.35, 0.8), strict=True)
        ] == [True, True]
        assert [np.sign(t.amplitude) for t in transitions] == [1.0, sign]


def test_steps_that_hide_each_other_are_found():
    # Three equal steps a decade apart: one sigmoid alone does little better than a line.
    rng = np.random.default_rng(5)
    values = sum(np.where(at < STEPS, 1.0, 0.0) for at in (10.0, 100.0, 1000.0)) + 0.1 * rng.standard_normal(120)
    transitions = found(values)
    assert len(transitions) == 3
    for transition, at in zip(transitions, (10.0, 100.0, 1000.0), strict=True):
        low, high = transition.midpoint_interval
        assert low <= at <= high


# --- curves without noise ---


@pytest.mark.parametrize(
    "values",
    [
        STEPS**-0.25,
        STEPS**-0.7,
        STEPS**-1.0,
        np.log(STEPS),
        np.log(STEPS) ** 2,
        np.exp(-STEPS / 3_000.0),
        -np.cos(np.pi * X),
        np.sin(np.pi * X),
    ],
    ids=["t^-1/4", "t^-0.7", "1/t", "log t", "log² t", "relaxation", "S over the whole record", "half sine"],
)
def test_a_smooth_curve_without_noise_is_no_transition(values):
    assert found(values) == []


def test_grokking_without_noise_is_located_as_finely_as_it_was_evaluated():
    curve = np.clip(0.02 + 0.98 * (np.log10(STEPS) - 2.5) / 0.2, 0.02, 1.0)
    [transition] = found(curve)
    low, high = transition.midpoint_interval
    assert 10.0**2.5 < low < 10.0**2.6 < high < 10.0**2.7
    spacing = STEPS[1] / STEPS[0]
    assert spacing * 0.999 <= high / low <= spacing**2
    assert 0.12 < transition.width < 0.25
    assert transition.amplitude == pytest.approx(0.98, abs=0.04)
    assert transition.p_value <= 0.01
    assert transition.width_unit == "decades"


def test_a_jump_between_two_evaluations_is_located_between_them():
    before = 63
    [transition] = found((np.arange(120) > before).astype(float))
    low, high = transition.midpoint_interval
    assert low == pytest.approx(STEPS[before], rel=0.005)
    assert high == pytest.approx(STEPS[before + 1], rel=0.005)
    assert transition.width_interval[0] == 0.0
    assert any("faster than the spacing" in caveat for caveat in transition.caveats)


# --- properties ---

CURVE = 0.9 * sigmoid(X, 0.55, 0.15) + 0.05 * np.random.default_rng(6).standard_normal(120)


@settings(max_examples=5, deadline=None)
@given(shift=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3))
def test_the_unit_of_the_values_does_not_matter(shift, scale):
    [plain], [moved] = found(CURVE), found(shift + scale * CURVE)
    assert moved.midpoint == pytest.approx(plain.midpoint, rel=1e-5)
    assert moved.midpoint_interval == pytest.approx(plain.midpoint_interval, rel=1e-3)
    assert moved.width_interval == pytest.approx(plain.width_interval, rel=1e-2)
    assert moved.amplitude == pytest.approx(scale * plain.amplitude, rel=1e-4)
    assert moved.p_value == pytest.approx(plain.p_value, abs=0.005)


@settings(max_examples=5, deadline=None)
@given(factor=st.floats(1e-2, 1e4))
def test_counting_steps_in_another_unit_shifts_log_time_and_nothing_else(factor):
    steps = np.concatenate([[0.0], STEPS[1:]])
    [plain], [moved] = found(CURVE, steps=steps), found(CURVE, steps=factor * steps)
    assert moved.midpoint == pytest.approx(factor * plain.midpoint, rel=1e-5)
    assert np.array(moved.onset_interval) == pytest.approx(factor * np.array(plain.onset_interval), rel=1e-3)
    assert moved.width == pytest.approx(plain.width, rel=1e-4)


def test_the_same_generator_gives_the_same_answer_and_the_input_is_left_alone():
    values = CURVE.copy()
    first, second = found(values), found(values)
    assert first[0].to_dict() == second[0].to_dict()
    np.testing.assert_array_equal(values, CURVE)


def test_single_precision_booleans_and_lists_are_curves_too():
    [single] = found(CURVE.astype(np.float32))
    assert single.midpoint == pytest.approx(found(CURVE)[0].midpoint, rel=1e-3)
    assert len(found(X > 0.6)) == 1
    assert len(found((X > 0.6).tolist(), steps=STEPS.tolist())) == 1


def test_linear_time_measures_width_in_steps():
    steps = np.arange(0.0, 15_000.0, 100.0)
    [transition] = found(sigmoid(steps, 6_000.0, 1_300.0), steps=steps, time="linear")
    assert transition.width_unit == "steps"
    assert transition.midpoint == pytest.approx(6_000.0, abs=60.0)
    assert transition.width == pytest.approx(1_300.0, rel=0.1)
    assert transition.onset == pytest.approx(transition.midpoint - 0.5 * transition.width, rel=1e-6)


def test_step_zero_is_placed_at_half_the_first_positive_step():
    axis = time_axis(np.array([0.0, 100.0, 1_000.0]), "log")
    assert axis.coordinate.tolist() == pytest.approx(np.log10([50.0, 100.0, 1_000.0]).tolist())
    assert axis.step_at(-0.1) == axis.step_at(0.0) == 0.0
    assert axis.step_at(1.0) == 1_000.0


def test_the_points_behind_the_result_can_be_redrawn():
    [transition] = found(CURVE)
    np.testing.assert_allclose(transition.steps, STEPS)
    np.testing.assert_allclose(transition.values, CURVE)
    # Residual standard deviation within 4 standard errors of the 0.05 that were added.
    assert float(np.std(CURVE - transition.fit)) == pytest.approx(0.05, abs=4 * 0.05 / np.sqrt(240))
    assert transition.observables == ("values",)
    assert "midpoint" in str(transition)


# --- degenerate and dirty input ---


@pytest.mark.parametrize("values", [np.ones(120), np.full(120, 1e-9), 1.0 + 1e-15 * np.arange(120) % 2])
def test_a_constant_curve_has_no_transition(values):
    assert found(values) == []


def test_values_that_are_not_finite_are_left_out_with_a_caveat():
    values = CURVE.copy()
    values[[3, 40, 41]] = [np.nan, np.inf, -np.inf]
    [transition] = found(values, name="test/accuracy")
    assert transition.steps.size == 117
    assert "3 of 120 values of test/accuracy are not finite and were left out" in transition.caveats
    assert transition.observables == ("test/accuracy",)


def test_a_loss_spike_is_no_transition():
    rng = np.random.default_rng(8)
    values = 0.05 * rng.standard_normal(120)
    values[60:62] = 40.0
    assert found(values) == []
    spiky = CURVE.copy()
    spiky[20] = 50.0
    [transition] = found(spiky)
    assert transition.midpoint == pytest.approx(found(CURVE)[0].midpoint, rel=0.05)
    assert any("isolated" in caveat for caveat in transition.caveats)


def test_monotone_curves_and_steps_have_no_isolated_values():
    for values in (np.sort(np.random.default_rng(0).standard_cauchy(80))[2:-2], (X > 0.5).astype(float)):
        cleaned, isolated = without_isolated(values)
        assert isolated.size == 0
        np.testing.assert_array_equal(cleaned, values)


def test_a_long_log_is_thinned_over_time_and_over_its_evaluations():
    steps = np.arange(1, 5_001)
    rng = np.random.default_rng(9)
    [transition] = found((steps > 300) + 0.1 * rng.standard_normal(5_000), steps=steps)
    low, high = transition.midpoint_interval
    assert low <= 301 <= high + 1
    assert transition.steps.size <= 400
    assert any("spread over the record" in caveat for caveat in transition.caveats)
    assert evenly_spread(np.linspace(0.0, 1.0, 1_001), 22).tolist() == list(range(0, 1_001, 100))
    late = np.concatenate([[0.0], np.linspace(0.999, 1.0, 1_000)])
    assert evenly_spread(late, 100).size >= 50


def test_noise_whose_level_changes_gets_a_caveat():
    rng = np.random.default_rng(10)
    values = sigmoid(X, 0.5, 0.05) + np.where(X < 0.5, 0.01, 0.1) * rng.standard_normal(120)
    transitions = found(values)
    assert transitions  # uneven noise is outside the null, so there may be more than the one
    assert all(any("noise level changes" in caveat for caveat in one.caveats) for one in transitions)


def test_a_change_as_wide_as_a_relaxation_says_so():
    rng = np.random.default_rng(13)
    steps = np.geomspace(1.0, 1e7, 150)
    [transition] = found(-np.exp(-steps / 1_000.0) + 0.02 * rng.standard_normal(150), steps=steps)
    assert any("plain exponential relaxation" in caveat for caveat in transition.caveats)


def test_says_what_is_wrong_with_the_call():
    with pytest.raises(ValueError, match="11 finite values; a transition needs at least 12"):
        found(np.arange(11.0), steps=np.arange(11.0))
    with pytest.raises(ValueError, match="rise strictly"):
        found(np.zeros(20), steps=np.r_[np.arange(19.0), 18.0])
    with pytest.raises(ValueError, match="same length"):
        found(np.zeros(20), steps=np.arange(19.0))
    with pytest.raises(ValueError, match="time must be 'log' or 'linear'"):
        found(CURVE, time="cubic")
    with pytest.raises(ValueError, match="one point in log-time; use time='linear'"):
        found(np.arange(20.0), steps=2.0**50 + np.arange(20.0))
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        found(CURVE, level=1.5)
    with pytest.raises(ValueError, match=r"a level of 0\.01 needs at least 99"):
        found(CURVE, level=0.01, n_bootstrap=50)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("time", ["log", "linear"])
def test_odd_curves_on_odd_steps_never_crash(seed, time):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 50))
    steps = np.sort(rng.choice(10_000, n, replace=False))
    for values in (rng.standard_cauchy(n).cumsum(), rng.integers(0, 3, n), np.arange(n) == n - 2):
        for transition in found(values, steps=steps, time=time):
            low, high = transition.midpoint_interval
            assert steps[0] <= low <= transition.midpoint <= high <= steps[-1]
