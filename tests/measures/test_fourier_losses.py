"""Restricted and excluded loss.

Only this file sees: a difference from the paper's O(p⁴) projections (transcribed literally, odd and even p, both
directions, any labels), lost digits of tiny losses, and key frequencies removed one by one instead of all at once.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from phasescope.measures.fourier_losses import excluded_loss, restricted_loss


def waves(p: int, frequencies: list[int], *, scale: float = 1.0, sign: int = 1) -> NDArray[np.float64]:
    a, b, c = np.ogrid[:p, :p, :p]
    return scale * np.sum([np.cos(2 * np.pi * k * (a + sign * b - c) / p) for k in frequencies], axis=0)


def literal_losses(logits, keys, labels, mask, sign):
    """Nanda et al.: project the p² logit rows on each written-out unit vector; keep, or subtract, the sum."""
    p, _, n_classes = logits.shape
    flat = logits.reshape(p * p, n_classes)
    kept = np.zeros_like(flat)
    for k in keys:
        for wave in (np.cos, np.sin):
            vector = np.array([wave(2 * np.pi * k * (a + sign * b) / p) for a in range(p) for b in range(p)])
            norm = np.linalg.norm(vector)
            if norm > 1e-6:
                vector /= norm
                kept += vector[:, None] @ (vector[None, :] @ flat)
    restricted = kept + (flat - kept).mean(axis=0)

    def cross_entropy(rows, row_labels):
        return np.mean([math.log(np.exp(row - row[y]).sum()) for row, y in zip(rows, row_labels, strict=True)])

    train = mask.ravel()
    return (
        cross_entropy(restricted, labels.ravel()),
        cross_entropy((flat - kept)[train], labels.ravel()[train]),
        cross_entropy(flat, labels.ravel()),
        cross_entropy(flat[train], labels.ravel()[train]),
    )


@pytest.mark.parametrize(("p", "keys"), [(7, [1, 3]), (9, [2]), (8, [1, 4]), (5, [1, 2])])
@pytest.mark.parametrize(("direction", "sign"), [("sum", 1), ("difference", -1)])
def test_losses_equal_the_literal_projections(p, keys, direction, sign):
    rng = np.random.default_rng(p)
    logits = 3 * rng.normal(size=(p, p, p)) + waves(p, keys, scale=2, sign=sign) + rng.normal(size=p)
    mask = rng.random((p, p)) < 0.5
    a, b = np.ogrid[:p, :p]
    labels = (a + sign * b) % p
    restricted, excluded, full, train = literal_losses(logits, keys, labels, mask, sign)
    kept = restricted_loss(logits, keys=keys, direction=direction)
    removed = excluded_loss(logits, mask, keys=keys, direction=direction)
    assert kept.estimate == pytest.approx(restricted, rel=1e-12)
    assert kept.full_loss == pytest.approx(full, rel=1e-12)
    assert removed.estimate == pytest.approx(excluded, rel=1e-12)
    assert removed.train_loss == pytest.approx(train, rel=1e-12)


def test_losses_equal_the_literal_projections_for_any_labels_and_more_classes_than_residues():
    rng = np.random.default_rng(0)
    logits, labels, mask = rng.normal(size=(7, 7, 10)), rng.integers(0, 10, (7, 7)), rng.random((7, 7)) < 0.3
    restricted, excluded, _, _ = literal_losses(logits, [2], labels, mask, 1)
    assert restricted_loss(logits, keys=[2], labels=labels).estimate == pytest.approx(restricted, rel=1e-12)
    assert excluded_loss(logits, mask, keys=[2], labels=labels).estimate == pytest.approx(excluded, rel=1e-12)


@pytest.mark.parametrize(("p", "keys"), [(13, [2, 5]), (59, [3, 8, 20]), (16, [3, 5])])
def test_hand_built_network_is_its_keys_and_nothing_without_them(p, keys):
    noise = 1e-3 * np.random.default_rng(0).normal(size=(p, p, p))
    logits = waves(p, keys, scale=8) + noise
    mask = np.random.default_rng(1).random((p, p)) < 0.4
    kept, removed = restricted_loss(logits), excluded_loss(logits, mask)
    assert kept.keys.tolist() == removed.keys.tolist() == keys
    assert kept.estimate == pytest.approx(kept.full_loss, rel=1e-3)
    assert removed.estimate == pytest.approx(math.log(p), abs=1e-3)


def test_a_lookup_table_loses_nothing_when_the_keys_are_removed():
    # A network that only memorizes: large correct logits on the training rows alone.
    rng = np.random.default_rng(0)
    p = 23
    a, b = np.ogrid[:p, :p]
    mask = rng.random((p, p)) < 0.4
    logits = 0.1 * rng.normal(size=(p, p, p))
    logits[mask, ((a + b) % p)[mask]] += 12
    removed = excluded_loss(logits, mask, keys=[1, 4])
    kept = restricted_loss(logits, keys=[1, 4])
    assert removed.estimate < 10 * removed.train_loss
    assert removed.train_loss < 1e-3
    assert kept.estimate > 0.7 * math.log(p)


def test_a_network_that_answers_with_more_than_the_keys_gets_a_caveat():
    a, b, c = np.ogrid[:13, :13, :13]
    whole = 20 * (np.cos(2 * np.pi * 3 * (a + b - c) / 13) + np.cos(2 * np.pi * 5 * (a + b - c) / 13))
    assert restricted_loss(whole, keys=[3, 5]).caveats == ()
    part = restricted_loss(whole, keys=[3])
    assert f"{part.estimate:.3g} nats where the whole network gives {part.full_loss:.3g}" in part.caveats[0]


def test_contributions_add_a_key_at_a_time():
    logits = waves(13, [2, 5], scale=8)
    mask = np.ones((13, 13), dtype=bool)
    kept, removed = restricted_loss(logits, keys=[2, 5]), excluded_loss(logits, mask, keys=[2, 5])
    alone = restricted_loss(logits, keys=[5]).estimate
    assert kept.contributions[0] == pytest.approx(alone - kept.estimate)
    without = excluded_loss(logits, mask, keys=[2]).estimate
    assert removed.contributions[0] == pytest.approx(without - removed.train_loss)
    assert removed.estimate == pytest.approx(math.log(13))  # all keys at once, more than either alone
    assert max(removed.contributions) < removed.estimate / 2


def test_keys_stand_far_outside_the_band_of_random_keys():
    logits = waves(59, [3, 8, 20], scale=8)
    kept = restricted_loss(logits, rng=np.random.default_rng(0))
    removed = excluded_loss(logits, np.ones((59, 59), dtype=bool), rng=np.random.default_rng(0))
    assert kept.estimate < 1e-2 < kept.null_interval[0] < kept.null
    assert removed.null < 1e-2 < removed.null_interval[1] < 0.6 * removed.estimate
    repeated = restricted_loss(logits, rng=np.random.default_rng(0))
    assert repeated.null_interval == kept.null_interval


def test_noise_logits_are_not_outside_the_band():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(31, 31, 31))
    outside = 0
    for _ in range(60):
        keys = 1 + rng.choice(15, size=3, replace=False)
        result = restricted_loss(logits, keys=keys, rng=rng, n_null=100)
        outside += not result.null_interval[0] <= result.estimate <= result.null_interval[1]
    assert outside <= 9  # 5 % of 60 is 3; 9 is beyond its 99.9 % quantile


def test_losses_below_float64_resolution_of_one_keep_their_digits():
    # A clean margin: the loss is the sum of exp(−margin), which 1 + x − 1 would round to zero.
    p = 5
    a, b = np.ogrid[:p, :p]
    logits = np.zeros((p, p, p))
    logits[a, b, (a + b) % p] = 60.0
    result = restricted_loss(logits, keys=[1, 2])
    assert result.full_loss == pytest.approx(4 * math.exp(-60), rel=1e-9)
    assert result.estimate == pytest.approx(4 * math.exp(-60), rel=1e-9)


def test_without_a_key_only_the_mean_logit_is_left():
    logits = np.random.default_rng(0).normal(size=(23, 23, 23))
    result = restricted_loss(logits, rng=np.random.default_rng(0))
    assert result.keys.size == 0
    assert result.estimate == pytest.approx(math.log(23), abs=0.1)
    assert result.null is None
    assert "no key frequency" in result.caveats[0]


def test_all_frequencies_as_keys_leave_the_null_without_meaning():
    logits = waves(7, [1, 2, 3])
    assert "null says nothing" in restricted_loss(logits, keys=[1, 2, 3]).caveats[0]


def test_keys_are_a_set():
    logits = waves(13, [2, 5], scale=4) + np.random.default_rng(0).normal(size=(13, 13, 13))
    assert restricted_loss(logits, keys=[5, 2, 5]).estimate == restricted_loss(logits, keys=[2, 5]).estimate


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, m: restricted_loss(x, keys=[0]), "keys lie in 1 … 3"),
        (lambda x, m: restricted_loss(x, keys=[4]), "keys lie in 1 … 3"),
        (lambda x, m: restricted_loss(x, keys=[1.5]), "list of integers"),
        (lambda x, m: restricted_loss(x, labels=np.zeros((7, 6), dtype=int)), r"integers of shape \(7, 7\)"),
        (lambda x, m: restricted_loss(x, labels=np.full((7, 7), 7)), "7 classes"),
        (lambda x, m: restricted_loss(x[:, :, :3]), "3 classes; give labels"),
        (lambda x, m: excluded_loss(x, np.zeros((7, 7), dtype=bool)), "0 True"),
        (lambda x, m: excluded_loss(x, m.astype(int)), "booleans"),
        (lambda x, m: excluded_loss(x, m[:, :3]), r"shape \(7, 7\)"),
    ],
)
def test_a_wrong_call_says_what_is_needed(call, message):
    logits, mask = waves(7, [1]), np.ones((7, 7), dtype=bool)
    with pytest.raises(ValueError, match=message):
        call(logits, mask)
