"""Reading one optimizer step from both sides, and turning the readings into the numbers of a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from phasescope.recorders.gradients import read_gradients
from phasescope.recorders.norms import combined_norm
from phasescope.recorders.parameters import WatchedParameter
from phasescope.recorders.weights import UpdateProbe

Detail: TypeAlias = Literal["whole", "groups", "modules"]

# Series the scope records itself, with their units. Each may have parts: gradient_norm/group.0, …
UNITS = {
    "gradient_norm": "L2 norm, unscaled, after clipping",
    "nonfinite_gradients": "elements",
    "weight_norm": "L2 norm",
    "update_norm": "L2 norm",
    "update_ratio": "",
}


class StepReading:
    """Follows one step of one optimizer: made before it, given the gradients, and finished after it."""

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: Sequence[WatchedParameter]) -> None:
        self._optimizer = optimizer
        self._names = [watched.name for watched in parameters]
        self._parameters = [watched.parameter for watched in parameters]
        self._probe: UpdateProbe | None = UpdateProbe(self._parameters)
        self._has_gradients = False
        self.scalars: dict[str, dict[str, Tensor]] = {}  # kind → parameter name → scalar on its device

    def read_gradients(self) -> None:
        """Read the gradients the step uses; of several evaluations within a step the first counts."""
        if self._has_gradients:
            return
        self._has_gradients = True
        # Fused optimizers under a GradScaler are stepped with scaled gradients, and are told the scale here.
        reading = read_gradients(self._parameters, scale=getattr(self._optimizer, "grad_scale", None))
        self._keep("gradient_norm", reading.norms)
        self._keep("nonfinite_gradients", reading.nonfinite)

    def finish(self) -> None:
        """Compare the weights with those before the step, and release the copy."""
        if self._probe is not None:
            self._keep("update_norm", self._probe.norms())
            self._probe = None

    def _keep(self, kind: str, scalars: Sequence[Tensor | None]) -> None:
        pairs = zip(self._names, scalars, strict=True)
        self.scalars[kind] = {name: scalar for name, scalar in pairs if scalar is not None}


@dataclass(slots=True)
class Row:
    """Numbers of one step by series, and a sentence for each kind of trouble in them."""

    values: dict[str, float] = field(default_factory=dict)
    not_finite: dict[str, str] = field(default_factory=dict)


def summarize(
    parameters: Sequence[WatchedParameter], numbers: Mapping[str, Mapping[str, float]], *, detail: Detail
) -> Row:
    """Combine what was read of each parameter into norms of the whole and of its parts.

    A norm of a part is the root of the sum of squares over its parameters. The ratio is that of the update's norm to
    the weights' norm after the step, both over the parameters whose update was read.

    Args:
        parameters: All parameters watched at this step.
        numbers: For each kind (`gradient_norm`, `nonfinite_gradients`, `weight_norm`, `update_norm`) the number of each
            parameter that was read, by its name.
        detail: `"whole"`; `"groups"` adds each parameter group if there are several; `"modules"` each module as well.

    Returns:
        The row; a series of which nothing was read is left out.
    """
    row = Row()
    for label, names in _parts(parameters, detail).items():
        for kind in ("gradient_norm", "weight_norm", "update_norm"):
            norms = [numbers[kind][name] for name in names if name in numbers[kind]]
            if norms:
                row.values[kind + label] = combined_norm(np.array(norms))
        counts = [numbers["nonfinite_gradients"][name] for name in names if name in numbers["nonfinite_gradients"]]
        if counts:
            row.values["nonfinite_gradients" + label] = sum(counts)
        moved = [name for name in names if name in numbers["update_norm"]]
        scale = combined_norm(np.array([numbers["weight_norm"][name] for name in moved]))
        if scale > 0:
            row.values["update_ratio" + label] = row.values["update_norm" + label] / scale
    row.not_finite = _troubles(numbers)
    return row


def _parts(parameters: Sequence[WatchedParameter], detail: Detail) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {"": [watched.name for watched in parameters]}
    groups = sorted({watched.group for watched in parameters})
    if detail != "whole" and len(groups) > 1:
        for group in groups:
            parts[f"/group.{group}"] = [watched.name for watched in parameters if watched.group == group]
    if detail == "modules":
        for watched in parameters:
            parts.setdefault(f"/{watched.module}", []).append(watched.name)
    return parts


def _troubles(numbers: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    troubles = {}
    found = [name for name, count in numbers["nonfinite_gradients"].items() if count]
    if found:
        n_elements = sum(numbers["nonfinite_gradients"].values())
        troubles["nonfinite_gradients"] = (
            f"{n_elements:.0f} gradient elements are NaN or infinite, in {len(found)} of "
            f"{len(numbers['nonfinite_gradients'])} parameters, first {found[0]}"
        )
    found = [name for name, norm in numbers["weight_norm"].items() if not math.isfinite(norm)]
    if found:
        troubles["weight_norm"] = f"weights are not finite in {len(found)} parameters, first {found[0]}"
    return troubles
