"""Schedules against the literal grid: only these see a step that is looked at twice, or skipped by rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasescope.recorders.schedules import every, log_spaced


def test_every_looks_at_multiples_of_n() -> None:
    assert [step for step in range(25) if every(10)(step)] == [0, 10, 20]
    assert all(every(1)(step) for step in range(5))


@given(st.integers(1, 60))
def test_log_spaced_is_the_rounded_grid(per_decade: int) -> None:
    grid = {0} | {round(10 ** (k / per_decade)) for k in range(3 * per_decade + 1)}
    schedule = log_spaced(per_decade=per_decade)
    assert {step for step in range(1001) if schedule(step)} == grid


def test_log_spaced_still_finds_its_steps_after_ten_million() -> None:
    schedule = log_spaced(per_decade=20)
    for k in range(7 * 20, 9 * 20):
        step = round(10 ** (k / 20))
        assert schedule(step)
        assert not schedule(step + 1)


def test_no_schedule_looks_before_the_start() -> None:
    assert not log_spaced(per_decade=5)(-1)


def test_schedules_print_as_the_call_that_made_them() -> None:
    assert repr(every(10)) == "every(10)"
    assert repr(log_spaced(per_decade=20)) == "log_spaced(per_decade=20)"


@pytest.mark.parametrize("n", [0, -3, 2.5, True, "10"])
def test_a_distance_below_one_is_refused(n: object) -> None:
    with pytest.raises(ValueError, match="whole number of at least 1"):
        every(n)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole number of at least 1"):
        log_spaced(per_decade=n)  # type: ignore[arg-type]
