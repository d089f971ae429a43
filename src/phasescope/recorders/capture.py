"""`capture`: the outputs of named modules, for the length of a `with` block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from phasescope.errors import unknown_name


class Outputs(dict[str, Any]):
    """Output of each module by its name, of its latest call."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(
            f"module {name!r} has no output yet: it was not captured, or did not run inside the block (of a compiled "
            "model run the original: hooks do not reach compiled code)"
        )


def detached_copy(output: Any) -> Any:
    """The tensors in an output, detached and copied: a later operation in place cannot reach them.

    Args:
        output: A tensor, or tuples, lists and dictionaries of what a module may return.

    Returns:
        The same structure; what is no tensor is kept as it is.
    """
    if isinstance(output, Tensor):
        return output.detach().clone()
    if isinstance(output, tuple | list):
        return tuple(detached_copy(each) for each in output)
    if isinstance(output, dict):
        return {key: detached_copy(each) for key, each in output.items()}
    return output


@contextmanager
def capture(
    model: nn.Module,
    modules: Sequence[str],
    *,
    keep: Callable[[str, Any], Any] = lambda name, output: detached_copy(output),
) -> Iterator[Outputs]:
    """Keep what named modules return, while the `with` block runs.

    The model's outputs, its gradients and all random states stay as they are: each hook hands on what it was given. The
    hooks are gone after the block, also after an error in it.

    Args:
        model: Any module, in training or evaluation; names are those of its `named_modules()`.
        modules: Names of modules.
        keep: What to keep of an output, given the module's name: reduce here what would not fit in memory, and leave
            the output unchanged. By default a detached copy.

    Yields:
        Outputs by name, filled as the model runs; of several calls of a module the last counts.

    Raises:
        ValueError: If the model has no module of a name; nothing is hooked then.

    Example:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> with capture(model, ["0"]) as outputs:
        ...     result = model(torch.ones(4, 2))
        >>> outputs["0"].shape
        torch.Size([4, 3])
    """
    found = named_modules(model, modules)
    outputs = Outputs()
    handles: list[RemovableHandle] = []

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            outputs[name] = keep(name, output)

        return hook

    try:
        for name, module in found.items():
            handles.append(module.register_forward_hook(hook_of(name)))
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def named_modules(model: nn.Module, names: Sequence[str]) -> dict[str, nn.Module]:
    """The modules of these names, in this order.

    Args:
        model: Any module.
        names: Dotted names.

    Returns:
        Modules by name.

    Raises:
        ValueError: If there is none of a name, with the closest names; or if no name arrived.
    """
    if isinstance(names, str):
        names = [names]
    known = dict(model.named_modules(remove_duplicate=False))
    if not names:
        raise ValueError(f"no module was named; {type(model).__name__} has {len(known) - 1}, see model.named_modules()")
    for name in names:
        if name not in known:
            raise ValueError(f"{type(model).__name__} has {unknown_name('module', name, filter(None, known))}")
    return {name: known[name] for name in names}
