"""Arrays as bytes: dtype by allow-list, shape checked against the bytes that are there, never pickle."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import CorruptRunError

DTYPES = frozenset(
    ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"]
)  # numbers and booleans; no objects, no strings
MAX_DIMENSIONS = 32


def encode(array: NDArray[Any]) -> tuple[str, str, bytes]:
    """Dtype, shape as JSON, and the elements in C order, little-endian.

    Raises:
        TypeError: If the elements are no numbers or booleans.
    """
    little = array.dtype.newbyteorder("<")
    if little.str not in DTYPES:
        raise TypeError(f"an array of dtype {array.dtype} cannot be stored; convert it to numbers or booleans")
    return little.str, json.dumps(list(array.shape)), array.astype(little, copy=False).tobytes(order="C")


def decode(dtype: object, shape: object, data: object, *, origin: str) -> NDArray[Any]:
    """The array, in memory of its own; nothing is allocated before the sizes agree.

    Raises:
        CorruptRunError: If dtype, shape and bytes do not describe an array.
    """
    if dtype not in DTYPES:
        raise CorruptRunError(f"{origin} has the dtype {dtype!r}, which phasescope does not store")
    try:
        lengths = json.loads(str(shape))
    except (ValueError, RecursionError):
        lengths = None
    if (
        not isinstance(lengths, list)
        or len(lengths) > MAX_DIMENSIONS
        or any(type(length) is not int or length < 0 for length in lengths)
    ):
        raise CorruptRunError(f"{origin} has no readable shape")
    kind = np.dtype(str(dtype))
    expected = math.prod(lengths) * kind.itemsize
    if not isinstance(data, bytes) or len(data) != expected:
        present = len(data) if isinstance(data, bytes) else 0
        raise CorruptRunError(f"{origin} says shape {lengths} of {dtype}, {expected} bytes, and holds {present}")
    return np.frombuffer(data, dtype=kind).reshape(lengths).copy()


def points(steps: object, values: object, *, origin: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps and values of a sealed chunk.

    Raises:
        CorruptRunError: If the two blobs do not hold equally many numbers.
    """
    if not isinstance(steps, bytes) or not isinstance(values, bytes) or len(steps) != len(values) or len(steps) % 8:
        raise CorruptRunError(f"{origin} has a damaged chunk of points")
    return np.frombuffer(steps, dtype="<i8"), np.frombuffer(values, dtype="<f8")
