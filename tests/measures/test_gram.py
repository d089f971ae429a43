"""Only this sees a lost tile, a wrong side, or an error larger than the one stated. Truth: the singular values."""

import tracemalloc

import numpy as np
import pytest
import torch

from phasescope.measures import gram
from phasescope.measures.gram import as_matrix, eigenvalues_of, gram_spectrum


def squares(matrix):
    return np.sort(np.linalg.svd(np.asarray(matrix, dtype=float), compute_uv=False) ** 2)


@pytest.mark.parametrize("shape", [(40, 130), (130, 40), (60, 60), (2, 2000), (2000, 2), (3, 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tile_bytes", [2**24, 8_000, 1])
def test_gives_the_squared_singular_values_within_the_stated_error(shape, dtype, tile_bytes, monkeypatch):
    monkeypatch.setattr(gram, "TILE_BYTES", tile_bytes)
    matrix = np.random.default_rng(0).standard_normal(shape)
    found = gram_spectrum(matrix, dtype=dtype)
    assert np.abs(found.eigenvalues - squares(matrix)).max() <= found.error
    assert found.error < (1.3e-5 if dtype == "float32" else 3e-14) * found.eigenvalues[-1]


@pytest.mark.parametrize("scale", [1e-55, 1e-25, 1e25, 1e55])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_neither_tiny_nor_huge_entries_are_lost(scale, dtype):
    matrix = np.random.default_rng(0).standard_normal((20, 30))
    found = gram_spectrum(scale * matrix, dtype=dtype)
    np.testing.assert_allclose(found.eigenvalues / scale / scale, squares(matrix), rtol=1e-4)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16, torch.int8])
def test_takes_tensors_of_any_kind_without_their_gradient(kind):
    tensor = (4 * torch.randn(30, 50, generator=torch.Generator().manual_seed(0))).to(kind)
    if kind.is_floating_point:
        tensor.requires_grad_()
    np.testing.assert_allclose(
        gram_spectrum(tensor).eigenvalues, squares(tensor.detach().double().numpy()), atol=1e-9, rtol=1e-9
    )


def test_singular_values_are_computed_only_where_squaring_loses_what_is_wanted():
    matrix = np.diag(10.0 ** -np.arange(0, 20))
    exact = gram_spectrum(matrix)
    np.testing.assert_allclose(exact.eigenvalues, squares(matrix), rtol=1e-9)
    assert exact.resolution < exact.error**1.5
    few = gram_spectrum(matrix, n_exact=5)
    assert few.resolution == few.error
    np.testing.assert_allclose(few.eigenvalues[-5:], squares(matrix)[-5:], rtol=1e-3)
    assert gram_spectrum(matrix, n_exact=9).resolution < few.resolution


def test_the_kurtosis_is_that_of_the_entries():
    matrix = np.random.default_rng(0).laplace(size=(30, 50))
    exact = (matrix**4).mean() / (matrix**2).mean() ** 2 - 3
    for dtype, scale in (("float64", 1.0), ("float32", 1.0), ("float32", 1e20), ("float64", 1e-55)):
        assert gram_spectrum(scale * matrix, dtype=dtype).excess_kurtosis == pytest.approx(exact, rel=1e-5)
    assert gram_spectrum(np.eye(4) - 0.5).excess_kurtosis == pytest.approx(-2)


def test_a_convolution_is_one_row_per_output():
    kernel = np.random.default_rng(0).standard_normal((8, 3, 5, 5))
    assert as_matrix(kernel).shape == (8, 75)
    np.testing.assert_allclose(gram_spectrum(kernel).eigenvalues, squares(kernel.reshape(8, 75)))


def test_memory_does_not_grow_with_the_longer_side():
    weight = np.random.default_rng(0).standard_normal((400_000, 16), dtype=np.float32)
    tracemalloc.start()
    gram_spectrum(weight)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * gram.TILE_BYTES < weight.nbytes * 2


def test_a_driver_that_fails_is_replaced(monkeypatch):
    real, seen = gram.eigh, []

    def failing(*args, driver, **options):
        seen.append(driver)
        if driver == "evr":
            raise gram.LinAlgError
        return real(*args, driver=driver, **options)

    monkeypatch.setattr(gram, "eigh", failing)
    np.testing.assert_allclose(eigenvalues_of(np.diag([3.0, 1.0, 2.0])), [1, 2, 3])
    assert seen == ["evr", "ev"]


@pytest.mark.parametrize(
    ("weight", "sentence"),
    [
        (np.zeros((3, 4)), "weight is 0 in all 12 entries"),
        (np.array([[1.0, np.nan], [0, 1]]), "weight has 1 NaN or infinite entries of 4"),
        (np.array([[1.0, np.inf], [0, 1]]), "weight has 1 NaN or infinite entries of 4"),
        (np.full((2, 2), 1e200), "rescale it"),
        (np.zeros((0, 4)), "has an empty axis"),
        (np.arange(5.0), "leave out biases, gains and other vectors"),
        (np.eye(2) * 1j, "must be real numbers; its entries are complex128"),
        (np.array([["a", "b"], ["c", "d"]]), "must be real numbers"),
    ],
)
def test_bad_input_is_a_sentence(weight, sentence):
    with pytest.raises(ValueError, match=sentence):
        gram_spectrum(weight)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="dtype must be 'float64' or 'float32'; got 'float16'"):
        gram_spectrum(np.eye(2), dtype="float16")
