"""Power laws: coverage of the exponent, size of the goodness of fit, and its power against a lognormal law."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.power_law import fit_power_law
from phasescope.studies.criticality.calibration import DecisionCase, EstimateCase, Estimates

ALPHA = 2.5
X_MAX = 20.0
SIGMA = 1.5  # of ln x, for the lognormal law
LEVEL = 0.1  # at which the goodness of fit rejects
N = 1_000
REPLICAS = 200


class Data(NamedTuple):
    """What a fit is handed."""

    values: NDArray[np.float64]  # (n,)
    discrete: bool = False
    x_max: float | None = None
    censored: NDArray[np.bool_] | None = None  # (n,)


def pareto(n: int, rng: np.random.Generator, *, alpha: float = ALPHA) -> NDArray[np.float64]:
    """Values of a power law from 1 on, shape `(n,)`."""
    return np.asarray((1 - rng.random(n)) ** (-1 / (alpha - 1)))


def _plain(rng: np.random.Generator) -> Data:
    return Data(pareto(N, rng))


def _zeta(rng: np.random.Generator) -> Data:
    return Data(rng.zipf(ALPHA, N).astype(np.float64), discrete=True)


def _censored(rng: np.random.Generator) -> Data:
    """Cut at limits that follow a power law of exponent 2 themselves: 40 % of the values are cut."""
    true, limit = pareto(N, rng), pareto(N, rng, alpha=2.0)
    return Data(np.minimum(true, limit), censored=true > limit)


def _ended(rng: np.random.Generator) -> Data:
    below = 1 - X_MAX ** (1 - ALPHA)
    return Data((1 - below * rng.random(N)) ** (-1 / (ALPHA - 1)), x_max=X_MAX)


def _with_body(rng: np.random.Generator) -> Data:
    """The law of Clauset, Shalizi & Newman (2009), eq. 3.10: an exponential body that joins smoothly at 1."""
    body, tail = math.expm1(ALPHA) / ALPHA, 1 / (ALPHA - 1)
    inside = -np.log(1 - rng.random(N) * -math.expm1(-ALPHA)) / ALPHA
    return Data(np.where(rng.random(N) < body / (body + tail), inside, pareto(N, rng)))


def _lognormal(rng: np.random.Generator) -> Data:
    return Data(np.exp(SIGMA * rng.standard_normal(N)))


Draw = Callable[[np.random.Generator], Data]


def _estimated(draw: Draw, x_min: float | None, rng: np.random.Generator) -> Estimates:
    data = draw(rng)
    found = fit_power_law(
        data.values,
        discrete=data.discrete,
        x_min=x_min,
        x_max=data.x_max,
        censored=data.censored,
        n_bootstrap=REPLICAS,
        rng=rng,
    )
    return {"α": (found.estimate, *found.interval)}


def _rejected(draw: Draw, x_min: float | None, rng: np.random.Generator) -> bool:
    p = fit_power_law(draw(rng).values, x_min=x_min, n_bootstrap=REPLICAS, rng=rng).p_value
    return p is not None and p <= LEVEL


_LAWS: tuple[tuple[str, str, Draw], ...] = (
    ("Pareto", "power law of exponent 2.5 from 1 on", _plain),
    ("zeta", "power law of exponent 2.5 on whole numbers from 1 on", _zeta),
    ("censored", "power law of exponent 2.5, 40 % of the values cut at independent limits", _censored),
    ("ended", "power law of exponent 2.5 from 1 to 20, x_max = 20 given", _ended),
    ("body", "power law of exponent 2.5 beyond an exponential body with 87 % of the values", _with_body),
)

CASES = (
    *(
        EstimateCase(
            name=f"power law, {name}, x_min given",
            system=f"{N:,} values of a {system}",
            truths={"α": ALPHA},
            estimate=partial(_estimated, draw, 1.0),
        )
        for name, system, draw in _LAWS[:4]
    ),
    *(
        EstimateCase(
            name=f"power law, {name}, x_min scanned",
            system=f"{N:,} values of a {system}",
            truths={"α": ALPHA},
            estimate=partial(_estimated, draw, None),
        )
        for name, system, draw in (_LAWS[0], *_LAWS[2:])
    ),
    *(
        DecisionCase(
            name=f"power law, goodness of fit, x_min {'scanned' if x_min is None else 'given'}",
            system=f"{N:,} values of a {_LAWS[0][1]}",
            decision=f"power law rejected by its goodness of fit at p ≤ {LEVEL:g}",
            is_true=False,
            bound=bound,
            decide=partial(_rejected, _plain, x_min),
            trials=500,
        )
        for x_min, bound in ((1.0, LEVEL), (None, 0.12))
    ),
    DecisionCase(
        name="power law, goodness of fit, lognormal",
        system=f"{N:,} lognormal values, σ = {SIGMA:g}",
        decision=f"power law rejected by its goodness of fit at p ≤ {LEVEL:g}, x_min scanned",
        is_true=True,
        decide=partial(_rejected, _lognormal, None),
        trials=300,
    ),
)
