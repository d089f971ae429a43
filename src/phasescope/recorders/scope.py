"""`watch`: one line around any PyTorch loop that records what its optimizer does, and leaves the training as it was."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

import torch
from torch import nn
from torch.optim import Optimizer

from phasescope.errors import unknown_name
from phasescope.recorders.journal import Journal
from phasescope.recorders.logged import scalar, series_name
from phasescope.recorders.optimizer_step import UNITS, Detail
from phasescope.recorders.parameters import refuse_sharded, watched_parameters
from phasescope.recorders.schedules import Schedule, every
from phasescope.recorders.sink import Sink
from phasescope.recorders.step_hooks import StepHooks
from phasescope.store.recordings import create_recording
from phasescope.store.writer import RecordingWriter

PRESETS: Mapping[str, Schedule] = {"economy": every(10, and_first=True)}


def watch(
    model: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer],
    *,
    store: str | Path,
    preset: str = "economy",
    schedule: Schedule | None = None,
    detail: Detail = "groups",
    study: str = "watch",
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
    start_step: int = 0,
) -> Scope:
    """Record a training run from inside its optimizer's step, for the length of a `with` block.

    Steps are counted as calls of the (first) optimizer's `step()`, from 1; a step that a GradScaler skips does not
    count. At the scheduled ones the scope reads, of all trainable parameters that the optimizers hold, each once:

    - `gradient_norm`, `nonfinite_gradients`: the gradients as the optimizer uses them: accumulated, unscaled, clipped;
    - `weight_norm`: after the step;
    - `update_norm`: ‖weights after the step − weights before‖;
    - `update_ratio`: `update_norm / weight_norm`.

    Reading changes neither the parameters nor any random state, and keeps a copy of the weights during a scheduled
    `optimizer.step()` only. With several optimizers, a row has the last step of each up to the first one's.

    Args:
        model: The module being trained; also compiled, or in DataParallel or DDP (then on rank 0 only).
        optimizer: Its optimizer, or a sequence of them.
        store: Directory that the recording goes into.
        preset: Name of a schedule: `"economy"` reads the first step and every tenth.
        schedule: Function from step to bool, such as `every(100)` or `log_spaced(per_decade=20)`; replaces the preset.
        detail: `"whole"` records the model as one, `"groups"` each parameter group as well where there are several
            (`gradient_norm/group.0`), `"modules"` each module besides (`gradient_norm/blocks.0.mlp`).
        study: What the run is part of; its id begins with it.
        settings: Settings of the training to keep with the run, as JSON.
        seed: Seed the training was made with, for the record; the seed of torch's default generator if not given.
        start_step: Steps already made, for a training that is resumed.

    Returns:
        The scope, which records from the beginning of its `with` block to the end.

    Raises:
        ValueError: If no optimizer holds a trainable parameter of the model, if the model is sharded, or an argument
            is out of its range.

    Example:
        >>> import tempfile
        >>> from phasescope import open_run
        >>> model, store = nn.Linear(2, 1), tempfile.mkdtemp()
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with watch(model, optimizer, store=store, schedule=every(1)) as scope:
        ...     for _ in range(3):
        ...         loss = model(torch.ones(4, 2)).square().mean()
        ...         optimizer.zero_grad()
        ...         loss.backward()
        ...         optimizer.step()
        ...         scope.log(loss=loss)
        >>> open_run(store, scope.run_id).series("train/loss").steps
        array([1, 2, 3])
    """
    optimizers = [_innermost(each) for each in ([optimizer] if isinstance(optimizer, Optimizer) else optimizer)]
    if schedule is None:
        if preset not in PRESETS:
            raise ValueError(unknown_name("preset", preset, PRESETS))
        schedule = PRESETS[preset]
    if detail not in get_args(Detail):
        raise ValueError(unknown_name("detail", str(detail), get_args(Detail)))
    refuse_sharded(model)
    watched = watched_parameters(model, optimizers)
    if not watched:
        raise ValueError(
            f"the optimizer holds none of the model's trainable parameters, so there is nothing to read in it; make it "
            f"from the parameters of the {type(model).__name__} that is watched, after the last change to its modules"
        )
    config = {
        "model": type(getattr(model, "_orig_mod", model)).__name__,
        "optimizers": [type(each).__name__ for each in optimizers],
        "n_parameters": sum(each.parameter.numel() for each in watched),
        "schedule": repr(schedule),
        "detail": detail,
        "start_step": start_step,
    }
    begin = partial(
        create_recording,
        store,
        study=study,
        config=config,
        runs=[{**(settings or {}), "seed": torch.initial_seed() if seed is None else seed}],
        threads=torch.get_num_threads(),
        device=watched[0].parameter.device.type,
    )
    return Scope(StepHooks(model, optimizers, schedule, start_step), detail=detail, begin=begin)


class Scope:
    """Records while its `with` block runs: what the optimizers do, and what is logged; made by `watch`."""

    def __init__(self, hooks: StepHooks, *, detail: Detail, begin: Callable[[], RecordingWriter]) -> None:
        self._hooks = hooks
        self._detail: Detail = detail
        self._begin = begin
        self._run_id: str | None = None
        self._is_open = False

    @property
    def run_id(self) -> str:
        """Id of the run, for `open_run`; it exists once the scope was entered."""
        if self._run_id is None:
            raise RuntimeError("the scope was not entered yet, so it has no run; use `with watch(...) as scope:`")
        return self._run_id

    @property
    def step(self) -> int:
        """Optimizer steps made so far."""
        return self._hooks.step

    @property
    def dropped_rows(self) -> int:
        """Recorded numbers that could not be kept because of trouble in the store; 0 if all is well."""
        return 0 if self._run_id is None else self._sink.dropped_rows

    def log(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Record numbers of the current step, each time it is called; of several in a step the last counts.

        A bare name goes to the training series (`loss` to `train/loss`), one with a slash is kept
        (`scope.log({"test/accuracy": accuracy})`). Tensors on an accelerator are not waited for: they are fetched,
        all at once, with the next scheduled reading. A value that is not finite is also noted as an event.

        Args:
            values: Numbers by name.
            named: The same as keywords.

        Raises:
            RuntimeError: Outside the scope's `with` block.
            ValueError: If a value is not one real number or a name cannot be used; nothing is recorded then.
            TypeError: If a value is no number.
        """
        if not self._is_open:
            raise RuntimeError("scope.log() works inside `with watch(...) as scope:` only; this scope is not open")
        row = {
            series_name(name, taken=UNITS): scalar(name, value)
            for name, value in chain((values or {}).items(), named.items())
        }
        self._journal.log(self.step, row)

    def state_dict(self) -> dict[str, int]:
        """What a resumed training needs to count on: the step."""
        return {"step": self.step}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Count on from a saved step; before the first step of this scope."""
        self._hooks.start_at(state["step"])

    def __enter__(self) -> Self:
        if self._run_id is not None:
            raise RuntimeError(f"the scope was entered before and recorded the run {self._run_id}; make a new one")
        writer = self._begin()
        self._run_id = writer.run_ids[0]
        self._sink = Sink(writer, UNITS)
        self._journal = Journal(self._sink, self._detail)
        self._hooks.attach(self._journal, self._sink)
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_open = False
        self._hooks.remove()
        with self._sink.surviving(self.step):
            self._journal.write()
        if error is None and not self._hooks.has_fired:
            message = "no step of the watched optimizer was seen, so nothing but logged values was recorded"
            self._sink.event(self.step, "no_steps", message)
            warnings.warn(f"{message}; is the loop stepping another optimizer?", RuntimeWarning, stacklevel=2)
        self._sink.close(kind, error, traceback)


def _innermost(optimizer: Optimizer) -> Optimizer:
    """The optimizer whose `step()` moves the weights, inside wrappers such as those of accelerate and Lightning."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = inner
    if not hasattr(optimizer, "register_step_pre_hook"):
        raise TypeError(f"optimizer is {type(optimizer).__name__}; watch needs a torch.optim.Optimizer or several")
    return optimizer
