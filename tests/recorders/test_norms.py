"""Norms against float64: only these see float32 sums that lose digits on large tensors."""

import numpy as np
import pytest
import torch

from phasescope.recorders.norms import combined_norm, euclidean_norm, to_host


def exact(values: torch.Tensor) -> float:
    wide = torch.complex128 if values.is_complex() else torch.float64
    return torch.linalg.vector_norm(values.to(wide)).item()


@pytest.mark.parametrize("n", [0, 1, 100, 16_384, 16_385, 3_000_000])
def test_norm_is_exact_at_every_size(n: int) -> None:
    values = torch.randn(n, generator=torch.Generator().manual_seed(n))
    assert euclidean_norm(values).item() == pytest.approx(exact(values), rel=1e-6)


def test_norm_of_many_equal_elements_does_not_stall() -> None:
    assert euclidean_norm(torch.full((20_000_000,), 0.1)).item() == pytest.approx(0.1 * 20_000_000**0.5, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_norm_of_other_types(dtype: torch.dtype) -> None:
    values = torch.randn(50_000, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert euclidean_norm(values).item() == pytest.approx(exact(values), rel=1e-6)
    assert euclidean_norm(values).dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


def test_norm_ignores_layout() -> None:
    values = torch.randn(300, 200, generator=torch.Generator().manual_seed(0))
    assert euclidean_norm(values.T).item() == pytest.approx(exact(values), rel=1e-6)
    assert euclidean_norm(values[::2, 1:]).item() == pytest.approx(exact(values[::2, 1:]), rel=1e-6)
    conjugate = torch.randn(100, dtype=torch.complex64, generator=torch.Generator().manual_seed(0)).conj()
    assert euclidean_norm(conjugate).item() == pytest.approx(exact(conjugate), rel=1e-6)


def test_host_receives_mixed_types_in_order() -> None:
    scalars = [torch.tensor(0.5), torch.tensor(3), torch.tensor(0.25, dtype=torch.float64), torch.tensor(True)]
    np.testing.assert_array_equal(to_host(scalars), [0.5, 3.0, 0.25, 1.0])
    assert to_host([]).shape == (0,)


def test_norms_of_parts_make_the_norm_of_the_whole() -> None:
    assert combined_norm(np.array([3.0, 4.0, 12.0])) == pytest.approx(13.0)
    assert combined_norm(np.array([])) == 0.0
