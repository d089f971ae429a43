"""What the study makes of a trained run: the right measure on the right rows.

Only this file sees: keys found anew at each step, a temperature or a direction forgotten, chance taken for 1/p where
one answer is more frequent than the others, and a mirage panel whose curves are mixed up.
"""

import dataclasses

import numpy as np
import pytest
import torch

from phasescope.measures.clock_and_pizza import distance_irrelevance
from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
from phasescope.store.runs import open_run
from phasescope.studies.grokking.analysis import chance_level
from phasescope.studies.grokking.benches import bench
from phasescope.studies.grokking.circuit import TrainedNetwork, snapshot, snapshot_steps
from phasescope.studies.grokking.run import Place, carry_out, group_runs, lay_down, summaries
from phasescope.training.ensemble import run_data


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """One run of subtraction at temperature 2, its bench, settings and store."""
    store = tmp_path_factory.mktemp("runs")
    chosen = bench("F1", operation="subtract", steps=400)
    settings = chosen.run(0, temperature=2.0)
    units = lay_down(Place(store=store, group="g"), chosen, [settings])
    assert [outcome.error for outcome in carry_out(units, n_processes=0)] == [""]
    return store, chosen.training, settings, open_run(store, group_runs(store, "g").seeds[0])


def test_losses_use_the_keys_of_the_final_network_and_the_direction_of_the_operation(judged):
    _, training, settings, run = judged
    data = run_data(training.build_task(), training, settings)
    p = training.modulus
    keys = np.array(run.result("key_frequencies")["keys"])
    restricted, excluded = run.series("fourier/restricted_loss"), run.series("fourier/excluded_loss")
    irrelevance = run.series("representation/distance_irrelevance")
    for step in snapshot_steps(run)[::7]:
        w = {name: torch.from_numpy(np.array(value)) for name, value in snapshot(run, step).items()}
        summed = w["left_embedding"][:, None] + w["right_embedding"][None]
        logits = (summed.square() @ w["output"] / settings.temperature).numpy()
        given = {"keys": keys, "labels": data.labels.reshape(p, p), "direction": "difference"}
        at = restricted.steps.tolist().index(step)
        assert restricted.values[at] == pytest.approx(restricted_loss(logits, **given).estimate, rel=1e-4)
        train = data.subsets["train"].reshape(p, p)
        assert excluded.values[at] == pytest.approx(excluded_loss(logits, train, **given).estimate, rel=1e-4)
        expected = distance_irrelevance(logits, direction="difference").estimate
        assert irrelevance.values[irrelevance.steps.tolist().index(step)] == pytest.approx(expected, rel=1e-3)


def test_the_recorded_loss_is_that_of_the_snapshot(judged):
    _, training, settings, run = judged
    data = run_data(training.build_task(), training, settings)
    step = snapshot_steps(run)[-1]
    logits = TrainedNetwork(training, settings, snapshot(run, step)).logits().reshape(-1, training.modulus)
    losses = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits).double(), torch.from_numpy(data.labels), reduction="none"
    ).numpy()
    for subset, rows in data.subsets.items():
        assert run.series(f"{subset}/loss").values[-1] == pytest.approx(losses[rows].mean(), rel=1e-4)


def test_the_mirage_panel_holds_each_curve_under_its_own_name(judged):
    _, training, settings, run = judged
    n_test = int(run_data(training.build_task(), training, settings).subsets["test"].sum())
    by_metric = {metric["metric"]: metric for metric in run.result("mirage")["metrics"]}
    assert by_metric["accuracy"]["n_items"] == n_test
    for metric, series in {"log_odds": "test/log_odds", "margin": "test/margin", "brier": "test/brier"}.items():
        assert np.allclose(by_metric[metric]["values"], run.series(series).values)


def test_the_summary_keeps_the_two_test_accuracies_apart(judged):
    store, *_, run = judged
    [row] = summaries(store, [run.id])
    assert row["final_test_accuracy"] == run.series("test/accuracy").values[-1]
    assert row["final_test_accuracy_all"] == run.series("test_all/accuracy").values[-1]
    assert row["final_test_accuracy"] != row["final_test_accuracy_all"]


@pytest.mark.parametrize(
    ("operation", "expected"), [("add", 1 / 59), ("multiply", (2 * 59 - 1) / 59**2), ("subtract", 1 / 59)]
)
def test_chance_is_the_share_of_the_most_frequent_answer(operation, expected):
    training = dataclasses.replace(bench("F3").training, operation=operation)
    assert chance_level(training) == pytest.approx(expected)
    assert chance_level(dataclasses.replace(training, labels="random")) == pytest.approx(1 / 59)
