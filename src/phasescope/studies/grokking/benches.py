"""Named settings that are known to grok (or known not to), with where they were measured.

F1–F9 are the fast settings: embedding-sum networks that memorize within a hundred steps and generalize within a
thousand or two, in about a CPU-second. T1 is a small transformer whose circuit is sparse. P113 is the setting of Nanda
et al. (2023), arXiv 2301.05217.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from phasescope.errors import unknown_name
from phasescope.training.settings import OTHERS_FIELDS, RunSettings, TrainingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A named setting.

    Attributes:
        name: How it is asked for.
        summary: One line for listings.
        training: What all its runs share.
        fraction: Share of the table to train on.
        learning_rate: Of AdamW.
        weight_decay: Decoupled.
    """

    name: str
    summary: str
    training: TrainingSettings
    fraction: float
    learning_rate: float
    weight_decay: float

    def run(self, seed: int, **changes: Any) -> RunSettings:
        """Settings of the run with this seed for both initialization and split, with some fields changed."""
        values = {
            "seed": seed,
            "init_seed": seed,
            "split_seed": seed,
            "fraction": self.fraction,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
        }
        return RunSettings(**(values | changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the table below; what is left out is as in F3."""

    summary: str
    fraction: float = 0.4
    learning_rate: float = 0.01
    weight_decay: float = 1.0
    training: dict[str, Any] = field(default_factory=dict)


_F3 = {"modulus": 59, "width": 128, "steps": 1500}
_T = {"model": "transformer", "n_heads": 4, "warmup": 10}
_ROWS = {
    "F1": _Row(
        summary="x² network, p = 23: the quickest, delay 17–33×",
        fraction=0.5,
        training={"modulus": 23, "width": 64, "steps": 2500},
    ),
    "F2": _Row(summary="x² network, p = 31", fraction=0.5, training={"modulus": 31, "width": 64, "steps": 2000}),
    "F3": _Row(summary="x² network, p = 59: the reference, delay 9–11×"),
    "F3-decay-0.5": _Row(
        summary="F3 with half the weight decay: twice the delay", weight_decay=0.5, training={"steps": 3000}
    ),
    "F3-decay-3": _Row(summary="F3 with three times the weight decay: delay below 5×", weight_decay=3.0),
    "F4": _Row(summary="F3 on 30 % of the rows: delay 19–21×", fraction=0.3, training={"steps": 3000}),
    "F5-subtract": _Row(summary="F3 on a − b", training={"operation": "subtract"}),
    "F5-multiply": _Row(summary="F3 on a × b", training={"operation": "multiply"}),
    "F5-squares": _Row(summary="F3 on a² + b²", training={"operation": "squares"}),
    "F6": _Row(
        summary="ReLU network, p = 59: delay 13–15×",
        fraction=0.5,
        training={"activation": "relu", "width": 256, "steps": 2000},
    ),
    "F7": _Row(
        summary="ReLU network behind a linear layer, p = 59",
        fraction=0.5,
        learning_rate=0.003,
        training={"activation": "relu", "width": 256, "embedding_dim": 64, "steps": 4000},
    ),
    "F8": _Row(
        summary="ReLU network, p = 31: delay 28–31×",
        fraction=0.6,
        training={"activation": "relu", "modulus": 31, "width": 128, "steps": 4000},
    ),
    "F9": _Row(summary="x² network, p = 97: too much data to grok", training={"modulus": 97, "steps": 1000}),
    "T1": _Row(
        summary="one-layer transformer, p = 53: a sparse circuit in seconds",
        fraction=0.5,
        learning_rate=0.003,
        training=_T | {"modulus": 53, "width": 64, "mlp_width": 256, "steps": 3000},
    ),
    "P113": _Row(
        summary="one-layer transformer, p = 113: the setting of Nanda et al., minutes per run",
        fraction=0.3,
        learning_rate=0.001,
        training=_T | {"modulus": 113, "width": 128, "mlp_width": 512, "steps": 25000},
    ),
}

BENCHES: dict[str, Bench] = {
    name: Bench(
        name=name,
        summary=row.summary,
        training=TrainingSettings(**(_F3 | row.training)),
        fraction=row.fraction,
        learning_rate=row.learning_rate,
        weight_decay=row.weight_decay,
    )
    for name, row in _ROWS.items()
}


def bench(name: str, **changes: Any) -> Bench:
    """The bench of that name, with some of its training settings changed.

    Raises:
        ValueError: If there is no such bench, with the nearest names; or a changed setting is out of range, or the
            bench's network has none of that kind.
    """
    if name not in BENCHES:
        raise ValueError(unknown_name("bench", name, BENCHES))
    chosen = BENCHES[name]
    idle = [change for change in changes if change in OTHERS_FIELDS[chosen.training.model]]
    if idle:
        raise ValueError(f"the {chosen.training.model} of bench {name} has no setting {', '.join(idle)}; leave it out")
    return dataclasses.replace(chosen, training=dataclasses.replace(chosen.training, **changes))
