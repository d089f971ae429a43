"""Recorded numbers against a twin that computes them from plain autograd, in float64 and without any hook.

Only these see numbers read at the wrong moment: before unscaling or clipping, after the optimizer changed the gradient,
or at the step next door.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from phasescope.recorders.schedules import Schedule, every
from phasescope.recorders.scope import watch
from phasescope.store.runs import Run, open_run

Make = Callable[[Any], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-2, foreach=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1),
    "fused": lambda p: torch.optim.AdamW(p, lr=1e-2, fused=True),
}


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


def batch(step: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(16, 6, generator=torch.Generator().manual_seed(step))
    return x, x.prod(dim=1, keepdim=True)


def norm(tensors: list[Tensor]) -> float:
    return float(torch.cat([tensor.detach().double().flatten() for tensor in tensors]).norm())


class Twin:
    """Follows a training by hand."""

    def __init__(self) -> None:
        self.rows: dict[str, list[float]] = {"gradient_norm": [], "weight_norm": [], "update_norm": []}

    def step(self, parameters: list[nn.Parameter], gradients: list[Tensor], step: Callable[[], Any]) -> None:
        before = [parameter.detach().double().clone() for parameter in parameters]
        self.rows["gradient_norm"].append(norm(gradients))
        step()
        self.rows["weight_norm"].append(norm(list(parameters)))
        changes = [parameter.detach().double() - old for parameter, old in zip(parameters, before, strict=True)]
        self.rows["update_norm"].append(norm(changes))


def assert_equal_to(twin: Twin, run: Run, steps: list[int], part: str = "") -> None:
    for name, values in twin.rows.items():
        series = run.series(name + part)
        assert series.steps.tolist() == steps
        np.testing.assert_allclose(series.values, np.array(values)[np.array(steps) - 1], rtol=1e-5)
    ratio = np.array(twin.rows["update_norm"]) / np.array(twin.rows["weight_norm"])
    np.testing.assert_allclose(run.series("update_ratio" + part).values, ratio[np.array(steps) - 1], rtol=1e-5)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("schedule", [every(1), every(10)], ids=repr)
def test_norms_equal_those_of_plain_autograd(tmp_path: Path, kind: str, schedule: Schedule) -> None:
    def train(model: nn.Module, step_with: Callable[[list[Tensor]], None], each: Callable[[], None]) -> None:
        for step in range(30):
            x, y = batch(step)
            parameters = list(model.parameters())
            step_with(list(torch.autograd.grad((model(x) - y).square().mean(), parameters)))
            each()

    twin, plain = Twin(), network()
    plain_optimizer = OPTIMIZERS[kind](plain.parameters())

    def by_hand(gradients: list[Tensor]) -> None:
        for parameter, gradient in zip(plain.parameters(), gradients, strict=True):
            parameter.grad = gradient.clone()
        twin.step(list(plain.parameters()), gradients, plain_optimizer.step)

    train(plain, by_hand, lambda: None)

    model = network()
    optimizer = OPTIMIZERS[kind](model.parameters())
    with watch(model, optimizer, store=tmp_path, schedule=schedule) as scope:
        for step in range(30):
            x, y = batch(step)
            optimizer.zero_grad()
            (model(x) - y).square().mean().backward()
            optimizer.step()
    steps = [step for step in range(1, 31) if schedule(step)]
    assert_equal_to(twin, open_run(tmp_path, scope.run_id), steps)


def test_accumulated_and_clipped_gradients_are_read_as_the_optimizer_uses_them(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    norms = []
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        for step in range(6):
            optimizer.zero_grad()
            for micro in range(4):
                x, y = batch(4 * step + micro)
                (model(x) - y).square().mean().div(4).backward()
            before = nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            norms.append(min(float(before), 0.05))
            optimizer.step()
    recorded = open_run(tmp_path, scope.run_id).series("gradient_norm")
    np.testing.assert_allclose(recorded.values, norms, rtol=1e-4)  # clipping itself rounds
    assert "unscaled, after clipping" in recorded.unit


@pytest.mark.parametrize("fused", [False, True])
def test_gradients_under_a_scaler_are_unscaled_and_skipped_steps_do_not_count(tmp_path: Path, fused: bool) -> None:
    model, twin = network(), Twin()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        for step in range(5):
            x, y = batch(step)
            loss = (model(x) - y).square().mean()
            gradients = list(torch.autograd.grad(loss, list(model.parameters()), retain_graph=True))
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            twin.step(list(model.parameters()), gradients, lambda: scaler.step(optimizer))
            scaler.update()
        assert scope.step == 5
        if not fused:  # a fused optimizer is called even when its kernel then skips
            optimizer.zero_grad()
            scaler.scale(loss_with_infinite_gradient(model)).backward()
            scaler.step(optimizer)
            assert scope.step == 5
    assert_equal_to(twin, open_run(tmp_path, scope.run_id), [1, 2, 3, 4, 5])


def loss_with_infinite_gradient(model: nn.Module) -> Tensor:
    loss: Tensor = model(torch.ones(1, 6)).sum() * float("inf")
    return loss


@pytest.mark.parametrize("as_keyword", [False, True])
def test_gradients_that_a_closure_computes_are_read(tmp_path: Path, as_keyword: bool) -> None:
    model, twin = network(), Twin()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        for step in range(4):
            x, y = batch(step)

            def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
                optimizer.zero_grad()
                loss = (model(x) - y).square().mean()
                loss.backward()
                return loss

            gradients = list(torch.autograd.grad((model(x) - y).square().mean(), list(model.parameters())))
            call = (lambda: optimizer.step(closure=closure)) if as_keyword else (lambda: optimizer.step(closure))
            twin.step(list(model.parameters()), gradients, call)
    assert_equal_to(twin, open_run(tmp_path, scope.run_id), [1, 2, 3, 4])


def test_of_several_evaluations_in_a_step_the_first_counts(tmp_path: Path) -> None:
    model, twin = network(), Twin()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    x, y = batch(0)
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = (model(x) - y).square().mean()
            loss.backward()
            return loss

        for _ in range(3):
            gradients = list(torch.autograd.grad((model(x) - y).square().mean(), list(model.parameters())))
            twin.step(list(model.parameters()), gradients, lambda: optimizer.step(closure))  # type: ignore[arg-type]
    assert_equal_to(twin, open_run(tmp_path, scope.run_id), [1, 2, 3])


def test_groups_and_modules_are_parts_of_the_whole(tmp_path: Path) -> None:
    model = network()
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2:].parameters(), "lr": 0.01}]
    optimizer = torch.optim.SGD(groups)
    parts = {
        "/group.0": list(model[0].parameters()),
        "/group.1": list(model[2:].parameters()),
        "/0": list(model[0].parameters()),
        "/2": list(model[2].parameters()),
        "/4": list(model[4].parameters()),
    }
    twins = {part: Twin() for part in parts}
    with watch(model, optimizer, store=tmp_path, schedule=every(1), detail="modules") as scope:
        for step in range(3):
            x, y = batch(step)
            optimizer.zero_grad()
            (model(x) - y).square().mean().backward()
            before = {part: [p.detach().double().clone() for p in parameters] for part, parameters in parts.items()}
            for part, parameters in parts.items():
                twins[part].rows["gradient_norm"].append(norm([p.grad for p in parameters]))
            optimizer.step()
            for part, parameters in parts.items():
                twins[part].rows["weight_norm"].append(norm(parameters))
                moved = [p.detach().double() - old for p, old in zip(parameters, before[part], strict=True)]
                twins[part].rows["update_norm"].append(norm(moved))
    run = open_run(tmp_path, scope.run_id)
    for part, twin in twins.items():
        assert_equal_to(twin, run, [1, 2, 3], part)


def test_a_single_group_is_not_recorded_twice(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        model(torch.ones(1, 6)).sum().backward()
        optimizer.step()
    names = open_run(tmp_path, scope.run_id).series_names()
    assert sorted(names) == ["gradient_norm", "nonfinite_gradients", "update_norm", "update_ratio", "weight_norm"]


def test_parameters_without_gradient_shared_frozen_and_sparse_ones(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict(
        {"embed": nn.Embedding(7, 3, sparse=True), "head": nn.Linear(3, 2), "twin": nn.Linear(3, 2, bias=False)}
    )
    model["twin"].weight = model["head"].weight
    model["idle"] = nn.Linear(3, 3)  # never used: no gradient
    model["frozen"] = nn.Linear(3, 3).requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        hidden = model["embed"](torch.tensor([1, 1, 5]))
        (model["head"](hidden) + model["twin"](hidden)).sum().backward()
        used = [model["embed"].weight, model["head"].weight, model["head"].bias]
        expected = norm([parameter.grad.to_dense() for parameter in used])
        optimizer.step()
    run = open_run(tmp_path, scope.run_id)
    assert run.series("gradient_norm").values[0] == pytest.approx(expected, rel=1e-5)
    trained = [*used, *model["idle"].parameters()]
    assert run.series("weight_norm").values[0] == pytest.approx(norm(trained), rel=1e-5)
    assert run.config["n_parameters"] == sum(parameter.numel() for parameter in trained)


def test_two_optimizers_share_a_row_whichever_comes_first(tmp_path: Path) -> None:
    for order in ("first", "second"):
        model = network()
        optimizers = [torch.optim.SGD(model[0].parameters(), lr=0.1), torch.optim.Adam(model[2:].parameters())]
        called = optimizers if order == "first" else optimizers[::-1]
        norms = []
        with watch(model, optimizers, store=tmp_path, schedule=every(1)) as scope:
            for step in range(3):
                x, y = batch(step)
                model.zero_grad()
                (model(x) - y).square().mean().backward()
                norms.append([norm([p.grad for p in part.parameters()]) for part in (model[0], model[2:])])
                for optimizer in called:
                    optimizer.step()
        run = open_run(tmp_path, scope.run_id)
        assert run.series("gradient_norm").steps.tolist() == [1, 2, 3]
        np.testing.assert_allclose(run.series("gradient_norm/group.0").values, np.array(norms)[:, 0], rtol=1e-5)
        second = run.series("gradient_norm/group.1")
        if order == "second":
            np.testing.assert_allclose(run.series("gradient_norm").values, np.linalg.norm(norms, axis=1), rtol=1e-5)
            np.testing.assert_allclose(second.values, np.array(norms)[:, 1], rtol=1e-5)
        else:  # its step after the first one's belongs to the next row
            assert second.steps.tolist() == [2, 3]
            np.testing.assert_allclose(second.values, np.array(norms)[:2, 1], rtol=1e-5)


def test_half_precision_is_summed_in_single(tmp_path: Path) -> None:
    model = network().to(torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        model(batch(0)[0].bfloat16()).sum().backward()
        expected = norm([parameter.grad for parameter in model.parameters()])
        optimizer.step()
    assert open_run(tmp_path, scope.run_id).series("gradient_norm").values[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # its compiler imports parts that torch deprecates
def test_a_compiled_model_and_step_are_read_under_the_plain_names(tmp_path: Path) -> None:
    runs = []
    for compiled in (False, True):
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        forward = torch.compile(model, backend="eager") if compiled else model
        step = torch.compile(optimizer.step, backend="eager") if compiled else optimizer.step
        with watch(forward, optimizer, store=tmp_path, schedule=every(1), detail="modules") as scope:
            for i in range(3):
                x, y = batch(i)
                optimizer.zero_grad()
                (forward(x) - y).square().mean().backward()
                step()
        assert scope.step == 3
        runs.append(open_run(tmp_path, scope.run_id))
    assert sorted(runs[0].series_names()) == sorted(runs[1].series_names())
    for name in runs[0].series_names():
        np.testing.assert_allclose(runs[1].series(name).values, runs[0].series(name).values, rtol=1e-5)
