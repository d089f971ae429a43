"""The optimizers' step hooks: they count steps, and read the scheduled ones from both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from phasescope.recorders.journal import Journal
from phasescope.recorders.optimizer_step import UNITS, StepReading
from phasescope.recorders.parameters import WatchedParameter, watched_parameters
from phasescope.recorders.schedules import Schedule
from phasescope.recorders.sink import Sink
from phasescope.recorders.weights import weight_norms


class StepHooks:
    """Counts steps of the first optimizer; a row has its step and the last one of each other since the row before."""

    def __init__(self, model: nn.Module, optimizers: Sequence[Optimizer], schedule: Schedule, start_step: int) -> None:
        self.step: int
        self.has_fired = False
        self._model = model
        self._optimizers = optimizers
        self._schedule = schedule
        self._handles: list[RemovableHandle] = []
        self._watched: list[WatchedParameter] = []  # at the step being read
        self._readings: dict[int, StepReading] = {}  # by place of the optimizer
        self.start_at(start_step)

    def start_at(self, step: int) -> None:
        """Count on from this step.

        Raises:
            RuntimeError: If steps were counted already.
            ValueError: If it is not a whole number from 0.
        """
        if self.has_fired:
            raise RuntimeError(f"the scope is at step {self.step} already; set its step before the first one")
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise ValueError(f"a step is a whole number from 0, and is {step!r}")
        self.step = step

    def attach(self, journal: Journal, sink: Sink) -> None:
        """Put the hooks onto the optimizers; rows go to the journal, and trouble is met as the sink meets it."""
        self._journal, self._sink = journal, sink
        for place, optimizer in enumerate(self._optimizers):
            self._attach_to(optimizer, place)

    def remove(self) -> None:
        """Take all hooks off, and let go of what was read and not written."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._readings.clear()
        self._watched.clear()

    def _attach_to(self, optimizer: Optimizer, place: int) -> None:
        # A compiled optimizer step would otherwise trace into the hooks and break there.
        @torch.compiler.disable
        def before(_: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            with self._sink.surviving(self.step):
                return self._before_step(place, args, kwargs)

        @torch.compiler.disable
        def after(_: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            with self._sink.surviving(self.step):
                self._after_step(place)

        self._handles.append(optimizer.register_step_pre_hook(before))
        self._handles.append(optimizer.register_step_post_hook(after))

    def _before_step(
        self, place: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        self._readings.pop(place, None)
        if not self._schedule(self.step + 1):
            return None
        self._watched = []
        self._watched = watched_parameters(self._model, self._optimizers)
        own = [watched for watched in self._watched if watched.optimizer == place]
        reading = self._readings[place] = StepReading(self._optimizers[place], own)
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is None:
            reading.read_gradients()
            return None

        def closure_then_read() -> Any:  # the gradients of this step come from the closure
            loss = closure()
            with self._sink.surviving(self.step):
                reading.read_gradients()
            return loss

        if "closure" in kwargs:
            return args, {**kwargs, "closure": closure_then_read}
        return (args[0], closure_then_read, *args[2:]), kwargs

    def _after_step(self, place: int) -> None:
        if place == 0:
            self.step += 1
            self.has_fired = True
        if place in self._readings:
            self._readings[place].finish()
        if place != 0:
            return
        if self._schedule(self.step):
            self._journal.write(self.step, self._watched, self._gather())
        else:
            self._journal.write_if_free()

    def _gather(self) -> dict[str, dict[str, Tensor]]:
        """Scalars of the row by kind and by parameter."""
        scalars: dict[str, dict[str, Tensor]] = {kind: {} for kind in UNITS}
        norms = weight_norms([watched.parameter for watched in self._watched])
        scalars["weight_norm"] = {watched.name: norm for watched, norm in zip(self._watched, norms, strict=True)}
        for reading in self._readings.values():
            for kind, found in reading.scalars.items():
                scalars[kind].update(found)
        self._readings.clear()
        return scalars
