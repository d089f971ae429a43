"""How well logits answer: the same rows scored by accuracy and by the continuous metrics beside it."""

from __future__ import annotations

import torch
from torch import Tensor

SCORES = ("accuracy", "loss", "brier", "margin", "log_odds")


def classification_scores(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Score every row of a batch of logits.

    Args:
        logits: Shape `(…, n_rows, n_classes)`.
        labels: Correct classes, shape `(…, n_rows)`.

    Returns:
        One tensor `(…, n_rows)` per name in `SCORES`: `accuracy` (1 if the largest logit is the correct one; a tie
        with another class counts as wrong), `loss` (cross-entropy in nats), `brier` (Σ_j (p_j − 1[j = y])², 0 to 2),
        `margin` (correct logit minus the largest other), `log_odds` (log p_y / (1 − p_y), in nats). Probabilities
        enter as odds against the correct class, so small losses keep their digits in float32.

    Example:
        >>> scores = classification_scores(torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([0]))
        >>> round(float(scores["margin"]), 3), round(float(scores["log_odds"]), 3)
        (2.0, 1.307)
    """
    index = labels.unsqueeze(-1)
    correct = logits.gather(-1, index)
    others = logits.scatter(-1, index, -torch.inf)
    top_other = others.amax(-1, keepdim=True)
    odds = torch.exp(others - top_other)  # of each other class, relative to the strongest of them
    total = odds.sum(-1, keepdim=True)
    log_odds = correct - top_other - torch.log(total)
    # 1 − p_y and Σ_{j≠y} p_j² follow from the log odds and the shape of the others.
    wrong = torch.sigmoid(-log_odds)
    brier = wrong.square() * (1 + odds.square().sum(-1, keepdim=True) / total.square())
    margin = correct - top_other
    return {
        "accuracy": (margin > 0).to(logits.dtype).squeeze(-1),
        "loss": torch.nn.functional.softplus(-log_odds, threshold=80).squeeze(-1),
        "brier": brier.squeeze(-1),
        "margin": margin.squeeze(-1),
        "log_odds": log_odds.squeeze(-1),
    }
