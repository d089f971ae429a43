"""What a training is told: frozen, plain values that go into the store as they are and come back out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from phasescope.errors import CorruptRunError, unknown_name
from phasescope.training.models import ACTIVATIONS, EmbeddingMLP, Model, Transformer
from phasescope.training.tasks.modular import LABELS, SPLITS, ModularTask, modular_task

T = TypeVar("T")

MODELS = ("mlp", "transformer")
DTYPES = ("float32", "float64")
# Fields that one kind of network reads and the other does not.
OTHERS_FIELDS = {"mlp": ("n_heads", "mlp_width"), "transformer": ("activation", "embedding_dim")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What may differ between the runs of one ensemble: each field becomes a column over runs.

    Attributes:
        seed: Name of the run among its siblings; initialization and split follow it unless set apart.
        init_seed: Seed of the initial parameters.
        split_seed: Seed of the train–test split, and of random labels.
        fraction: Share of the rows to train on.
        learning_rate: Of AdamW, per step.
        weight_decay: Decoupled; a parameter shrinks by `learning_rate * weight_decay` per step.
        init_scale: Factor on all initial parameters.
        temperature: Logits are divided by it in the loss and in every score.
    """

    seed: int
    init_seed: int
    split_seed: int
    fraction: float
    learning_rate: float
    weight_decay: float
    init_scale: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "init_scale", "temperature"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be a positive number, and {getattr(self, name)} arrived")
        if not (np.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ValueError(f"weight_decay must not be negative, and {self.weight_decay} arrived")
        if not 0 < self.fraction <= 1:
            raise ValueError(f"the training fraction must lie in (0, 1], and {self.fraction} arrived")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """What all runs of one ensemble share.

    Attributes:
        operation: A key of `OPERATIONS`.
        modulus: p.
        split: `"pairs"` or `"symmetric_closed"`.
        labels: `"task"`, or `"random"` as a control.
        model: `"mlp"` (embedding sum) or `"transformer"`.
        width: Hidden units of the MLP, or width of the residual stream.
        activation: Of the MLP: `"square"` or `"relu"`. The transformer's is always ReLU.
        embedding_dim: Of the MLP: width of the embeddings when a linear layer follows them; `None` for none.
        n_heads: Of the transformer.
        mlp_width: Of the transformer.
        betas: Of AdamW.
        epsilon: Of AdamW.
        warmup: Steps of linear warm-up.
        steps: Budget; a run ends there or when it has settled.
        settle: A run has settled when test accuracy has stayed at or above `threshold` since step s and step
            (1 + settle)·s is reached; `None` runs every run to the end.
        threshold: Accuracy that counts as having learned.
        dtype: `"float32"` or `"float64"`.
        evaluations_per_decade: Density of the log-time grid of evaluations.
        snapshots_per_decade: Density of the log-time grid on which parameters are kept.
    """

    operation: str = "add"
    modulus: int = 59
    split: str = "pairs"
    labels: str = "task"
    model: str = "mlp"
    width: int = 128
    activation: str = "square"
    embedding_dim: int | None = None
    n_heads: int = 4
    mlp_width: int = 512
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-8
    warmup: int = 0
    steps: int = 1500
    settle: float | None = 1.0
    threshold: float = 0.99
    dtype: str = "float32"
    evaluations_per_decade: int = 40
    snapshots_per_decade: int = 10

    def __post_init__(self) -> None:
        choices = {"split": SPLITS, "labels": LABELS, "model": MODELS, "activation": ACTIVATIONS, "dtype": DTYPES}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(unknown_name(name, getattr(self, name), known))
        for name in ("width", "n_heads", "mlp_width", "steps", "evaluations_per_decade", "snapshots_per_decade"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, and {getattr(self, name)} arrived")
        if self.settle is not None and not 0 < self.settle < np.inf:
            raise ValueError(f"settle must be a positive number or None, and {self.settle} arrived")

    def described(self) -> dict[str, Any]:
        """The settings that had a part in the training: those of the other kind of network are left out."""
        return {
            name: value for name, value in dataclasses.asdict(self).items() if name not in OTHERS_FIELDS[self.model]
        }

    def build_task(self) -> ModularTask:
        """The table of the operation."""
        return modular_task(self.operation, self.modulus)

    def build_model(self) -> Model:
        """The description of the network."""
        if self.model == "transformer":
            return Transformer(self.modulus, self.width, self.n_heads, self.mlp_width)
        return EmbeddingMLP(self.modulus, self.width, self.activation, self.embedding_dim)


def from_mapping(kind: type[T], values: Mapping[str, Any]) -> T:
    """Build settings from stored values; keys that belong to other settings are left alone.

    Raises:
        CorruptRunError: If a setting is missing or of another type.
        ValueError: If a setting is out of range.
    """
    chosen: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in values:
            chosen[field.name] = _typed(field.name, values[field.name], str(field.type))
        elif field.default is dataclasses.MISSING:
            raise CorruptRunError(f"the setting {field.name!r} is missing")
    return kind(**chosen)


def _typed(name: str, value: Any, annotation: str) -> Any:
    """The stored value as the field's type; refused when it is of another kind."""
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}
    plain, _, rest = annotation.partition(" | ")
    if rest == "None" and value is None:
        return None
    if plain.startswith("tuple") and isinstance(value, (list, tuple)) and len(value) == 2:
        return tuple(_typed(name, item, "float") for item in value)
    if plain in kinds and isinstance(value, kinds[plain]) and not isinstance(value, bool):
        return value
    raise CorruptRunError(f"the setting {name!r} is {value!r}, which is not of the type {annotation}")
