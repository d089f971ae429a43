"""Pictures of lattices: only this file sees sites at the wrong place where a large lattice is thinned."""

import numpy as np

from phasescope.figures.lattice import MAX_SIDE, draw_lattice


def test_a_large_lattice_is_thinned_and_the_shares_are_those_of_all_sites():
    heights = np.zeros((2 * MAX_SIDE, 2 * MAX_SIDE), dtype=int)
    heights[1::2] = 3
    figure = draw_lattice(heights, title="Rows")
    [picture] = figure.data
    assert np.asarray(picture.z).shape == (MAX_SIDE, MAX_SIDE)
    assert (np.asarray(picture.z) == 0).all()
    assert list(picture.x[:3]) == [0, 2, 4]
    assert figure.layout.meta["summary"] == (
        "Share of sites by number of grains: 0: 50 %, 1: 0 %, 2: 0 %, 3: 50 %. "
        "Shown is one site in 2 along either axis."
    )


def test_a_line_is_a_strip_and_a_square_is_square():
    assert draw_lattice([1, 0, 1, 1], title="Line").layout.height < 250
    square = draw_lattice(np.ones((4, 4), dtype=int), title="Square")
    assert square.layout.yaxis.scaleanchor == "x"
    assert square.layout.height == 480
