"""Sharpness, the mirage verdict, and the string metrics behind it.

Only here are seen: a label that depends on the axis the caller happened to use, noise taken for sharpness, a smooth
rise that is called a jump because few items hide its foot, and a Levenshtein distance taken for a substitution count.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from phasescope.measures.edit_distance import (
    exact_match_probability,
    expected_levenshtein,
    expected_substitutions,
    levenshtein,
)
from phasescope.measures.mirage import METRICS, metric_of, mirage
from phasescope.measures.sharpness import sharpness

Q = np.linspace(0.5, 0.99, 100)
SOFT = {"accuracy": Q, "cross_entropy": -np.log(Q), "brier": 2 * (1 - Q) ** 2, "margin": 2 * Q - 1}


def textbook_distance(a, b):
    """Wagner and Fischer's table, cell by cell."""
    table = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == 0 or j == 0:
                table[i, j] = i + j
            else:
                change = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
                table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, change)
    return table[len(a), len(b)]


def corrupted(q, n_strings, length, vocabulary, rng):
    original = rng.integers(0, vocabulary, (n_strings, length))
    wrong = rng.random(original.shape) >= q
    return original, np.where(wrong, (original + rng.integers(1, vocabulary, original.shape)) % vocabulary, original)


# the string metrics


def test_exact_match_is_the_fifth_power_and_substitutions_are_a_line():
    np.testing.assert_allclose(exact_match_probability(Q, 5), Q * Q * Q * Q * Q, atol=1e-15)
    substitutions = expected_substitutions(Q, 5)
    line = np.interp(Q, [0.5, 0.99], [2.5, 0.05])
    np.testing.assert_allclose(substitutions, line, rtol=0, atol=1e-12)


@given(st.lists(st.integers(0, 2), max_size=7), st.lists(st.integers(0, 2), max_size=7))
@settings(deadline=None)
def test_any_two_strings_agree_with_the_textbook_table(a, b):
    found = levenshtein(np.array(a, dtype=int).reshape(1, -1), np.array(b, dtype=int).reshape(1, -1))
    assert found.tolist() == [textbook_distance(a, b)]


@pytest.mark.parametrize(("vocabulary", "length"), [(2, 4), (3, 3), (5, 2)])
@pytest.mark.parametrize("q", [0.0, 0.3, 0.9, 1.0])
def test_the_expected_distance_agrees_with_all_pairs_of_strings(vocabulary, length, q):
    total = 0.0
    for a, b in itertools.product(itertools.product(range(vocabulary), repeat=length), repeat=2):
        n_wrong = sum(x != y for x, y in zip(a, b, strict=True))
        chance = vocabulary**-length * q ** (length - n_wrong) * ((1 - q) / (vocabulary - 1)) ** n_wrong
        total += chance * textbook_distance(a, b)
    assert expected_levenshtein(q, length, vocabulary=vocabulary) == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("q", [0.5, 0.75, 0.9, 0.99])
def test_twenty_thousand_strings_are_within_three_standard_errors_of_the_expected_distance(q):
    original, copy = corrupted(q, 20_000, 5, 10, np.random.default_rng(1))
    distance = levenshtein(original, copy)
    error = distance.std() / math.sqrt(len(distance))
    assert abs(distance.mean() - expected_levenshtein(q, 5, vocabulary=10)) < 3 * error


def test_a_shift_makes_the_distance_smaller_than_the_substitution_count():
    difference = expected_substitutions(0.5, 5) - expected_levenshtein(0.5, 5, vocabulary=2)
    assert 0.15 < difference < 0.25
    assert expected_levenshtein(0.5, 5, vocabulary=1000) == pytest.approx(2.5, abs=1e-5)


def test_string_metrics_refuse_what_they_cannot_answer():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        exact_match_probability(1.1, 5)
    with pytest.raises(ValueError, match="at least 1; got 0"):
        expected_substitutions(0.5, 0)
    with pytest.raises(ValueError, match="length is 7"):
        expected_levenshtein(0.5, 7, vocabulary=10)
    with pytest.raises(ValueError, match="at least 2 tokens"):
        expected_levenshtein(0.5, 5, vocabulary=1)
    with pytest.raises(ValueError, match="n_pairs"):
        levenshtein([1, 2], [1, 2])


# sharpness


def test_a_straight_line_has_steepness_one_and_eight_tenths_of_rise():
    found = sharpness(np.arange(1, 101), np.linspace(3, 7, 100))
    assert found.estimate == pytest.approx(1)
    assert found.rise_share == pytest.approx(0.8)
    assert (found.label, found.axis) == ("smooth", "linear")


def test_the_steepness_of_q5_is_its_slope_over_the_last_tenth():
    # least-squares slope of q⁵ over the last tenth, by quadrature of the continuous curve
    x = np.linspace(0.9, 1, 20_001)
    slope = np.polyfit(x, (0.5 + 0.49 * x) ** 5, 1)[0]
    found = sharpness(np.arange(1, 2001), np.linspace(0.5, 0.99, 2000) ** 5)
    assert found.estimate == pytest.approx(slope / (0.99**5 - 0.5**5), rel=5e-3)
    assert found.estimate == pytest.approx(2.3, abs=0.05)


def test_a_step_reaches_one_and_a_half_windows():
    found = sharpness(np.arange(1, 2002), (np.arange(2001) > 1000).astype(float))
    assert 13 < found.estimate <= 15.1  # 1.5 / 0.1 for evenly spaced values, less on the other axis, which counts
    assert found.label == "sharp"
    assert abs(found.steepest_step - 1001) < 0.1 * 1001


@pytest.mark.parametrize("width", [0.2, 0.3, 0.5])
def test_a_sigmoid_has_the_steepness_and_the_rise_of_its_width(width):
    x = np.linspace(0, 1, 401)
    values = 1 / (1 + np.exp(-(x - 0.5) * 2 * math.log(9) / width))
    found = sharpness(np.geomspace(1, 1e4, 401), values)
    amplitude = values[-1] - values[0]
    assert found.axis == "log"
    assert found.estimate == pytest.approx(math.log(9) / 2 / width / amplitude, rel=0.06)
    if width < 0.4:
        assert found.rise_share == pytest.approx(width, rel=0.03)
        assert found.rise_decades == pytest.approx(4 * width, rel=0.03)


def test_an_exponential_relaxation_takes_1_34_decades_and_is_told_from_a_jump():
    steps = np.geomspace(1, 1e5, 300)
    found = sharpness(steps, 1 - np.exp(-steps / 300))
    assert found.rise_decades == pytest.approx(1.34, abs=0.02)
    assert found.label == "sharp"
    assert "hardly faster than an exponential relaxation" in found.caveats[0]


@pytest.mark.parametrize("steps", [np.arange(100), np.arange(1, 101), np.geomspace(1, 1e4, 100), Q, 1e6 * Q])
def test_q5_is_sharp_and_q_is_smooth_on_any_axis(steps):
    assert sharpness(steps, Q).label == "smooth"
    assert sharpness(steps, Q**5).label == "sharp"


def test_a_rise_at_the_end_of_a_log_axis_is_sharp_there_and_smooth_on_the_linear_one():
    sizes, late = np.geomspace(1, 1e4, 100), Q**30
    assert sharpness(sizes, late, axis="log").label == "sharp"
    assert sharpness(sizes, late, axis="linear").label == "smooth"
    assert sharpness(sizes, late).axis == "linear"
    assert mirage(sizes, {"exact_match": late, "accuracy": Q}, axis="log").verdict == "mirage"
    with pytest.raises(ValueError, match="no axis named 'lin'; closest names"):
        sharpness(sizes, late, axis="lin")


def test_a_log_axis_needs_positive_steps():
    found = sharpness(np.arange(8), np.arange(8.0), axis="log")
    assert "7 of them at steps above 0" in found.caveats[0]
    assert sharpness(np.arange(8), np.arange(8.0)).axis == "linear"


@given(st.floats(0.01, 100), st.floats(-50, 50), st.floats(0.01, 1e4))
@settings(max_examples=30, deadline=None)
def test_scale_and_shift_of_values_and_units_of_steps_change_nothing(scale, shift, unit):
    steps = np.arange(1, 61)
    curve = np.linspace(0.5, 0.99, 60) ** 3
    one, other = sharpness(steps, curve), sharpness(steps * unit, scale * curve + shift)
    assert other.estimate == pytest.approx(one.estimate, rel=1e-6)


def test_a_falling_metric_is_turned_around():
    rising = sharpness(np.arange(1, 101), Q**5)
    falling = sharpness(np.arange(1, 101), 3 - Q**5, falling=True)
    assert falling.estimate == pytest.approx(rising.estimate)
    assert falling.rise == pytest.approx(rising.rise)


def test_a_smooth_curve_is_never_called_sharp_for_its_noise():
    rng = np.random.default_rng(5)
    x = np.linspace(0, 1, 150)
    labels = []
    for _ in range(60):
        for correlation, sd in ((0.0, 0.05), (0.7, 0.02)):
            noise = rng.standard_normal(150)
            for i in range(1, 150):
                noise[i] = correlation * noise[i - 1] + math.sqrt(1 - correlation**2) * noise[i]
            labels.append(sharpness(np.geomspace(10, 1e4, 150), x + sd * noise).label)
    assert labels.count("sharp") <= 2  # 5 % of 120 would be 6


def test_quiet_noise_leaves_smooth_curves_smooth_and_jumps_sharp():
    rng = np.random.default_rng(6)
    steps, x = np.geomspace(10, 1e4, 200), np.linspace(0, 1, 200)
    jump = 1 / (1 + np.exp(-(x - 0.5) * 40))
    for _ in range(20):
        noise = 0.005 * rng.standard_normal(200)
        assert sharpness(steps, x + noise).label == "smooth"
        assert sharpness(steps, jump + 4 * noise).label == "sharp"


@pytest.mark.parametrize(
    ("values", "caveat"),
    [
        ([], None),
        ([1.0], "1 finite values"),
        ([1.0] * 20, "does not improve beyond its noise"),
        ([np.nan] * 20, "0 finite values"),
        (np.linspace(1, 0, 20), "does not improve beyond its noise"),
        (np.concatenate([np.linspace(0, 1, 20), np.linspace(0.9, 0.2, 20)]), "does not improve for good"),
    ],
)
def test_curves_without_a_rise_are_unresolved_and_say_why(values, caveat):
    if caveat is None:
        with pytest.raises(ValueError, match="no points"):
            sharpness([], values)
        return
    found = sharpness(np.arange(len(values)), values)
    assert (found.label, found.estimate, found.interval, found.rise) == ("unresolved", None, None, None)
    assert any(caveat in sentence for sentence in found.caveats)


def test_noise_alone_is_not_sharp():
    rng = np.random.default_rng(7)
    labels = [sharpness(np.arange(1, 101), rng.standard_normal(100)).label for _ in range(100)]
    assert labels.count("sharp") == 0


def test_a_curve_with_gaps_is_measured_on_the_rest():
    values = Q**5
    values[10:13] = np.nan
    found = sharpness(np.arange(1, 101), values)
    assert found.label == "sharp"
    assert "3 of 100 values" in found.caveats[0]


@pytest.mark.parametrize("n_items", [20, 200, 2000])
def test_the_smallest_resolvable_rate_gives_a_hit_in_95_percent_of_trials(n_items):
    found = sharpness(np.arange(1, 101), Q**5, n_items=n_items)
    assert stats.binom.pmf(0, n_items, found.smallest_resolvable) == pytest.approx(0.05)
    # where q⁵ equals that rate, on the record
    crossing = (found.smallest_resolvable**0.2 - 0.5) / 0.49
    assert found.hidden_share == pytest.approx(max(crossing, 0), abs=1e-3)
    assert found.foot_resolved == (n_items > 20)


def test_the_band_is_wilsons():
    found = sharpness(np.arange(1, 11), np.linspace(0, 1, 10), n_items=30)
    for value, band in zip(found.values[[0, 3, 9]], found.band[[0, 3, 9]], strict=True):
        exact = stats.binomtest(round(value * 30), 30).proportion_ci(method="wilson")
        np.testing.assert_allclose(band, [exact.low, exact.high], atol=1e-12)


# the verdict over metrics


def test_q_from_one_half_to_099_is_a_mirage_of_exact_match():
    found = mirage(np.arange(1, 101), {"exact_match": exact_match_probability(Q, 5)} | SOFT)
    labels = {one.metric: one.label for one in found.metrics}
    assert labels == {"exact_match": "sharp"} | dict.fromkeys(SOFT, "smooth")
    assert found.verdict == "mirage"
    assert found.summary.startswith("sharp on exact_match (2.3×), smooth on accuracy (1.0×)")


@pytest.mark.parametrize(("n_items", "seen", "verdict"), [(20, False, "unresolved"), (2000, True, "mirage")])
def test_the_number_of_items_decides_whether_the_smooth_rise_could_be_seen(n_items, seen, verdict):
    curves = {"exact_match": Q**5} | SOFT
    found = mirage(np.arange(1, 101), curves, n_items={"exact_match": n_items})
    assert found.verdict == verdict
    assert found.metrics[0].foot_resolved is seen
    assert ("could have been seen" in found.summary) is seen
    assert mirage(np.arange(1, 101), curves, n_items={"exact_match": 200}).metrics[0].foot_resolved


def test_a_jump_on_every_metric_survives():
    steps = np.geomspace(1, 1500, 150)
    rise = 1 / (1 + (300 / steps) ** 12)
    loss = 4 * (1 - rise) + 6 * np.exp(-((np.log(steps / 120)) ** 2)) * (1 - rise)
    found = mirage(
        steps,
        {
            "accuracy": rise,
            "cross_entropy": loss,
            "brier": 1 - rise,
            "margin": 20 * rise - 8,
            "log_odds": 18 * rise - 9,
        },
        n_items=1250,
    )
    assert found.verdict == "survives"
    assert all(one.label == "sharp" for one in found.metrics)
    assert any("cross_entropy first gets worse" in caveat for caveat in found.caveats)


def test_metrics_that_disagree_are_mixed_and_smooth_ones_smooth():
    steps, jump = np.arange(1, 101), 1 / (1 + np.exp(-np.linspace(-20, 20, 100)))
    soft = {"cross_entropy": 1 - jump, "brier": 1 - jump, "margin": Q}
    assert mirage(steps, {"accuracy": jump} | soft).verdict == "mixed"
    assert mirage(steps, {"accuracy": Q, "margin": Q}).verdict == "smooth"
    assert mirage(steps, {"accuracy": Q, "margin": jump}).verdict == "mixed"
    assert mirage(steps, {"margin": jump}).verdict == "survives"
    assert mirage(steps, {"accuracy": jump}).verdict == "unresolved"
    assert mirage(steps, {"accuracy": [0.1] * 100}).verdict == "unresolved"


def test_the_frame_has_one_row_per_metric_and_the_text_one_line():
    found = mirage(np.arange(1, 101), {"exact_match": Q**5} | SOFT)
    frame = found.to_frame()
    assert frame["metric"].tolist() == ["exact_match", *SOFT]
    assert frame.attrs["verdict"] == "mirage"
    assert "exact_match    sharp, steepness 2.344" in str(found)
    assert found.to_dict()["metrics"][0]["label"] == "sharp"


def test_a_mistyped_metric_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"no metric named 'exact_mach'; closest names: \['exact_match'\]"):
        mirage([1, 2], {"exact_mach": [0, 1]})
    with pytest.raises(ValueError, match="no metric named"):
        mirage([1, 2], {"accuracy": [0, 1]}, n_items={"acuracy": 3})
    with pytest.raises(ValueError, match="curves is empty"):
        mirage([1, 2], {})
    with pytest.raises(ValueError, match="no share of 20 items"):
        mirage([1, 2], {"accuracy": [0, 90]}, n_items=20)
    with pytest.raises(ValueError, match="sharp_above > 1"):
        mirage([1, 2], {"accuracy": [0, 1]}, sharp_above=1.0)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("val/acc", "accuracy"),
        ("test_accuracy", "accuracy"),
        ("eval/exact-match", "exact_match"),
        ("validLoss", "cross_entropy"),
        ("train/cross_entropy", "cross_entropy"),
        ("test/nll", "cross_entropy"),
        ("test/brier", "brier"),
        ("test/log_odds", "log_odds"),
        ("edit distance", "levenshtein"),
        ("weight_norm", None),
        ("acceleration", None),
        ("glossary", None),
    ],
)
def test_series_of_foreign_logs_are_recognized(name, metric):
    assert metric_of(name) == metric
    assert metric is None or metric in METRICS


number = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0]))


@given(st.lists(number, min_size=1, max_size=60), st.booleans(), st.sampled_from(["both", "linear", "log"]))
@settings(max_examples=150, deadline=None)
def test_any_curve_gets_a_label_and_an_interval_around_its_steepness(values, falling, axis):
    found = sharpness(np.cumsum(np.arange(len(values)) % 7 + 1) - 1, values, falling=falling, axis=axis)
    assert found.label in ("sharp", "smooth", "unresolved")
    if found.interval is None:
        assert found.label == "unresolved"
        assert found.caveats
    else:
        assert 0 <= found.interval[0] <= found.estimate <= found.interval[1]
        assert found.rise[0] <= found.rise[1]
