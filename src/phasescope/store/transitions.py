"""Transitions over several curves: each is searched alone, and says which it was found in."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np

from phasescope.measures.transitions import Transition, find_transitions
from phasescope.store.series import Series

LEVEL = 0.05  # above this, times the number of curves searched, a p-value is no surprise


def find_in_series(curves: Sequence[Series], *, rng: np.random.Generator) -> list[Transition]:
    """Search curves for transitions.

    Args:
        curves: Series with at least 12 finite points each.
        rng: Source of randomness for the intervals; every curve draws from a stream that its name sets apart, so a
            curve's answer does not depend on which others are searched beside it.

    Returns:
        The transitions in order of their midpoints, the curve's name in `observables`. One that searching so many
        curves makes likely by chance gets a caveat.
    """
    found = []
    root = int(rng.integers(2**63))
    for curve in curves:
        stream = np.random.default_rng([root, zlib.crc32(curve.name.encode())])
        for transition in find_transitions(curve.steps, curve.values, rng=stream, name=curve.name):
            caveats = transition.caveats
            if transition.p_value * len(curves) > LEVEL:
                caveats = (
                    *caveats,
                    f"found in one of {len(curves)} curves searched; among so many, chance gives p ≤ "
                    f"{transition.p_value:.2g} in {min(1.0, transition.p_value * len(curves)):.0%} of such searches",
                )
            found.append(dataclasses.replace(transition, caveats=caveats))
    return sorted(found, key=lambda transition: transition.midpoint)
