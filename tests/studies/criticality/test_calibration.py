"""The calibration of the estimators, on estimators whose calibration is known.

Only this file sees: an interval counted as covering when its estimator gave none, trials that depend on how they were
spread over processes, and a size taken for a power.
"""

import numpy as np
import pytest

from phasescope.studies.criticality import cases
from phasescope.studies.criticality.calibration import DecisionCase, EstimateCase, calibrate

CALLS = []


def mean_of_ten(rng):
    values = rng.normal(3.0, 1.0, 10)
    half = 1.959963984540054 / np.sqrt(10)
    return {"mean": (values.mean(), values.mean() - half, values.mean() + half)}


def never(rng):
    raise ValueError("there is no answer")


def sometimes(rng):
    if rng.random() < 0.5:
        raise ValueError("there is no answer")
    return {"one": (1.0, 0.0, 2.0)}


KNOWN = {
    case.name: case
    for case in (
        EstimateCase(name="mean", system="ten normal numbers", truths={"mean": 3.0}, estimate=mean_of_ten),
        EstimateCase(name="silent", system="nothing", truths={"x": 0.0}, estimate=never),
        EstimateCase(name="half silent", system="one", truths={"one": 1.0}, estimate=sometimes),
        DecisionCase(
            name="coin",
            system="a coin",
            decision="heads",
            is_true=False,
            bound=0.3,
            decide=lambda rng: rng.random() < 0.3,
        ),
    )
}


@pytest.fixture(autouse=True)
def known_cases(monkeypatch):
    monkeypatch.setattr(cases, "all_cases", lambda: KNOWN)


def test_an_exact_interval_covers_as_often_as_it_says():
    (row,) = calibrate(["mean"], trials=4_000).estimates
    assert row.coverage == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4_000))
    assert abs(row.bias) < 4 * row.bias_error
    assert row.spread == pytest.approx(1 / np.sqrt(10), rel=0.05)
    assert row.half_width == pytest.approx(1 / np.sqrt(10))
    low, high = row.coverage_interval
    assert low < row.coverage < high


def test_a_data_set_without_an_answer_is_not_covered():
    silent, half = calibrate(["silent", "half"], trials=400).estimates
    assert silent.coverage == 0
    assert silent.n_without_answer == 400
    assert half.coverage == pytest.approx(0.5, abs=0.1)
    assert half.n_without_answer == round(400 * (1 - half.coverage))


def test_the_share_of_a_decision_is_its_size():
    (row,) = calibrate(["coin"], trials=2_000).decisions
    assert row.share == pytest.approx(0.3, abs=0.05)
    assert not row.is_true


def test_trials_are_the_same_however_many_there_are_and_with_whatever_else():
    alone = calibrate(["mean"], trials=50, seed=3).estimates[0]
    together = calibrate(trials=50, seed=3).estimates[0]
    other = calibrate(["mean"], trials=50, seed=4).estimates[0]
    assert alone.to_dict() == together.to_dict()
    assert alone.bias != other.bias


def test_progress_counts_every_trial():
    seen = {}
    calibrate(["mean", "coin"], trials=30, on_progress=lambda name, n: seen.update({name: seen.get(name, 0) + n}))
    assert seen == {"mean": 30, "coin": 30}


def test_an_unknown_case_names_the_nearest():
    with pytest.raises(ValueError, match="coin"):
        calibrate(["coim"])
    with pytest.raises(ValueError, match="at least 2"):
        calibrate(["coin"], trials=1)
