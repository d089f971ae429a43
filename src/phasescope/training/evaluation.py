"""When to look at a run: a log-time grid that refines itself where the run changes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

TOLERANCE = 0.02  # change of a watched accuracy between two looks that calls for a closer one


def watched(values: Mapping[str, float]) -> dict[str, float]:
    """The accuracies of an evaluation that say how a run is doing, under `train/accuracy` and `test/accuracy`.

    Where every test row is the mirror of a training row, all test rows stand in for the unmirrored ones.
    """
    test = values.get("test/accuracy", values.get("test_all/accuracy"))
    found = {"train/accuracy": values.get("train/accuracy"), "test/accuracy": test}
    return {name: value for name, value in found.items() if value is not None}


@dataclass(slots=True)
class EvaluationSchedule:
    """Steps at which one run is evaluated.

    The gap between evaluations is that of a grid with `per_decade` points per decade of steps. Where a watched
    accuracy moved by more than `TOLERANCE` since the last look, the gap is halved, down to single steps; where it did
    not, it doubles, up to the grid's. The schedule sees its own run only, so what is recorded of a run does not depend
    on which others share its batch.

    Attributes:
        per_decade: Density of the grid.
        next_step: The next step to look at.
        gap: Distance of `next_step` from the look before.
        seen: Watched values at the last look.
    """

    per_decade: int
    next_step: int = 0
    gap: int = 1
    seen: dict[str, float] = dataclasses.field(default_factory=dict)

    def advance(self, step: int, values: Mapping[str, float], *, last_step: int) -> None:
        """Note what was seen at `step` and choose the next step, at most `last_step`."""
        now = watched(values)
        moved = any(abs(now[name] - self.seen[name]) > TOLERANCE for name in now if name in self.seen)
        grid = max(1, math.ceil((step + 1) * (10 ** (1 / self.per_decade) - 1)))
        self.gap = max(1, self.gap // 2) if moved else min(grid, 2 * self.gap)
        self.seen = now
        self.next_step = max(step + 1, min(step + self.gap, last_step))


@dataclass(slots=True)
class SnapshotSchedule:
    """Evaluations at which the parameters are kept: the first on or after each point of a log-time grid."""

    per_decade: int
    next_step: int = 0

    def due(self, step: int) -> bool:
        """Whether to keep the parameters at `step`; asked once per evaluation, in order."""
        if step < self.next_step:
            return False
        self.next_step = max(step + 1, math.ceil(step * 10 ** (1 / self.per_decade)))
        return True


@dataclass(slots=True)
class LearningWatch:
    """When train and test accuracy first reached the threshold, and since when test accuracy has stayed there.

    Attributes:
        threshold: Accuracy that counts as having learned.
        first: First step at or above it, by series name.
        held_since: Step since which test accuracy has been at or above it without a break; −1 when it is below.
    """

    threshold: float
    first: dict[str, int] = dataclasses.field(default_factory=dict)
    held_since: int = -1

    def see(self, step: int, values: Mapping[str, float]) -> bool:
        """Note an evaluation; true when a watched accuracy reached the threshold for the first time."""
        now = watched(values)
        reached = [name for name in now if now[name] >= self.threshold and name not in self.first]
        self.first.update(dict.fromkeys(reached, step))
        if now.get("test/accuracy", 0.0) < self.threshold:
            self.held_since = -1
        elif self.held_since < 0:
            self.held_since = step
        return bool(reached)

    def settled(self, step: int, settle: float | None) -> bool:
        """Whether test accuracy has held since step s and `step` is at least (1 + settle)·s; `None`: never."""
        return settle is not None and self.held_since >= 0 and step >= (1 + settle) * max(1, self.held_since)
