"""Many runs as one tensor, against the same runs one at a time.

Only this file sees: runs that influence each other through padding, columns, retirement or evaluation, and a split or
an initialization that follows the wrong seed.
"""

import dataclasses

import numpy as np
import pytest
import torch

from phasescope.studies.grokking.benches import bench
from phasescope.training.ensemble import SUBSETS, Ensemble, run_data
from phasescope.training.settings import RunSettings, TrainingSettings

TRAININGS = {
    "mlp": TrainingSettings(modulus=13, width=24),
    "transformer": TrainingSettings(model="transformer", modulus=13, width=16, mlp_width=32, warmup=10),
}


def eight_different_runs():
    base = bench("F1")
    return [
        base.run(
            seed,
            fraction=0.3 + 0.05 * seed,
            learning_rate=0.003 * (1 + seed % 3),
            weight_decay=0.5 * (seed % 4),
            init_scale=1 + 0.1 * seed,
            temperature=1 + 0.2 * (seed % 2),
        )
        for seed in range(8)
    ]


@pytest.mark.parametrize("name", TRAININGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_eight_batched_runs_equal_eight_sequential_ones(name, dtype, tolerance):
    training = dataclasses.replace(TRAININGS[name], dtype=dtype)
    runs = eight_different_runs()
    together = Ensemble(training, runs)
    batched = torch.stack([together.step() for _ in range(100)])
    for i, run in enumerate(runs):
        alone = Ensemble(training, [run])
        losses = torch.stack([alone.step()[0] for _ in range(100)])
        assert torch.max(torch.abs(batched[:, i] / losses - 1)) <= tolerance
        for score, value in alone.evaluate([0])[0].items():
            if dtype == "float64":
                assert together.evaluate([i])[0][score] == pytest.approx(value, rel=1e-8, abs=1e-12)


def test_the_loss_is_that_of_plain_pytorch():
    training = TRAININGS["mlp"]
    run = dataclasses.replace(eight_different_runs()[3], temperature=1.7)
    ensemble = Ensemble(training, [run])
    w = {name: value[0].clone().requires_grad_() for name, value in ensemble.parameters.items()}
    optimizer = torch.optim.AdamW(
        w.values(), lr=run.learning_rate, betas=training.betas, eps=training.epsilon, weight_decay=run.weight_decay
    )
    task = ensemble.task
    train = np.flatnonzero(ensemble.data[0].subsets["train"])
    a, b, c = (torch.from_numpy(rows[train]) for rows in (task.left, task.right, task.labels))
    for _ in range(50):
        logits = (w["left_embedding"][a] + w["right_embedding"][b]) ** 2 @ w["output"] / run.temperature
        loss = torch.nn.functional.cross_entropy(logits.double(), c)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert ensemble.step()[0].item() == pytest.approx(loss.item(), rel=2e-4)


def test_scores_are_means_over_the_right_rows():
    training = TRAININGS["mlp"]
    run = eight_different_runs()[4]
    ensemble = Ensemble(training, [run])
    for _ in range(30):
        ensemble.step()
    logits = ensemble.table_logits([0])[0].double().numpy()
    scores = ensemble.evaluate([0])[0]
    data, task = ensemble.data[0], ensemble.task
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    right = logits.argmax(1) == task.labels
    for subset in SUBSETS:
        rows = data.subsets[subset]
        assert scores[f"{subset}/accuracy"] == pytest.approx(right[rows].mean())
        expected = -log_p[np.arange(task.n_rows), task.labels][rows].mean()
        assert scores[f"{subset}/loss"] == pytest.approx(expected, rel=1e-5)
    mirror_in_train = data.subsets["train"].reshape(13, 13).T.ravel()
    assert np.array_equal(data.subsets["test"], ~data.subsets["train"] & ~(mirror_in_train & (task.left != task.right)))
    squares = sum(float(value.double().square().sum()) for value in ensemble.parameters.values())
    assert scores["weight_norm"] == pytest.approx(squares**0.5, rel=1e-6)


def test_initial_scale_and_logit_scale_are_what_they_say():
    training = TRAININGS["mlp"]
    base = eight_different_runs()[0]
    plain, scaled = (Ensemble(training, [dataclasses.replace(base, init_scale=scale)]) for scale in (1.0, 3.0))
    for name, value in plain.parameters.items():
        assert torch.allclose(scaled.parameters[name], 3 * value)
    cooled = Ensemble(training, [dataclasses.replace(base, init_scale=1.0, temperature=4.0)])
    assert torch.allclose(cooled.table_logits([0]), plain.table_logits([0]) / 4)
    expected = plain.table_logits([0]).std().item()
    assert plain.evaluate([0])[0]["logit_scale"] == pytest.approx(expected, rel=1e-5)


def test_retiring_runs_leaves_the_others_on_their_way():
    training = dataclasses.replace(TRAININGS["mlp"], dtype="float64")
    runs = eight_different_runs()[:4]
    whole, shrinking = Ensemble(training, runs), Ensemble(training, runs)
    for step in range(60):
        if step == 30:
            shrinking.retire([0, 2])
        whole.step()
        shrinking.step()
    assert shrinking.active == [1, 3]
    for name, value in shrinking.parameters.items():
        assert torch.allclose(value, whole.parameters[name][[1, 3]], rtol=1e-9, atol=1e-12)


def test_split_and_initialization_are_separate_factors():
    base = bench("F1")
    training = TRAININGS["mlp"]
    same_split = [base.run(1, split_seed=7), base.run(2, split_seed=7)]
    same_start = [base.run(1, init_seed=7), base.run(2, init_seed=7)]
    one, two = (Ensemble(training, [run]) for run in same_split)
    assert np.array_equal(one.data[0].subsets["train"], two.data[0].subsets["train"])
    assert not torch.equal(one.parameters["output"], two.parameters["output"])
    one, two = (Ensemble(training, [run]) for run in same_start)
    assert not np.array_equal(one.data[0].subsets["train"], two.data[0].subsets["train"])
    assert torch.equal(one.parameters["output"], two.parameters["output"])


def test_random_labels_leave_the_split_as_it_was():
    run = bench("F1").run(0)
    training = TRAININGS["mlp"]
    task = training.build_task()
    plain = run_data(task, training, run)
    shuffled = run_data(task, dataclasses.replace(training, labels="random"), run)
    assert np.array_equal(plain.subsets["train"], shuffled.subsets["train"])
    assert (plain.labels == shuffled.labels).mean() < 0.2


def test_a_run_that_overflows_leaves_the_others_finite():
    runs = [bench("F1").run(0), bench("F1").run(1, learning_rate=1e20), bench("F1").run(2)]
    ensemble = Ensemble(TRAININGS["mlp"], runs)
    losses = torch.stack([ensemble.step() for _ in range(40)])
    broken = ensemble.nonfinite_step.tolist()
    assert broken[0] == broken[2] == -1
    assert broken[1] == 1 + int(torch.nonzero(~torch.isfinite(losses[:, 1]))[0])
    alone = Ensemble(TRAININGS["mlp"], [runs[2]])
    expected = torch.stack([alone.step()[0] for _ in range(40)])
    assert torch.allclose(losses[:, 2], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a positive number, and 0.0 arrived"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
        ({"fraction": 1.5}, r"fraction must lie in \(0, 1\], and 1.5 arrived"),
        ({"temperature": float("nan")}, "temperature must be a positive number"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        bench("F1").run(0, **change)


def test_an_unknown_split_suggests_near_ones():
    with pytest.raises(ValueError, match=r"no split named 'symmetric'; closest names: \['symmetric_closed'\]"):
        TrainingSettings(split="symmetric")


def test_an_ensemble_of_none_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        Ensemble(TrainingSettings(), list[RunSettings]())
