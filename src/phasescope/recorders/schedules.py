"""When to look: pure functions from an optimizer step to yes or no.

A schedule holds no state and consults nothing else, so a resumed run looks at the same steps as an uninterrupted one.
Any function `step -> bool` is a schedule; the ones made here also print as the call that made them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Every:
    """Every n-th step from 0, and step 1 if asked."""

    n: int
    and_first: bool = False

    def __call__(self, step: int) -> bool:
        """Whether to look at this step."""
        return step % self.n == 0 or (self.and_first and step == 1)

    def __repr__(self) -> str:
        return f"every({self.n}{', and_first=True' if self.and_first else ''})"


@dataclass(frozen=True, slots=True)
class LogSpaced:
    """Step 0, and 10^(k / per_decade) rounded to whole steps, for k from 0."""

    per_decade: int

    def __call__(self, step: int) -> bool:
        """Whether to look at this step."""
        if step < 1:
            return step == 0
        nearest = round(self.per_decade * math.log10(step))
        return any(round(10 ** (k / self.per_decade)) == step for k in (nearest - 1, nearest, nearest + 1) if k >= 0)

    def __repr__(self) -> str:
        return f"log_spaced(per_decade={self.per_decade})"


def every(n: int, *, and_first: bool = False) -> Every:
    """Look at every n-th step.

    Args:
        n: Distance between two looks, in optimizer steps.
        and_first: Look at step 1 as well, so that a run of fewer than n steps is not left empty.

    Returns:
        The schedule: true at steps 0, n, 2n, …, and at 1 if asked.

    Raises:
        ValueError: If `n` is not a whole number of at least 1.

    Example:
        >>> [step for step in range(8) if every(3)(step)]
        [0, 3, 6]
    """
    return Every(_at_least_one("n", n), and_first)


def log_spaced(*, per_decade: int = 20) -> LogSpaced:
    """Look at steps evenly spaced in log-time, as slow changes of training ask for.

    The steps are 10^(k / per_decade), rounded to whole steps; below about `per_decade / 2` that is every step.

    Args:
        per_decade: Looks per factor of ten in steps.

    Returns:
        The schedule: true at step 0 and at the rounded grid.

    Raises:
        ValueError: If `per_decade` is not a whole number of at least 1.

    Example:
        >>> [step for step in range(1001) if log_spaced(per_decade=3)(step)]
        [0, 1, 2, 5, 10, 22, 46, 100, 215, 464, 1000]
    """
    return LogSpaced(_at_least_one("per_decade", per_decade))


def _at_least_one(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, and is {value!r}")
    return value
