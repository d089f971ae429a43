"""What may be logged: only these see a value that is silently averaged, truncated or kept with its graph."""

from typing import Any

import numpy as np
import pytest
import torch

from phasescope.recorders.logged import scalar, series_name


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.bool_(True), 1.0),
        (np.array(0.25), 0.25),
        (torch.tensor(2), 2.0),
        (torch.tensor(0.5, requires_grad=True), 0.5),
        (torch.tensor(1.5, dtype=torch.bfloat16), 1.5),
    ],
)
def test_numbers_of_every_kind_are_taken(value: Any, number: float) -> None:
    assert scalar("x", value) == number
    assert isinstance(scalar("x", value), float)


@pytest.mark.parametrize(
    "value",
    [torch.ones(2), torch.ones(1), np.ones(3), torch.tensor(1j), 1j, np.complex128(1), np.array("a"), np.array(1j)],
)
def test_more_than_one_real_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="one real number per name, and loss is"):
        scalar("loss", value)


@pytest.mark.parametrize("value", [None, "0.5", [0.5]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="loss is of type"):
        scalar("loss", value)


def test_bare_names_are_of_the_training_set() -> None:
    assert series_name("loss", taken=()) == "train/loss"
    assert series_name("test/loss", taken=()) == "test/loss"
    assert series_name("</script>", taken=()) == "</script>"


@pytest.mark.parametrize("name", ["", " loss", "a\nb", "x" * 250, "gradient_norm", "weight_norm/mine"])
def test_names_that_cannot_label_a_curve_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|recorded by the scope itself"):
        series_name(name, taken=("gradient_norm", "weight_norm"))


def test_a_name_is_text() -> None:
    with pytest.raises(TypeError, match="a logged name is a string"):
        series_name(3, taken=())  # type: ignore[arg-type]
