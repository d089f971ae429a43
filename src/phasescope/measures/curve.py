"""What a curve must be before anything is measured on it: steps that rise, one value each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phasescope.measures.arrays import as_numpy


def checked_curve(
    steps: ArrayLike, values: ArrayLike, *, name: str = "values"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve as two float64 arrays, or one sentence about what is wrong with it.

    Args:
        steps: Training steps, shape `(n_steps,)`; finite, not negative, strictly rising.
        values: One value per step, shape `(n_steps,)`; may hold NaN and infinities.
        name: What the values are called in an error.

    Returns:
        `(steps, values)`, both float64 of shape `(n_steps,)`.

    Raises:
        ValueError: If there is no point, the shapes differ, or the steps do not rise.
    """
    step_array, value_array = (np.array(as_numpy(array)) for array in (steps, values))
    for label, array in (("steps", step_array), (name, value_array)):
        if np.iscomplexobj(array):
            raise ValueError(f"{label} must be real numbers; complex ones arrived: take their modulus or real part")
    step_array, value_array = step_array.astype(np.float64), value_array.astype(np.float64)
    if step_array.ndim != 1 or step_array.shape != value_array.shape:
        raise ValueError(
            f"steps and {name} must be one-dimensional and of the same length; "
            f"got shapes {step_array.shape} and {value_array.shape}"
        )
    if step_array.size == 0:
        raise ValueError(f"{name} has no points; at least one evaluation is needed")
    if not np.isfinite(step_array).all():
        raise ValueError("steps must be finite numbers; drop the rows without a step first")
    if step_array[0] < 0:
        raise ValueError(f"steps must not be negative; the first is {step_array[0]:g}")
    backward = np.flatnonzero(np.diff(step_array) <= 0)
    if backward.size:
        i = int(backward[0])
        raise ValueError(
            f"steps must rise strictly; {step_array[i]:g} is followed by {step_array[i + 1]:g} at position {i + 1}; "
            "sort the rows and keep one per step"
        )
    return step_array, value_array


def non_finite_caveat(values: NDArray[np.float64], name: str) -> tuple[str, ...]:
    """One caveat that counts the values left out, or none."""
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad == 0:
        return ()
    return (f"{n_bad} of {values.size} values of {name} are not finite and were left out",)
