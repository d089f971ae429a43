"""What a per-token accuracy becomes on metrics of whole strings: exact match, substitutions, Levenshtein distance.

The error model of all expectations here: a true string of independent, uniformly drawn tokens; each position is kept
with probability q, else replaced by one of the vocabulary's other tokens, all equally likely, independently.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MAX_EXACT_LENGTH = 6  # Bell(12) = 4,213,597 equality patterns; Bell(14) = 190,899,322


def exact_match_probability(per_token_accuracy: ArrayLike, length: int) -> NDArray[np.float64]:
    """Probability q^L that all L tokens are right, when they are right independently [1].

    Args:
        per_token_accuracy: q, any shape, in [0, 1].
        length: Number of tokens L.

    Returns:
        q^L, in the shape of `per_token_accuracy`.

    Raises:
        ValueError: If an accuracy is outside [0, 1] or `length` is below 1.

    References:
        [1] Schaeffer, Miranda & Koyejo (2023), NeurIPS 36, arXiv 2304.15004.

    Example:
        >>> float(exact_match_probability(0.5, 5))
        0.03125
    """
    return _checked(per_token_accuracy, length) ** length


def expected_substitutions(per_token_accuracy: ArrayLike, length: int) -> NDArray[np.float64]:
    """Expected number L·(1 − q) of wrong tokens: linear in q, whatever the vocabulary [1].

    This is the Hamming distance of two strings of one length. The Levenshtein distance may be smaller, because a
    shift can be cheaper than several substitutions; see `expected_levenshtein`.

    Args:
        per_token_accuracy: q, any shape, in [0, 1].
        length: Number of tokens L.

    Returns:
        L·(1 − q), in the shape of `per_token_accuracy`.

    Raises:
        ValueError: If an accuracy is outside [0, 1] or `length` is below 1.

    References:
        [1] Schaeffer, Miranda & Koyejo (2023), NeurIPS 36, arXiv 2304.15004.

    Example:
        >>> float(expected_substitutions(0.5, 5))
        2.5
    """
    return length * (1.0 - _checked(per_token_accuracy, length))


def expected_levenshtein(per_token_accuracy: ArrayLike, length: int, *, vocabulary: int) -> NDArray[np.float64]:
    """Expected Levenshtein distance between a string and its corrupted copy, exactly.

    The distance depends only on which of the 2·L positions of both strings hold equal tokens, so the sum over all
    V^(2L) pairs of strings collapses to one over equality patterns, Bell(2L) of them (115,975 at L = 5). A pattern
    with k distinct tokens stands for V·(V − 1)···(V − k + 1) pairs, and one with m mismatched positions has
    probability V^(−L) · q^(L − m) · ((1 − q)/(V − 1))^m each.

    Args:
        per_token_accuracy: q, any shape, in [0, 1].
        length: Number of tokens L, at most 6.
        vocabulary: Number of different tokens V, at least 2.

    Returns:
        The expectation in the shape of `per_token_accuracy`; no sampling, exact up to rounding.

    Raises:
        ValueError: If an accuracy is outside [0, 1], `length` is not in 1–6, or `vocabulary` is below 2.

    Example:
        >>> float(expected_levenshtein(0.0, 1, vocabulary=2))
        1.0
    """
    q = _checked(per_token_accuracy, length)
    if length > _MAX_EXACT_LENGTH:
        raise ValueError(
            f"length is {length}; the exact sum is feasible up to {_MAX_EXACT_LENGTH}; "
            "beyond it average levenshtein(...) over simulated strings"
        )
    if vocabulary < 2:
        raise ValueError(f"vocabulary must hold at least 2 tokens, so that one can be wrong; got {vocabulary}")
    total = _distance_totals(length)
    patterns = np.array([float(np.prod(vocabulary - np.arange(k, dtype=np.float64))) for k in range(2 * length + 1)])
    by_mismatches = total @ np.maximum(patterns, 0.0)  # (L + 1,) summed distance over pairs with m mismatches
    m = np.arange(length + 1)
    wrong = (1 - q[..., None]) / (vocabulary - 1)
    weights = q[..., None] ** (length - m) * wrong**m
    result: NDArray[np.float64] = (weights @ by_mismatches) / float(vocabulary) ** length
    return result


def levenshtein(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """Levenshtein distance of pairs of token strings: fewest insertions, deletions and substitutions.

    The dynamic program of Wagner and Fischer [1], one row at a time for all pairs at once.

    Args:
        first: Token ids, shape `(n_pairs, length)`.
        second: Token ids, shape `(n_pairs, other_length)`.

    Returns:
        Distances, shape `(n_pairs,)`.

    Raises:
        ValueError: If either is not two-dimensional or the numbers of pairs differ.

    References:
        [1] Wagner & Fischer (1974), Journal of the ACM 21, 168.

    Example:
        >>> levenshtein([[1, 2, 3, 4]], [[2, 3, 4, 1]]).tolist()
        [2]
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise ValueError(f"first and second must have shape (n_pairs, length); got {a.shape} and {b.shape}")
    previous = [np.full(len(a), j, dtype=np.int64) for j in range(b.shape[1] + 1)]
    for i in range(a.shape[1]):
        row = [np.full(len(a), i + 1, dtype=np.int64)]
        for j in range(b.shape[1]):
            shifted = np.minimum(previous[j + 1], row[j]) + 1
            row.append(np.minimum(shifted, previous[j] + (a[:, i] != b[:, j])))
        previous = row
    return previous[-1]


def _checked(per_token_accuracy: ArrayLike, length: int) -> NDArray[np.float64]:
    q = np.asarray(per_token_accuracy, dtype=np.float64)
    if not ((q >= 0) & (q <= 1)).all():
        raise ValueError("per_token_accuracy must lie in [0, 1]")
    if length < 1:
        raise ValueError(f"length must be at least 1; got {length}")
    return q


@cache
def _distance_totals(length: int) -> NDArray[np.float64]:
    """Summed distance over equality patterns with m mismatched positions and k distinct tokens: `(L + 1, 2L + 1)`."""
    patterns = _equality_patterns(2 * length)
    totals = np.zeros((length + 1, 2 * length + 1))
    for part in np.array_split(patterns, 1 + len(patterns) // 200_000):  # bounds the memory of the rows in between
        first, second = part[:, :length], part[:, length:]
        mismatches = (first != second).sum(axis=1)
        distinct = part.max(axis=1).astype(np.int64) + 1
        np.add.at(totals, (mismatches, distinct), levenshtein(first, second))
    return totals


def _equality_patterns(n: int) -> NDArray[np.int8]:
    """All restricted growth strings of length n: each entry is at most one above the largest before it."""
    patterns = np.zeros((1, 1), dtype=np.int8)
    for _ in range(n - 1):
        n_next = patterns.max(axis=1).astype(np.int64) + 2
        parent = np.repeat(np.arange(len(patterns)), n_next)
        entry = np.arange(len(parent)) - np.repeat(np.cumsum(n_next) - n_next, n_next)
        patterns = np.concatenate((patterns[parent], entry[:, None].astype(np.int8)), axis=1)
    return patterns
