"""What `scope.log` accepts: one number per name, under a name that can label a curve."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Real
from typing import Any

import numpy as np
from torch import Tensor

from phasescope.recorders.parameters import is_sharded

_LONGEST = 200  # characters of a series' name, as the store has it


def series_name(name: str, *, taken: Collection[str]) -> str:
    """Name of the series a logged value goes to: `"loss"` is `"train/loss"`, `"test/loss"` stays.

    Args:
        name: Name as it was logged.
        taken: First words of the names the scope records itself.

    Returns:
        The name of the series.

    Raises:
        ValueError: If the name is empty, too long, holds control characters, or is one the scope records itself.
        TypeError: If it is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"a logged name is a string, and {name!r} is {type(name).__name__}")
    if not name or name != name.strip() or not name.isprintable():
        raise ValueError(f"a logged name is printable text without spaces around it, and is {name!r:.80}")
    series = name if "/" in name else f"train/{name}"
    if len(series) > _LONGEST:
        raise ValueError(f"the name {name[:40]!r}… is longer than {_LONGEST} characters")
    if name.partition("/")[0] in taken:
        raise ValueError(f"{name!r} is recorded by the scope itself; log yours under another name, as 'my/{name}'")
    return series


def scalar(name: str, value: Any) -> float | Tensor:
    """The logged value as a number, or as a scalar tensor where its number would have to be waited for.

    Args:
        name: Name as it was logged, for the message.
        value: A number of Python or NumPy, an array of shape `()`, or a tensor of shape `()` on any device.

    Returns:
        A float; for a tensor on an accelerator a detached copy, which later in-place changes do not reach.

    Raises:
        ValueError: If the value is not a single real number.
        TypeError: If it is no number at all.
    """
    if isinstance(value, Tensor):
        if is_sharded(value):
            raise ValueError(f"{name} is a DTensor, of which this process may hold a part; log {name}.full_tensor()")
        if value.ndim or value.is_complex():
            raise ValueError(_one_number(name, f"a {value.dtype} tensor of shape {tuple(value.shape)}"))
        value = value.detach()
        return float(value) if value.device.type == "cpu" else value.clone()
    if isinstance(value, np.ndarray):
        if value.ndim or not (np.issubdtype(value.dtype, np.number) or value.dtype == np.bool_):
            raise ValueError(_one_number(name, f"a {value.dtype} array of shape {value.shape}"))
        value = value[()]
    if isinstance(value, (complex, np.complexfloating)):
        raise ValueError(_one_number(name, f"the complex number {value}"))
    if isinstance(value, (Real, np.bool_)):
        return float(value)
    raise TypeError(_one_number(name, f"of type {type(value).__name__}"))


def not_finite(value: float) -> str | None:
    """The word for a value that is no finite number, else `None`."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "infinite"


def _one_number(name: str, arrived: str) -> str:
    return f"scope.log needs one real number per name, and {name} is {arrived}; reduce it first, as {name}.mean()"
