"""The other laws in the figure of a power-law fit are the fitted ones, and come back from the store."""

import json

import numpy as np
import pytest

from phasescope import figures
from phasescope.measures.power_law import fit_power_law
from phasescope.measures.tail_survival import law_survival


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def fit():
    values = np.exp(0.5 + rng(1).standard_normal(3_000))
    return fit_power_law(values, x_min=1.0, n_bootstrap=0, rng=rng())


def named(figure, start):
    [trace] = [trace for trace in figure.data if str(trace.name).startswith(start)]
    return trace


def test_every_other_law_has_a_line_through_the_data_it_fits(fit):
    figure = figures.draw(fit)
    lines = {one.law: named(figure, one.law.replace("_", " ") + ", R = ") for one in fit.comparisons}
    data = named(figure, "data")
    tail = np.asarray(data.x) > 1
    drawn = np.interp(np.log(np.asarray(data.x)[tail]), np.log(lines["lognormal"].x), lines["lognormal"].y)
    assert np.nanmax(np.abs(drawn - np.asarray(data.y)[tail])) < 0.03
    assert all(line.y[0] == pytest.approx(fit.n_tail / fit.n) for line in lines.values())
    assert "lognormal −" in figure.layout.meta["summary"]
    assert "(p = " in figure.layout.meta["summary"]


def test_a_law_that_is_the_power_law_has_no_line_of_its_own():
    values = np.exp(np.array([0.01] * 20 + [0.5] * 10 + [6.0]))
    figure = figures.draw(fit_power_law(values, x_min=1.0, n_bootstrap=0, rng=rng()))
    assert not [trace for trace in figure.data if str(trace.name).startswith("lognormal, ")]


def test_a_stored_fit_draws_the_same_lines(fit):
    stored = figures.draw(json.loads(json.dumps(fit.to_dict())))
    for one, other in zip(figures.draw(fit).data, stored.data, strict=True):
        assert one.name == other.name
        if one.y is not None:
            np.testing.assert_allclose(np.array(one.y, float), np.array(other.y, float))


@pytest.mark.parametrize("end", [None, 30.0])
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize(
    ("law", "parameters"),
    [
        ("exponential", {"lambda": 0.3}),
        ("lognormal", {"mu": 0.7, "sigma": 1.1}),
        ("stretched_exponential", {"lambda": 2.0, "beta": 0.4}),
        ("truncated_power_law", {"alpha": 1.4, "lambda": 0.1}),
    ],
)
def test_survival_is_the_sum_of_what_lies_above(law, parameters, discrete, end):
    x = np.array([2.0, 3.0, 7.0, 30.0])
    survival = law_survival(law, parameters, x, x_min=2.0, x_max=end, discrete=discrete)
    assert survival[0] == pytest.approx(1)
    step = 1.0 if discrete else 1e-3
    grid = np.arange(2.0, (30.0 if end else 5_000.0) + 0.5 * step, step)
    if discrete and law in ("lognormal", "stretched_exponential"):
        fine = np.arange(1.5, (30.5 if end else 5_000.5), 0.01) + 0.005
    else:
        fine = grid
    if law == "exponential":
        density = np.exp(-0.3 * fine)
    elif law == "lognormal":
        density = np.exp(-0.5 * ((np.log(fine) - 0.7) / 1.1) ** 2) / fine
    elif law == "stretched_exponential":
        density = fine**-0.6 * np.exp(-((2 * fine) ** 0.4))
    else:
        density = fine**-1.4 * np.exp(-0.1 * fine)
    above = [density[fine >= value - (0.5 if fine is not grid else 1e-9)].sum() for value in x]
    assert survival == pytest.approx(np.array(above) / above[0], abs=2e-3)


def test_an_unknown_law_has_no_survival_function():
    with pytest.raises(ValueError, match="no law 'normal'"):
        law_survival("normal", {}, [1.0], x_min=1.0, x_max=None, discrete=False)
