"""When a run is looked at.

Only this file sees: a grid that thins out where something happens, or one that never ends.
"""

import numpy as np

from phasescope.training.evaluation import EvaluationSchedule, LearningWatch, SnapshotSchedule


def steps_looked_at(curve, last_step, per_decade=40):
    schedule = EvaluationSchedule(per_decade)
    steps = []
    while not steps or steps[-1] < last_step:
        step = schedule.next_step
        steps.append(step)
        schedule.advance(step, {"train/accuracy": 1.0, "test/accuracy": curve(step)}, last_step=last_step)
    return np.array(steps)


def test_a_still_run_is_seen_on_the_log_time_grid():
    steps = steps_looked_at(lambda step: 0.5, 100_000)
    assert steps[0] == 0
    assert steps[-1] == 100_000
    late = steps[steps >= 1000]
    ratios = late[1:-1] / late[:-2]
    assert np.all(np.abs(ratios - 10 ** (1 / 40)) < 2e-3)


def test_a_rise_wider_than_the_grid_is_seen_closely_and_the_plateau_on_the_grid_again():
    def rise(step):
        return 1 / (1 + np.exp(-(step - 5000) / 150))  # 10 % to 90 % within 660 steps; the grid's gap there is 296

    steps = steps_looked_at(rise, 20_000)
    on_the_grid_alone = 296 / (4 * 150)  # largest jump of the rise over one gap of the grid
    assert np.abs(np.diff(rise(steps))).max() < on_the_grid_alone / 2
    assert np.sum((steps > 4500) & (steps < 5500)) >= 15
    far = steps[steps > 9000]
    assert far[1] - far[0] > 400


def test_a_jump_is_bracketed_by_single_steps_while_it_goes_on():
    steps = steps_looked_at(lambda step: min(1.0, max(0.0, (step - 1000) / 200)), 3000)
    inside = steps[(steps > 1100) & (steps < 1200)]
    assert np.diff(inside).max() <= 8


def test_snapshots_are_kept_once_per_point_of_their_grid():
    schedule = SnapshotSchedule(10)
    kept = [step for step in range(10_001) if schedule.due(step)]
    assert kept[:3] == [0, 1, 2]
    assert abs(sum(1000 <= step < 10_000 for step in kept) - 10) <= 1


def test_a_run_settles_only_if_it_has_held_without_a_break():
    watch = LearningWatch(0.99)
    assert watch.see(50, {"train/accuracy": 1.0, "test/accuracy": 0.0})
    assert watch.see(100, {"train/accuracy": 1.0, "test/accuracy": 0.995})
    assert not watch.see(150, {"train/accuracy": 1.0, "test/accuracy": 0.9})
    assert not watch.settled(210, 1.0)
    assert not watch.see(160, {"train/accuracy": 1.0, "test/accuracy": 1.0})
    assert watch.first == {"train/accuracy": 50, "test/accuracy": 100}
    assert not watch.settled(319, 1.0)
    assert watch.settled(320, 1.0)
    assert not watch.settled(10**9, None)


def test_mirrored_rows_stand_in_where_there_are_no_others():
    learning, schedule = LearningWatch(0.99), EvaluationSchedule(40)
    for step, accuracy in ((0, 0.1), (200, 0.5), (400, 1.0)):
        values = {"train/accuracy": 1.0, "test_all/accuracy": accuracy}
        learning.see(step, values)
        schedule.advance(step, values, last_step=10_000)
    assert learning.first == {"train/accuracy": 0, "test/accuracy": 400}
    assert learning.settled(800, 1.0)
    assert schedule.gap == 1  # it looked closely while they rose
    learning.see(900, {"train/accuracy": 1.0, "test/accuracy": 0.0, "test_all/accuracy": 1.0})
    assert learning.held_since == -1  # where there are others, they decide
