"""Activations of named modules over a stream of inputs: one array of tokens × units per layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phasescope.recorders.capture import capture, named_modules
from phasescope.results import Result

MAX_UNITS = 256  # of a layer
MAX_TOKENS = 50_000  # with 256 units 49 MiB a layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations(Result):
    """What modules returned, token after token."""

    modules: tuple[str, ...]
    layers: tuple[NDArray[np.float32], ...]  # one of shape (n_tokens, n_units) per module, for the avalanche measures
    units: tuple[NDArray[np.int64], ...]  # (n_units,) per module: which of its units these are, rising
    widths: tuple[int, ...]  # units that each module has
    n_tokens: int


def record_activations(
    model: nn.Module,
    batches: Iterable[Any],
    modules: Sequence[str],
    *,
    max_units: int = MAX_UNITS,
    max_tokens: int = MAX_TOKENS,
    forward: Callable[[Any], Any] | None = None,
    rng: np.random.Generator,
) -> Activations:
    """Run a model over batches and keep what named modules return, reduced as it runs.

    The model is read in evaluation mode and without gradients; every module's mode and torch's random states are
    restored. Tokens stay in order: those of a sequence follow each other, sequences and batches too. Kept are float32
    numbers of at most `max_units` units a layer, drawn at random once and for all tokens, and of at most `max_tokens`
    tokens; no further batch is asked for then.

    Args:
        model: Any module.
        batches: Inputs in their order: a tensor, a mapping (passed by name) or a tuple or list (passed in order).
        modules: Names of modules that return `(n_rows, n_units)` or `(n_sequences, n_tokens, n_units)`, or a tuple that
            begins with such a tensor.
        max_units: Largest number of units kept of a layer.
        max_tokens: Largest number of tokens kept.
        forward: How a batch enters the model, if not as above, for example `lambda batch: model(batch["image"])`.
        rng: Source of randomness for the choice of units.

    Returns:
        One array per module, with the units it holds; reductions are stated in `caveats`.

    Raises:
        ValueError: If a name is unknown, a limit is below 1, no batch arrived, or a module did not run exactly once per
            batch or returned something of another form.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
        >>> batches = [torch.ones(10, 4), torch.zeros(5, 4)]
        >>> found = record_activations(model, batches, ["1"], rng=np.random.default_rng(0))
        >>> found.layers[0].shape
        (15, 8)
    """
    if max_units < 1 or max_tokens < 1:
        raise ValueError(f"max_units and max_tokens must be at least 1; got {max_units} and {max_tokens}")
    found = {name: _Layer(name, max_units, max_tokens, rng.spawn(1)[0]) for name in named_modules(model, modules)}
    into = forward or (lambda batch: _call(model, batch))
    stopped = False
    with _undisturbed(model), capture(model, list(found), keep=lambda name, output: found[name].add(output)):
        for batch in batches:
            into(batch)
            n_tokens = _agreed(list(found.values()))
            if n_tokens >= max_tokens:
                stopped = True
                break
    layers = list(found.values())
    if not layers[0].n_tokens:
        raise ValueError("no batch arrived, so nothing was recorded; a generator that was used up gives none")
    caveats: tuple[str, ...] = ()
    sampled = [layer for layer in layers if layer.units.size < layer.width]
    if sampled:
        caveats += (
            f"{max_units} units were drawn of each layer that has more ({len(sampled)} of {len(layers)} layers, the "
            f"widest with {max(layer.width for layer in layers)})",
        )
    if stopped:
        caveats += (f"reading stopped at {max_tokens} tokens",)
    return Activations(
        modules=tuple(found),
        layers=tuple(layer.values for layer in layers),
        units=tuple(layer.units for layer in layers),
        widths=tuple(layer.width for layer in layers),
        n_tokens=layers[0].n_tokens,
        caveats=caveats,
    )


class _Layer:
    """Rows of one module as they come."""

    def __init__(self, name: str, max_units: int, max_tokens: int, rng: np.random.Generator) -> None:
        self.name = name
        self.n_tokens = 0
        self.n_calls = 0  # since the last agreement
        self.width = 0
        self.units: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._max_units, self._max_tokens, self._rng = max_units, max_tokens, rng

    @property
    def values(self) -> NDArray[np.float32]:
        return self._rows[: self.n_tokens]

    def add(self, output: Any) -> None:
        """Keep the sampled units of one output; nothing of it is returned, so that nothing piles up."""
        self.n_calls += 1
        rows = self._tokens(output)
        if not self.width:
            self.width = rows.shape[1]
            chosen = self._rng.choice(self.width, size=min(self.width, self._max_units), replace=False)
            self.units = np.sort(chosen).astype(np.int64)
            self._places = torch.from_numpy(self.units).to(rows.device)
            # Pages that no token reaches are never touched, so a short stream does not pay for the limit.
            self._rows = np.empty((self._max_tokens, self.units.size), dtype=np.float32)
        if rows.shape[1] != self.width:
            raise ValueError(f"module {self.name!r} returned {self.width} units and then {rows.shape[1]}")
        rows = rows[: self._max_tokens - self.n_tokens].index_select(1, self._places)
        self._rows[self.n_tokens : self.n_tokens + len(rows)] = rows.to("cpu", torch.float32).numpy()
        self.n_tokens += len(rows)

    def _tokens(self, output: Any) -> Tensor:
        first = output[0] if isinstance(output, tuple | list) and output else output
        if not isinstance(first, Tensor) or first.ndim not in (2, 3) or not first.numel() or first.is_complex():
            what = f"shape {tuple(first.shape)}" if isinstance(first, Tensor) else type(first).__name__
            raise ValueError(
                f"module {self.name!r} returned {what}; rows × units or sequences × tokens × units are needed: name a "
                "module whose output is flat, such as a linear layer or its activation"
            )
        return first.detach().reshape(-1, first.shape[-1])


def _agreed(layers: Sequence[_Layer]) -> int:
    """Number of tokens so far, the same for all layers."""
    for layer in layers:
        if layer.n_calls != 1:
            raise ValueError(
                f"module {layer.name!r} ran {layer.n_calls} times in one batch, so its outputs have no place in the "
                "order of tokens; name one that runs once, and of a compiled model the original"
            )
        layer.n_calls = 0
    counts = {layer.name: layer.n_tokens for layer in layers}
    if len(set(counts.values())) > 1:
        raise ValueError(f"modules returned different numbers of tokens: {counts}; name layers of one stream")
    return layers[0].n_tokens


def _call(model: nn.Module, batch: Any) -> Any:
    if isinstance(batch, Mapping):
        return model(**batch)
    if isinstance(batch, tuple | list):
        return model(*batch)
    return model(batch)


@contextmanager
def _undisturbed(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; every module's mode and all random states are put back."""
    training = [module for module in model.modules() if module.training]
    devices = {parameter.device for parameter in model.parameters() if parameter.device.type == "cuda"}
    try:
        with torch.random.fork_rng(devices=[device.index or 0 for device in devices]), torch.no_grad():
            model.eval()
            yield
    finally:
        for module in training:
            module.training = True
