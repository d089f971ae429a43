"""What every measure is handed: mistakes only this file sees are numbers whose squares overflow or vanish unnoticed."""

import numpy as np
import pytest

import phasescope as ps
from phasescope.measures.arrays import as_finite


@pytest.mark.parametrize("size", [1e300, 1e61, 1e-61, 1e-300])
def test_numbers_whose_squares_cannot_be_represented_are_refused_with_what_to_do(size):
    with pytest.raises(ValueError, match=r"weights reaches .* in absolute value.*rescale it into 1e-60 … 1e\+60"):
        as_finite([[size, 0.0], [0.0, size / 2]], name="weights", ndim=2)


@pytest.mark.parametrize("size", [1e59, 1e-59])
def test_within_the_bounds_a_scale_free_measure_does_not_see_the_scale(size):
    rows = np.random.default_rng(0).normal(size=(11, 3))
    rows /= np.abs(rows).max()
    assert ps.circularity(size * rows).estimate == pytest.approx(ps.circularity(rows).estimate)
    assert ps.representation_quality(size * rows).estimate == ps.representation_quality(rows).estimate


def test_zeros_and_tiny_parts_of_a_workable_array_are_fine():
    assert as_finite([0.0, 0.0], name="x", ndim=1).tolist() == [0.0, 0.0]
    assert as_finite([1.0, 1e-300], name="x", ndim=1).tolist() == [1.0, 1e-300]
