"""Which parameters a scope reads, under which names, and which it cannot."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedParameter:
    """A trainable parameter of the model, and the optimizer that moves it."""

    parameter: nn.Parameter
    name: str  # as the model calls it, without the prefixes of torch.compile and other wrappers
    optimizer: int  # place of the optimizer in the sequence that was given
    group: int  # place of its parameter group, counted through all optimizers

    @property
    def module(self) -> str:
        """Name of the module that owns the parameter, `"(root)"` for the model itself."""
        return self.name.rpartition(".")[0] or "(root)"


def watched_parameters(model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> list[WatchedParameter]:
    """The trainable parameters of the model that the optimizers hold, each once.

    Shared parameters count once, under their first name; one that two optimizers hold belongs to the first. Frozen ones
    (`requires_grad=False`) and parameters from outside the model are left out.

    Args:
        model: The module being trained.
        optimizers: The optimizers that train it.

    Returns:
        The parameters in the order of the optimizers' groups; empty if none is the model's own.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found: list[WatchedParameter] = []
    seen: set[int] = set()
    group_number = 0
    for place, optimizer in enumerate(optimizers):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if id(parameter) in names and id(parameter) not in seen and parameter.requires_grad:
                    seen.add(id(parameter))
                    name = clean_name(names[id(parameter)], parallel=_is_data_parallel(model))
                    found.append(WatchedParameter(parameter=parameter, name=name, optimizer=place, group=group_number))
            group_number += 1
    return found


def refuse_sharded(model: nn.Module) -> None:
    """Let no part pass for the whole.

    Raises:
        ValueError: If the model is sharded, so that a process sees only its own part of a parameter.
    """
    for name, parameter in model.named_parameters():
        if is_sharded(parameter):
            raise ValueError(
                f"parameter {clean_name(name)!r} is a DTensor, of which this process holds one shard; its local norm "
                "would be reported as the whole. phasescope reads unsharded models (one device, DataParallel, DDP) so "
                "far: watch the model before it is sharded, or log norms that your framework reduced with scope.log()"
            )
    for module in model.modules():
        if type(module).__name__ == "FullyShardedDataParallel":
            raise ValueError(
                "the model is wrapped in FullyShardedDataParallel, so this process holds one shard of each parameter "
                "and would report local norms as the whole. phasescope reads unsharded models (one device, "
                "DataParallel, DDP) so far: log norms that FSDP reduced (clip_grad_norm_ returns one) with scope.log()"
            )


def clean_name(name: str, *, parallel: bool = False) -> str:
    """A parameter's name without what torch.compile, checkpointing and, if `parallel`, DataParallel put into it.

    Example:
        >>> clean_name("_orig_mod.blocks.0._checkpoint_wrapped_module.weight")
        'blocks.0.weight'
    """
    name = _WRAPPERS.sub("", name)
    return name.removeprefix("module.") if parallel else name


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process holds only a part of the tensor (a DTensor)."""
    distributed = sys.modules.get("torch.distributed.tensor")  # no DTensor exists before this was imported
    return distributed is not None and isinstance(tensor, distributed.DTensor)


def _is_data_parallel(model: nn.Module) -> bool:
    inner = getattr(model, "_orig_mod", model)
    return isinstance(inner, (nn.DataParallel, nn.parallel.DistributedDataParallel))
