"""Tables and splits of the modular tasks.

Only this file sees: a wrong inverse, a row too many where division has no answer, a split that leaks mirrors although
it promises none, or one that depends on anything but its own seed.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasescope.training.tasks.modular import (
    OPERATIONS,
    is_prime,
    mirrored_rows,
    modular_task,
    random_labels,
    train_mask,
)

BY_HAND = {  # answer of (a, b) = (5, 3) and (4, 6) modulo 7, worked out on paper
    "add": (1, 3),
    "subtract": (2, 5),
    "multiply": (1, 3),
    "divide": (4, 3),  # 3⁻¹ = 5, 6⁻¹ = 6
    "squares": (6, 3),
    "quadratic": (0, 6),
    "quadratic_plus": (5, 3),
    "cubic": (0, 4),
    "cubic_mixed": (5, 4),
    "divide_or_subtract": (4, 5),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_answers_are_those_worked_out_by_hand(operation):
    task = modular_task(operation, 7)
    table = {(a, b): c for a, b, c in zip(task.left, task.right, task.labels, strict=True)}
    assert (table[5, 3], table[4, 6]) == BY_HAND[operation]


def test_division_undoes_multiplication_on_every_row():
    task = modular_task("divide", 23)
    assert task.n_rows == 23 * 22
    assert np.all(task.right != 0)
    assert np.array_equal(task.labels * task.right % 23, task.left)


def test_rows_are_in_the_order_of_the_table():
    task = modular_task("add", 11)
    assert np.array_equal(task.labels.reshape(11, 11), np.add.outer(np.arange(11), np.arange(11)) % 11)


def test_a_composite_modulus_is_refused_where_division_needs_a_prime():
    with pytest.raises(ValueError, match=r"needs a prime modulus, and 96 arrived; the nearest prime is 97"):
        modular_task("divide", 96)
    assert modular_task("add", 96).n_rows == 96**2


def test_an_unknown_operation_suggests_near_ones():
    with pytest.raises(ValueError, match=r"no operation named 'subtrac'; closest names: \['subtract'"):
        modular_task("subtrac", 7)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan")])
def test_a_fraction_outside_zero_to_one_is_refused(fraction):
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\]"):
        train_mask(modular_task("add", 7), fraction, rng=np.random.default_rng(0))


def test_a_fraction_that_leaves_no_row_is_refused():
    with pytest.raises(ValueError, match="leaves no training row"):
        train_mask(modular_task("add", 7), 0.001, rng=np.random.default_rng(0))


@given(st.integers(2, 30), st.floats(0.05, 1), st.integers(0, 99))
def test_the_split_has_the_size_it_was_asked_for(modulus, fraction, seed):
    task = modular_task("add", modulus)
    n_train = round(fraction * task.n_rows)
    if n_train == 0:
        return
    assert train_mask(task, fraction, rng=np.random.default_rng(seed)).sum() == n_train
    closed = train_mask(task, fraction, split="symmetric_closed", rng=np.random.default_rng(seed))
    assert n_train <= closed.sum() <= n_train + 1


@given(st.integers(3, 30), st.floats(0.05, 0.95), st.integers(0, 99))
def test_the_closed_split_leaves_no_mirror_of_a_training_row_in_test(modulus, fraction, seed):
    task = modular_task("add", modulus)
    if round(fraction * task.n_rows) == 0:
        return
    train = train_mask(task, fraction, split="symmetric_closed", rng=np.random.default_rng(seed))
    table = train.reshape(modulus, modulus)
    assert np.array_equal(table, table.T)
    assert not np.any(mirrored_rows(task, train) & ~train)


def test_the_open_split_leaks_mirrors_at_the_rate_of_the_fraction():
    task = modular_task("add", 97)
    train = train_mask(task, 0.3, rng=np.random.default_rng(0))
    mirrored = mirrored_rows(task, train)
    literal = [train[b * 97 + a] and a != b for a in range(97) for b in range(97)]
    assert np.array_equal(mirrored, literal)
    # Binomial: 6,600 off-diagonal test rows, each mirrored with probability .3.
    assert abs(mirrored[~train].mean() - 0.3 * 96 / 97) < 4 * np.sqrt(0.3 * 0.7 / 6600)


def test_random_labels_are_uniform_and_blind_to_the_row():
    task = modular_task("add", 31)
    labels = random_labels(task, np.random.default_rng(0))
    counts = np.bincount(labels, minlength=31)
    assert ((counts - 31) ** 2 / 31).sum() < 59.7  # χ²₃₀ at .999
    assert abs((labels == task.labels).mean() - 1 / 31) < 4 * np.sqrt(1 / 31 * 30 / 31 / 961)


@given(st.integers(-3, 2000))
def test_is_prime_agrees_with_trial_division(number):
    assert is_prime(number) == (number > 1 and not any(number % d == 0 for d in range(2, number)))
