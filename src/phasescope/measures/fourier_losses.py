"""Restricted and excluded loss: cross-entropy of a network's Fourier circuit alone, and of the network without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy, as_table
from phasescope.measures.fourier import key_frequencies
from phasescope.measures.fourier_basis import Direction, diagonal_means
from phasescope.measures.null_band import null_band
from phasescope.results import Result

# A restricted loss this many times and this many nats above the loss of the whole network gets a caveat.
MUCH_WORSE, CLEARLY_WORSE = 2.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedLoss(Result):
    """Cross-entropy on all rows when only the key frequencies of a ± b are kept in the logits."""

    estimate: float  # nats per row; exact over the full table, so without interval
    null: float | None  # median with as many frequencies drawn at random
    null_interval: tuple[float, float] | None  # 2.5 % and 97.5 % quantiles of the same
    full_loss: float  # nats per row; cross-entropy of the untouched logits on the same rows
    keys: NDArray[np.int64]  # (n_keys,) frequencies kept
    contributions: NDArray[np.float64] | None  # (n_keys,) nats by which the loss rises when this key is dropped too


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedLoss(Result):
    """Cross-entropy on the training rows when the key frequencies of a ± b are removed from the logits."""

    estimate: float  # nats per row; exact over the training rows, so without interval
    null: float | None  # median with as many frequencies drawn at random
    null_interval: tuple[float, float] | None  # 2.5 % and 97.5 % quantiles of the same
    train_loss: float  # nats per row; cross-entropy of the untouched logits on the same rows
    keys: NDArray[np.int64]  # (n_keys,) frequencies removed
    contributions: NDArray[np.float64] | None  # (n_keys,) nats by which it rises when this key alone is removed


def restricted_loss(
    logits: ArrayLike,
    *,
    keys: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    direction: Direction = "sum",
    by_key: bool = True,
    rng: np.random.Generator | None = None,
    n_null: int = 199,
) -> RestrictedLoss:
    """Cross-entropy of the generalizing circuit alone: keep the key frequencies, drop everything else.

    Of the logits only the projections on cos(w_k(a + b)) and sin(w_k(a + b)), w_k = 2πk/p, are kept, for all key
    frequencies k at once, and the mean logit of every class is added back [1]. The loss is taken on all p² rows.
    What is kept depends on a + b alone, so averaging the table along its diagonals first leaves one transform of
    length p: O(p³) in all, against O(p⁴) for explicit projections.

    Args:
        logits: Logits on all pairs (a, b), shape `(p, p, n_classes)`, in nats.
        keys: Frequencies 1 … ⌊p/2⌋ to keep; by default those of `key_frequencies(logits, direction=direction)`. To
            follow a run, pass the keys of its final network at every step.
        labels: Correct classes, shape `(p, p)`; by default (a + b) mod p, or (a − b) mod p.
        direction: `"sum"` for components in a + b, `"difference"` for a − b.
        by_key: Whether to work out `contributions`, which costs one more loss per key; else they are `None`.
        rng: Source of randomness for the null; without it `null` and `null_interval` are `None`.
        n_null: Number of random key sets of the same size, drawn from all frequencies, behind the null.

    Returns:
        The loss, that of the untouched logits, and the keys with their contributions. All p² rows are counted, so there
        is no sampling error to give an interval for; the number is read against `null_interval`.

    Raises:
        ValueError: If shapes, keys or labels do not fit the table.

    References:
        [1] Nanda, Chan, Lieberum, Smith & Steinhardt (2023), Progress measures for grokking via mechanistic
            interpretability, ICLR, arXiv 2301.05217.

    Example:
        >>> a, b, c = np.ogrid[:13, :13, :13]
        >>> logits = 20 * np.cos(2 * np.pi * 3 * (a + b - c) / 13)
        >>> round(restricted_loss(logits).estimate, 3)
        0.185
    """
    table = as_table(logits, name="logits")
    p, _, n_classes = table.shape
    correct = _checked_labels(labels, p, n_classes, direction)
    kept, caveats = _checked_keys(keys, table, direction)
    means = diagonal_means(table, direction)
    # Rows of equal s = a ± b and equal label have equal restricted loss: p distinct ones for labels (a ± b) mod p.
    a, b = np.ogrid[:p, :p]
    s = (a + b if direction == "sum" else a - b) % p
    distinct, counts = np.unique(s * n_classes + correct, return_counts=True)
    row_s, row_label = np.divmod(distinct, n_classes)

    def loss(frequencies: NDArray[np.int64]) -> float:
        restricted = means.mean(axis=0) + _components(means, frequencies)
        return float(np.average(_cross_entropy(restricted[row_s], row_label), weights=counts))

    estimate = loss(kept)
    contributions = None
    if by_key:
        contributions = np.array([loss(np.delete(kept, i)) for i in range(len(kept))]) - estimate
    null, null_interval = null_band([loss(drawn) for drawn in _random_keys(rng, p, len(kept), n_null)])
    full_loss = float(_cross_entropy(table.reshape(p * p, n_classes), correct.ravel()).mean())
    if len(kept) and estimate > MUCH_WORSE * full_loss and estimate > full_loss + CLEARLY_WORSE:
        caveats += (
            f"the key frequencies alone give {estimate:.3g} nats where the whole network gives {full_loss:.3g}: they "
            "leave out part of what it answers with",
        )
    return RestrictedLoss(
        estimate=estimate,
        null=null,
        null_interval=null_interval,
        full_loss=full_loss,
        keys=kept,
        contributions=contributions,
        caveats=caveats,
    )


def excluded_loss(
    logits: ArrayLike,
    train_mask: ArrayLike,
    *,
    keys: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    direction: Direction = "sum",
    by_key: bool = True,
    rng: np.random.Generator | None = None,
    n_null: int = 39,
) -> ExcludedLoss:
    """Cross-entropy of what remains without the generalizing circuit: remove the key frequencies, keep the rest.

    The projections of the logits on cos(w_k(a + b)) and sin(w_k(a + b)) are subtracted for all key frequencies at once,
    as in the paper [1] (its released code removes one at a time: that is `contributions`). The loss is taken on the
    training rows: while a network memorizes it stays near the train loss, and it rises as the circuit takes over.

    Args:
        logits: Logits on all pairs (a, b), shape `(p, p, n_classes)`, in nats.
        train_mask: True on the training rows, shape `(p, p)`.
        keys: Frequencies 1 … ⌊p/2⌋ to remove; by default those of `key_frequencies(logits, direction=direction)`.
        labels: Correct classes, shape `(p, p)`; by default (a + b) mod p, or (a − b) mod p.
        direction: `"sum"` for components in a + b, `"difference"` for a − b.
        by_key: Whether to work out `contributions`, which costs one more loss per key; else they are `None`.
        rng: Source of randomness for the null; without it `null` and `null_interval` are `None`.
        n_null: Number of random key sets of the same size, drawn from all frequencies, behind the null.

    Returns:
        The loss, the train loss, and the keys with their contributions. Every training row is counted, so there is no
        sampling error to give an interval for; the number is read against `null_interval`.

    Raises:
        ValueError: If shapes, keys or labels do not fit the table, or no row is a training row.

    References:
        [1] Nanda, Chan, Lieberum, Smith & Steinhardt (2023), ICLR, arXiv 2301.05217.

    Example:
        >>> a, b, c = np.ogrid[:13, :13, :13]
        >>> logits = 20 * np.cos(2 * np.pi * 3 * (a + b - c) / 13)
        >>> round(excluded_loss(logits, np.ones((13, 13), dtype=bool)).estimate, 3)  # ln 13
        2.565
    """
    table = as_table(logits, name="logits")
    p, _, n_classes = table.shape
    correct = _checked_labels(labels, p, n_classes, direction)
    removed, caveats = _checked_keys(keys, table, direction)
    mask = as_numpy(train_mask)
    if mask.shape != (p, p) or mask.dtype != np.bool_ or not mask.any():
        raise ValueError(
            f"train_mask needs booleans of shape {(p, p)}, some of them True; it has shape {mask.shape}, "
            f"dtype {mask.dtype} and {np.count_nonzero(mask)} True"
        )
    a, b = np.nonzero(mask)
    s = (a + b if direction == "sum" else a - b) % p
    rows, row_labels = table[a, b], correct[a, b]
    means = diagonal_means(table, direction)

    def loss(frequencies: NDArray[np.int64]) -> float:
        return float(_cross_entropy(rows - _components(means, frequencies)[s], row_labels).mean())

    train_loss = float(_cross_entropy(rows, row_labels).mean())
    contributions = None
    if by_key:
        contributions = np.array([loss(removed[i : i + 1]) for i in range(len(removed))]) - train_loss
    null, null_interval = null_band([loss(drawn) for drawn in _random_keys(rng, p, len(removed), n_null)])
    return ExcludedLoss(
        estimate=loss(removed),
        null=null,
        null_interval=null_interval,
        train_loss=train_loss,
        keys=removed,
        contributions=contributions,
        caveats=caveats,
    )


def _cross_entropy(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """−log softmax at the label, per row, from the odds against it, so that a loss of 1e-30 keeps its digits."""
    against = rows - np.take_along_axis(rows, labels[:, None], axis=1)
    np.put_along_axis(against, labels[:, None], -np.inf, axis=1)
    top = against.max(axis=1)
    log_odds_against = top + np.log(np.exp(against - top[:, None]).sum(axis=1))
    return np.asarray(np.logaddexp(0.0, log_odds_against))


def _components(means: NDArray[np.float64], frequencies: NDArray[np.int64]) -> NDArray[np.float64]:
    """The part of the diagonal means `(p, n_classes)` at the given frequencies."""
    transform = np.fft.rfft(means, axis=0)
    kept = np.zeros_like(transform)
    kept[frequencies] = transform[frequencies]
    return np.asarray(np.fft.irfft(kept, n=len(means), axis=0))


def _checked_labels(labels: ArrayLike | None, p: int, n_classes: int, direction: Direction) -> NDArray[np.int64]:
    if labels is None:
        a, b = np.ogrid[:p, :p]
        correct = (a + b if direction == "sum" else a - b) % p
    else:
        correct = as_numpy(labels)
    if correct.shape != (p, p) or correct.dtype.kind not in "iu":
        raise ValueError(f"labels need integers of shape {(p, p)}; they have shape {correct.shape}, {correct.dtype}")
    if n_classes < 2 or correct.min() < 0 or correct.max() >= n_classes:
        raise ValueError(
            f"labels span {correct.min()} … {correct.max()}, but the logits have {n_classes} classes; give labels"
        )
    return correct.astype(np.int64, copy=False)


def _checked_keys(
    keys: ArrayLike | None, table: NDArray[np.float64], direction: Direction
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The keys, ascending and without repetition, and what is to be said about them."""
    highest = len(table) // 2
    caveats: tuple[str, ...] = ()
    if keys is None:
        found = key_frequencies(table, direction=direction)
        chosen, caveats = found.keys, found.caveats
    else:
        given = as_numpy(keys)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise ValueError(f"keys need a list of integers; they have shape {given.shape}, dtype {given.dtype}")
        chosen = np.unique(given).astype(np.int64)
        if chosen.size and not 1 <= chosen[0] <= chosen[-1] <= highest:
            raise ValueError(f"keys lie in 1 … {highest} for p = {len(table)}; they are {chosen.tolist()}")
    if chosen.size == 0:
        caveats += ("no key frequency, so nothing but the mean logit is kept and nothing is removed",)
    elif chosen.size == highest:
        caveats += ("every frequency is a key, so random keys are the same keys and the null says nothing",)
    return chosen, caveats


def _random_keys(rng: np.random.Generator | None, p: int, n_keys: int, n_null: int) -> list[NDArray[np.int64]]:
    if rng is None or n_keys == 0:
        return []
    return [1 + rng.choice(p // 2, size=n_keys, replace=False) for _ in range(n_null)]
