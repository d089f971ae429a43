"""The verdict: one label for any run.

Only here are seen: a combination of curves that gets no label or two, a lucky evaluation at chance taken for a rise, a
run stopped at its crossing taken for one that fell back, and thresholds that the result does not carry.
"""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasescope.measures.regimes import Label
from phasescope.measures.verdict import verdict

STEPS = np.array([0, 10, 20, 50, 100, 200, 300, 500, 1000, 1500])
CHANCE, N_TEST = 1 / 59, 1250
LIMIT = CHANCE + 5 * math.sqrt(CHANCE * (1 - CHANCE) / N_TEST)
MEMORIZED = np.array([0, 0.2, 0.6, 0.99, 1, 1, 1, 1, 1, 1.0])


def call(train=MEMORIZED, test=(0.0,) * 10, **options):
    return verdict(STEPS, train, test, **({"chance": CHANCE, "n_test": N_TEST} | options))


def literal_label(train, test, chance, n_test, loss):
    """The list of definitions in the docstring, each as its own complete condition; exactly one may hold."""
    train, test = np.asarray(train, float), np.asarray(test, float)
    steps = STEPS[: len(train)]
    limit = chance + 5 * math.sqrt(chance * (1 - chance) / n_test)

    def first(values):
        return next((i for i, v in enumerate(values) if math.isfinite(v) and v >= 0.99), None)

    def end(values):
        start = first(values) or 0
        return np.median([v for v in values[start:] if math.isfinite(v)][-5:])

    mem, gen = first(train), first(test)
    broken = not np.isfinite(loss).all() or not math.isfinite(train[-1])
    if not broken:
        broken = mem is not None and end(train) < 0.9
    stays = gen is not None and end(test) >= 0.9
    if mem is not None:
        seen = [v for v in test[: mem + 1] if math.isfinite(v)] or [v for v in test if math.isfinite(v)][:1]
        at_chance = seen[-1] <= limit
        late = gen is not None and steps[mem] > 0 and steps[gen] >= 5 * steps[mem]
        last_seen = steps[np.flatnonzero(np.isfinite(test))[-1]]
        partial = end(test) > limit and end(test) > 0.2 and last_seen >= 5 * steps[mem]
    holds = {
        "unstable": broken,
        "confusion": not broken and mem is None and not stays,
        "ungrokking": not broken and mem is not None and gen is not None and not stays,
        "grokking": not broken and mem is not None and stays and late and at_chance,
        "comprehension": not broken and stays and (mem is None or not (late and at_chance)),
        "semi_grokking": not broken and mem is not None and gen is None and partial,
        "memorization": not broken and mem is not None and gen is None and not partial,
    }
    assert sum(map(bool, holds.values())) == 1, holds
    return next(label for label, held in holds.items() if held)


value = st.one_of(st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 0.89, 0.9, 0.95, 0.99, 1.0, math.nan]), st.floats(0, 1))


@given(
    st.lists(st.tuples(value, value, st.sampled_from([0.1, 0.1, 0.1, 0.1, math.nan])), min_size=1, max_size=10),
    st.sampled_from([0.0, 1 / 59, 0.5]),
    st.sampled_from([1, 20, 1250]),
)
@settings(max_examples=400, deadline=None)
def test_any_run_has_exactly_one_label_with_a_reason(rows, chance, n_test):
    train, test, loss = map(list, zip(*rows, strict=True))
    if not np.isfinite(test).any():
        test[0] = 0.3
    found = verdict(STEPS[: len(rows)], train, test, chance=chance, n_test=n_test, train_loss=loss)
    assert found.label in get_args(Label)
    assert found.label == literal_label(train, test, chance, n_test, loss)
    assert len(found.reason) > 20
    assert any(character.isdigit() for character in found.reason)
    assert "\n" not in found.reason
    found.to_dict()
    str(found)


def test_a_late_rise_from_chance_is_grokking_and_says_its_numbers():
    found = call(test=[0, 0, 0, 0.01, 0.05, 0.3, 0.9, 1, 1, 1])
    assert found.label == "grokking"
    assert found.delay == 10
    assert found.delay_interval == (6, 25)
    assert "step 50" in found.reason
    assert "step 500, 10 times as late" in found.reason
    assert found.test_at_memorization == 0.01
    assert found.above_chance == pytest.approx(LIMIT)
    assert found.caveats == ()


def test_a_delay_below_five_is_comprehension():
    found = call(test=[0, 0, 0, 0.01, 0.5, 1, 1, 1, 1, 1])
    assert found.label == "comprehension"
    assert found.reason.endswith("a delay below 5")


def test_a_late_crossing_whose_rise_began_before_memorization_is_comprehension():
    found = call(test=[0, 0, 0.01, LIMIT + 0.001, 0.2, 0.4, 0.7, 1, 1, 1])
    assert found.label == "comprehension"
    assert found.reason.endswith("test had left chance before")


def test_exactly_five_sigma_is_still_chance():
    assert call(test=[0, 0, 0, LIMIT, 0.2, 0.4, 0.7, 1, 1, 1]).label == "grokking"


def test_random_labels_are_memorization_however_lucky_single_evaluations_are():
    rng = np.random.default_rng(0)
    steps = np.arange(0, 1501, 10)
    train = np.minimum(steps / 50, 1.0)
    for _ in range(50):
        test = np.clip(CHANCE + rng.uniform(-1, 1, steps.size) * (LIMIT - CHANCE), 0, 1)
        found = verdict(steps, train, test, chance=CHANCE, n_test=N_TEST, train_loss=np.ones(steps.size))
        assert found.label == "memorization"
        assert "at chance" in found.reason


def test_a_middling_end_is_semi_grokking_when_followed_long_enough():
    test = [0, 0, 0, 0.01, 0.02, 0.1, 0.3, 0.6, 0.6, 0.62]
    assert call(test=test).label == "semi_grokking"
    short = verdict(STEPS[:6], MEMORIZED[:6], [0, 0, 0, 0.4, 0.5, 0.6], chance=CHANCE, n_test=N_TEST)
    assert short.label == "memorization"
    assert "too short to tell" in short.caveats[0]


def test_a_middling_end_without_a_delay_is_marked():
    found = call(test=[0, 0.3, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6])
    assert found.label == "semi_grokking"
    assert "partial generalization" in found.caveats[0]


def test_above_chance_but_below_the_floor_is_memorization():
    assert call(test=[0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]).label == "memorization"
    assert call(test=[0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], semi_floor=0.05).label == "semi_grokking"


def test_a_test_peak_that_never_reached_the_threshold_is_mentioned():
    found = call(test=[0, 0, 0, 0, 0.8, 0.1, 0, 0, 0, 0])
    assert found.label == "memorization"
    assert "up at 0.8 at step 100" in found.caveats[0]


def test_a_test_curve_that_falls_back_is_ungrokking():
    found = call(test=[0, 0, 0, 0, 1, 1, 0.5, 0.4, 0.3, 0.3])
    assert found.label == "ungrokking"
    assert "while train accuracy stayed" in found.reason


def test_a_train_curve_that_falls_back_is_unstable():
    train = MEMORIZED.copy()
    train[6:] = 0.2
    assert call(train=train).label == "unstable"
    assert call(train=train, test=np.ones(10)).label == "unstable"


def test_one_late_spike_changes_nothing_but_the_caveats():
    train = MEMORIZED.copy()
    train[-1] = 0.3
    found = call(train=train, test=[0, 0, 0, 0, 0, 0, 0.3, 1, 1, 0.5])
    assert found.label == "grokking"
    assert found.caveats == (
        "train accuracy dipped to 0.3 at step 1500",
        "test accuracy dipped to 0.5 at step 1500",
    )


def test_a_run_stopped_at_its_crossing_has_not_fallen_back():
    found = verdict([0, 10, 50, 100, 400], [0, 0.5, 1, 1, 1], [0, 0, 0, 0, 1], chance=CHANCE, n_test=N_TEST)
    assert found.label == "grokking"


def test_the_spacing_of_evaluations_that_decides_the_label_is_a_caveat():
    steps = [0, 10, 50, 100, 260]
    found = verdict(steps, [0, 0.5, 1, 1, 1], [0, 0, 0, 0, 1], chance=CHANCE, n_test=N_TEST)
    assert found.label == "grokking"
    assert "delays from 2 to 26" in found.caveats[0]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_unstable_whatever_the_curves(bad):
    loss = np.ones(10)
    loss[7] = bad
    found = call(test=[0, 0, 0, 0, 0, 0, 0, 1, 1, 1], train_loss=loss)
    assert found.label == "unstable"
    assert "step 500" in found.reason


def test_a_run_that_was_never_finite_is_unstable():
    assert call(train=[np.nan] * 10, test=[np.nan] * 10).label == "unstable"


def test_a_train_curve_that_never_gets_there_is_confusion():
    assert call(train=np.linspace(0, 0.9, 10)).label == "confusion"
    assert call(train=np.linspace(0, 0.9, 10), test=np.ones(10)).label == "comprehension"


def test_memorization_at_step_zero_has_no_delay():
    found = call(train=np.ones(10), test=[0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
    assert (found.label, found.delay) == ("comprehension", None)


def test_too_few_test_rows_to_leave_chance_is_said():
    found = call(test=[0, 0, 0, 0, 0, 0, 0, 1, 1, 1], chance=0.5, n_test=20)
    assert found.label == "grokking"
    assert "too few test rows" in found.caveats[0]


def test_the_result_carries_its_thresholds():
    found = call(min_delay=20, test=[0, 0, 0, 0.01, 0.05, 0.3, 0.9, 1, 1, 1])
    assert found.label == "comprehension"
    assert found.thresholds == {
        "threshold": 0.99,
        "min_delay": 20,
        "n_sigma": 5.0,
        "semi_floor": 0.2,
        "fallback": 0.9,
        "n_last": 5,
    }


def test_float32_means_just_above_one_are_accepted():
    assert call(train=MEMORIZED * np.float32(1.0000001)).label == "memorization"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": np.full(10, 99.0)}, "divide a percentage by 100"),
        ({"test": [0.0] * 9}, "same length"),
        ({"test": [np.nan] * 10}, "no finite value"),
        ({"chance": 1.0}, r"in \[0, 1\); got 1.0"),
        ({"n_test": 0}, "without test rows"),
        ({"fallback": 0.995}, "fallback <= threshold"),
        ({"min_delay": 0.5}, "min_delay >= 1"),
        ({"train_loss": [1.0]}, "train_loss must be one-dimensional"),
    ],
)
def test_a_wrong_call_is_refused_with_the_reason(change, message):
    with pytest.raises(ValueError, match=message):
        call(**change)
