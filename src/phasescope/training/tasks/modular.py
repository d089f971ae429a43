"""Binary operations on the integers modulo p: the p×p table, its splits, and who has a mirror in training.

The operations are those of Power et al. (2022), "Grokking: generalization beyond overfitting on small algorithmic
datasets", arXiv 2201.02177.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import unknown_name
from phasescope.measures.fourier_basis import Direction

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SPLITS = ("pairs", "symmetric_closed")
LABELS = ("task", "random")


def _inverse(values: IntArray, modulus: int) -> IntArray:
    """Multiplicative inverses modulo a prime; 0 where there is none."""
    table = np.array([0] + [pow(value, -1, modulus) for value in range(1, modulus)], dtype=np.int64)
    return table[values % modulus]


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operation and what it demands of the modulus and of its second operand."""

    formula: str
    function: Callable[[IntArray, IntArray, int], IntArray]
    divides: bool = False  # needs a prime modulus
    excludes_zero: bool = False  # rows with b = 0 have no answer
    direction: Direction | None = None  # set when the answer depends on a + b or a − b alone


OPERATIONS: dict[str, Operation] = {
    "add": Operation("a + b", lambda a, b, p: a + b, direction="sum"),
    "subtract": Operation("a − b", lambda a, b, p: a - b, direction="difference"),
    "multiply": Operation("a × b", lambda a, b, p: a * b),
    "divide": Operation("a ÷ b", lambda a, b, p: a * _inverse(b, p), divides=True, excludes_zero=True),
    "squares": Operation("a² + b²", lambda a, b, p: a**2 + b**2),
    "quadratic": Operation("a² + ab + b²", lambda a, b, p: a**2 + a * b + b**2),
    "quadratic_plus": Operation("a² + ab + b² + a", lambda a, b, p: a**2 + a * b + b**2 + a),
    "cubic": Operation("a³ + ab", lambda a, b, p: a**3 + a * b),
    "cubic_mixed": Operation("a³ + ab² + b", lambda a, b, p: a**3 + a * b**2 + b),
    "divide_or_subtract": Operation(
        "a ÷ b if b is odd, else a − b",
        lambda a, b, p: np.where(b % 2 == 1, a * _inverse(b, p), a - b),
        divides=True,
    ),
}


@dataclass(frozen=True, slots=True)
class ModularTask:
    """All rows (a, b) of an operation modulo p, in the order of the p×p table.

    Attributes:
        operation: A key of `OPERATIONS`.
        modulus: p.
        left: a of each row, shape `(n_rows,)`.
        right: b of each row, shape `(n_rows,)`.
        labels: Answer of each row, shape `(n_rows,)`, in 0 … p−1.
    """

    operation: str
    modulus: int
    left: IntArray
    right: IntArray
    labels: IntArray

    @property
    def n_rows(self) -> int:
        """Number of rows: p², or p(p−1) when b = 0 has no answer."""
        return len(self.labels)

    @property
    def direction(self) -> Direction | None:
        """Whether the answer depends on the sum or the difference of a and b alone; else `None`."""
        return OPERATIONS[self.operation].direction


def modular_task(operation: str, modulus: int) -> ModularTask:
    """Build the table of `operation` modulo `modulus`.

    Args:
        operation: A key of `OPERATIONS`.
        modulus: p ≥ 2; a prime when the operation divides.

    Raises:
        ValueError: If the operation is unknown, the modulus is below 2, or it is not prime where division needs it.

    Example:
        >>> modular_task("add", 5).labels[:7].tolist()
        [0, 1, 2, 3, 4, 1, 2]
    """
    if operation not in OPERATIONS:
        raise ValueError(unknown_name("operation", operation, OPERATIONS))
    if modulus < 2:
        raise ValueError(f"the modulus must be at least 2, and {modulus} arrived")
    rule = OPERATIONS[operation]
    if rule.divides and not is_prime(modulus):
        raise ValueError(
            f"{operation!r} divides, which needs a prime modulus, and {modulus} arrived; "
            f"the nearest prime is {nearest_prime(modulus)}"
        )
    left, right = np.divmod(np.arange(modulus**2, dtype=np.int64), modulus)
    if rule.excludes_zero:
        left, right = left[right != 0], right[right != 0]
    return ModularTask(operation, modulus, left, right, rule.function(left, right, modulus) % modulus)


def random_labels(task: ModularTask, rng: np.random.Generator) -> IntArray:
    """Labels drawn uniformly and independently of the row: what can be memorized and never generalized."""
    return rng.integers(task.modulus, size=task.n_rows)


def train_mask(task: ModularTask, fraction: float, *, split: str = "pairs", rng: np.random.Generator) -> BoolArray:
    """Choose the training rows.

    Args:
        task: The table.
        fraction: Share of the rows to train on, in (0, 1].
        split: `"pairs"` draws uniformly over ordered pairs; `"symmetric_closed"` draws unordered pairs, so that no
            mirror (b, a) of a training row is ever in test.
        rng: Source of randomness.

    Returns:
        Which rows are for training, shape `(n_rows,)`. The number of training rows is `fraction * n_rows`, rounded
        (to within one row for `"symmetric_closed"`).

    Raises:
        ValueError: If the fraction leaves (0, 1] or yields no training row, or the split is unknown.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"the training fraction must lie in (0, 1], and {fraction} arrived")
    if split not in SPLITS:
        raise ValueError(unknown_name("split", split, SPLITS))
    n_train = round(fraction * task.n_rows)
    if n_train == 0:
        raise ValueError(f"a fraction of {fraction} of {task.n_rows} rows leaves no training row; raise the fraction")
    chosen = np.zeros(task.n_rows, dtype=bool)
    if split == "pairs":
        chosen[rng.permutation(task.n_rows)[:n_train]] = True
        return chosen
    pair = np.minimum(task.left, task.right) * task.modulus + np.maximum(task.left, task.right)
    names, members = np.unique(pair, return_inverse=True)
    order = rng.permutation(len(names))
    rows_so_far = np.cumsum(np.bincount(members)[order])
    n_pairs = int(np.searchsorted(rows_so_far, n_train)) + 1
    chosen[np.isin(members, order[:n_pairs])] = True
    return chosen


def mirrored_rows(task: ModularTask, train: BoolArray) -> BoolArray:
    """Rows whose mirror (b, a) with a ≠ b is a training row, shape `(n_rows,)`.

    A model with one embedding for both operands answers such test rows of a commutative operation without having
    understood anything, so test accuracy is reported apart on mirrored and on unmirrored rows.
    """
    table = np.zeros((task.modulus, task.modulus), dtype=bool)
    table[task.left[train], task.right[train]] = True
    mirrored: BoolArray = table[task.right, task.left] & (task.left != task.right)
    return mirrored


def is_prime(number: int) -> bool:
    """Whether the number is prime."""
    return number >= 2 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def nearest_prime(number: int) -> int:
    """The prime closest to the number, the larger of two equally close ones."""
    distance = 0
    while True:
        for candidate in (number + distance, number - distance):
            if is_prime(candidate):
                return candidate
        distance += 1
