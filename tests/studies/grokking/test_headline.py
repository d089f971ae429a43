"""The first sentence of a report reads well and counts right, whatever became of the networks."""

from types import SimpleNamespace

import numpy as np
import pytest

from phasescope.store.runs import Series
from phasescope.studies.grokking.headline import headline
from phasescope.studies.grokking.recorded import Recorded, delays, typical, waiting


def run(label, *, memorized=50.0, generalized=500.0, train=1.0, test=1.0, last=1500, seed=0, status="finished"):
    def series(name, value):
        return Series(name=name, steps=np.array([0, last]), values=np.array([0.0, value]))

    results = {}
    if label is not None:
        bound = None if generalized is not None or memorized is None else last / memorized
        ratio = generalized / memorized if generalized is not None and memorized is not None else None
        results = {
            "verdict": {"label": label},
            "memorization": {"estimate": memorized},
            "generalization": {"estimate": generalized},
            "delay": {"estimate": ratio, "lower_bound": bound},
        }
    return Recorded(
        run=SimpleNamespace(config={}, status=status, seed=seed),
        label=f"seed {seed}",
        series={"train/accuracy": series("train/accuracy", train), "test/accuracy": series("test/accuracy", test)},
        results=results,
    )


def test_all_grokked():
    runs = [run("grokking", generalized=500.0 + 10 * seed, seed=seed) for seed in range(8)]
    assert headline(runs) == (
        "All 8 networks memorized by step 50, waited, and generalized at step 535 (median; 95 % interval 500–570), "
        "a delay of 10.7×: grokking."
    )


def test_one_network():
    assert headline([run("grokking")]) == (
        "The network memorized at step 50, waited, and generalized at step 500, a delay of 10×: grokking."
    )


def test_two_networks_are_both():
    silent = headline([run("memorization", generalized=None, test=0.02, seed=seed) for seed in range(2)])
    assert silent.startswith("Both networks memorized by step 50 and neither generalized by step 1,500")
    assert headline([run("grokking", seed=seed) for seed in range(2)]).startswith("Both networks memorized by step 50")


def test_too_few_for_an_interval():
    runs = [run("grokking", generalized=500.0 + 10 * seed, seed=seed) for seed in range(3)]
    assert "step 510 (median; too few runs for a 95 % interval)" in headline(runs)


@pytest.mark.parametrize(
    ("label", "options", "sentence"),
    [
        (
            "memorization",
            {"generalized": None, "test": 0.017},
            "All 4 networks memorized by step 50 and none generalized by step 1,500, with test accuracy at 0.017: "
            "memorization.",
        ),
        (
            "semi_grokking",
            {"generalized": None, "test": 0.62},
            "All 4 networks memorized by step 50 and then generalized only in part, to a test accuracy of 0.62 at step "
            "1,500: semi-grokking.",
        ),
        (
            "confusion",
            {"memorized": None, "generalized": None, "train": 0.4, "test": 0.05},
            "All 4 networks did not even memorize by step 1,500, with train accuracy at 0.4: confusion.",
        ),
        (
            "unstable",
            {"train": 0.2},
            "All 4 networks became unstable: training accuracy or loss did not hold until step 1,500.",
        ),
    ],
)
def test_all_alike(label, options, sentence):
    assert headline([run(label, seed=seed, **options) for seed in range(4)]) == sentence


def test_all_comprehended_and_all_ungrokked():
    fast = headline([run("comprehension", generalized=100.0, seed=seed) for seed in range(8)])
    assert fast.endswith(", 2× the step of memorization and without grokking's wait: comprehension.")
    lost = headline([run("ungrokking", test=0.3, seed=seed) for seed in range(8)])
    assert lost.endswith("and lost it again, with test accuracy at 0.3 by step 1,500: ungrokking.")


def test_mixed_fates_are_counted_and_censored_ones_stay_in_the_median():
    runs = [run("grokking", generalized=500.0, seed=seed) for seed in range(5)]
    runs += [run("memorization", generalized=None, seed=5), run("memorization", generalized=None, seed=6)]
    runs += [run("unstable", generalized=None, seed=7)]
    assert headline(runs) == (
        "Of 8 networks, 5 grokked, 2 only memorized and 1 became unstable; over all 8, censored ones counted, "
        "the generalization step is 500 (median; 95 % interval from 500; censored runs leave no upper end)."
    )


def test_a_median_beyond_the_record_is_not_invented():
    runs = [run("grokking", generalized=500.0)] + [run("memorization", generalized=None, seed=seed) for seed in (1, 2)]
    assert "the median generalization step was not reached (1 of 3 got there)" in headline(runs)


def test_runs_without_a_verdict_are_counted_as_such():
    runs = [run("grokking"), run(None, status="interrupted", seed=1)]
    assert headline(runs).startswith("Of 2 networks, 1 grokked and 1 without a verdict")
    assert headline([run(None, status="interrupted")]) == "The network recorded no verdict: 1 interrupted."


def test_censored_runs_enter_the_curves_with_their_last_step():
    runs = [run("grokking"), run("memorization", generalized=None, last=2000, seed=1)]
    curve = waiting(runs, "generalization")
    assert (curve.n_runs, curve.n_observed, curve.steps.tolist()) == (2, 1, [0, 500, 2000])
    assert delays(runs).steps.tolist() == [0, 10, 40]


def test_the_typical_run_is_the_one_in_the_middle():
    runs = [run("grokking", generalized=step, seed=seed) for seed, step in enumerate((900.0, 400.0, 500.0))]
    assert typical(runs).label == "seed 2"
    assert typical([run("memorization", generalized=None, seed=4)]).label == "seed 4"
