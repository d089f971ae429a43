"""The `with` block: what it leaves untouched, what it says about trouble, and what it keeps when there is some.

Only these see a scope that draws random numbers, leaves a hook behind, or takes the training down with it.
"""

import random
import resource
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import phasescope as ps
from phasescope.recorders.schedules import every
from phasescope.recorders.scope import Scope, watch
from phasescope.store.runs import open_run


def small() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.05)


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
    optimizer.zero_grad()
    loss: Tensor = model(torch.randn(8, 4)).square().mean()
    loss.backward()
    optimizer.step()
    return loss


def n_hooks(model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    hooks = len(optimizer._optimizer_step_pre_hooks) + len(optimizer._optimizer_step_post_hooks)
    for module in model.modules():
        hooks += len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
    return hooks


def test_training_is_bit_identical_with_and_without_the_scope(tmp_path: Path) -> None:
    def train(watched: bool) -> tuple[list[Tensor], Any, Any, Any]:
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        model = nn.Sequential(
            nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 64), nn.GELU(), nn.Dropout(0.1)
        )
        model.append(nn.Linear(64, 3))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

        def loop(scope: Scope | None) -> None:
            for _ in range(200):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(torch.randn(16, 8)), torch.randint(3, (16,)))
                loss.backward()
                optimizer.step()
                if scope is not None:
                    scope.log(loss=loss, lr=1e-3)

        if watched:
            with watch(model, optimizer, store=tmp_path, schedule=every(1), detail="modules") as scope:
                loop(scope)
        else:
            loop(None)
        state = np.random.get_state(legacy=False)["state"]["key"].tolist()  # noqa: NPY002
        return (
            [p.detach().clone() for p in model.parameters()],
            torch.get_rng_state().tolist(),
            state,
            random.getstate(),
        )

    plain, watched = train(watched=False), train(watched=True)
    assert all(torch.equal(a, b) for a, b in zip(plain[0], watched[0], strict=True))
    assert plain[1:] == watched[1:]


def test_economy_reads_the_first_step_and_every_tenth_and_keeps_every_logged_value(tmp_path: Path) -> None:
    model, optimizer = small()
    losses = []
    with ps.watch(model, optimizer, store=tmp_path, preset="economy", settings={"lr": 0.05}, seed=7) as scope:
        scope.log({"test/loss": 2.0})
        for _ in range(25):
            losses.append(step(model, optimizer))
            scope.log(loss=0.0)
            scope.log(loss=losses[-1])  # the last of a step counts
    run = ps.open_run(tmp_path, scope.run_id)
    assert run.series("gradient_norm").steps.tolist() == [1, 10, 20]
    assert run.series("train/loss").steps.tolist() == list(range(1, 26))
    np.testing.assert_array_equal(run.series("train/loss").values, [loss.item() for loss in losses])
    assert run.series("test/loss").steps.tolist() == [0]
    assert (run.status, run.seed, run.config["lr"], scope.step, scope.dropped_rows) == ("finished", 7, 0.05, 25, 0)
    assert run.environment["threads"] == torch.get_num_threads()
    assert run.environment["device"] == "cpu"
    assert run.config["schedule"] == "every(10, and_first=True)"


def test_curves_can_be_read_while_the_training_runs(tmp_path: Path) -> None:
    model, optimizer = small()
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        step(model, optimizer)
        assert open_run(tmp_path, scope.run_id).status == "running"


def test_no_hook_is_left_behind(tmp_path: Path) -> None:
    model, optimizer = small()
    with watch(model, optimizer, store=tmp_path) as scope:
        assert n_hooks(model, optimizer) == 2
        step(model, optimizer)
    assert n_hooks(model, optimizer) == 0
    step(model, optimizer)
    assert scope.step == 1


def test_an_error_ends_the_run_as_failed_and_goes_on_its_way(tmp_path: Path) -> None:
    model, optimizer = small()
    scope = watch(model, optimizer, store=tmp_path, schedule=every(1))

    def train() -> None:
        with scope:
            for _ in range(3):
                scope.log(loss=step(model, optimizer))
            raise ZeroDivisionError("at batch 3")

    with pytest.raises(ZeroDivisionError, match="at batch 3"):
        train()
    assert n_hooks(model, optimizer) == 0
    run = open_run(tmp_path, scope.run_id)
    assert run.status == "failed"
    assert "ZeroDivisionError: at batch 3" in run.message
    assert run.series("train/loss").steps.tolist() == [1, 2, 3]


def test_an_interrupt_leaves_an_interrupted_run(tmp_path: Path) -> None:
    model, optimizer = small()
    scope = watch(model, optimizer, store=tmp_path, schedule=every(1))

    def train() -> None:
        with scope:
            step(model, optimizer)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    assert open_run(tmp_path, scope.run_id).status == "interrupted"
    assert open_run(tmp_path, scope.run_id).series("weight_norm").steps.tolist() == [1]


def test_a_scope_is_entered_once(tmp_path: Path) -> None:
    model, optimizer = small()
    scope = watch(model, optimizer, store=tmp_path)
    with pytest.raises(RuntimeError, match="not entered yet"):
        _ = scope.run_id
    with pytest.raises(RuntimeError, match="works inside"):
        scope.log(loss=1.0)
    with scope:
        with pytest.raises(RuntimeError, match=r"was entered before and recorded the run watch-.*; make a new one"):
            scope.__enter__()
        step(model, optimizer)
    with pytest.raises(RuntimeError, match="was entered before"), scope:
        pass
    with pytest.raises(RuntimeError, match="works inside"):
        scope.log(loss=1.0)
    assert n_hooks(model, optimizer) == 0


def test_nothing_of_a_refused_call_is_recorded(tmp_path: Path) -> None:
    model, optimizer = small()
    with watch(model, optimizer, store=tmp_path, schedule=every(10)) as scope:
        step(model, optimizer)
        with pytest.raises(ValueError, match=r"loss is a torch\.float32 tensor of shape \(3,\)"):
            scope.log(accuracy=0.5, loss=torch.ones(3))
        with pytest.raises(ValueError, match="recorded by the scope itself"):
            scope.log(gradient_norm=1.0)
    assert open_run(tmp_path, scope.run_id).series_names() == []


def test_wrong_arguments_are_answered_before_anything_is_written(tmp_path: Path) -> None:
    model, optimizer = small()
    other = nn.Linear(4, 4)
    store = tmp_path / "runs"
    with pytest.raises(ValueError, match=r"none of the model's trainable parameters.*Linear that is watched"):
        watch(other, optimizer, store=store)
    with pytest.raises(ValueError, match=r"no preset named 'econmy'; closest names: \['economy'\]"):
        watch(model, optimizer, store=store, preset="econmy")
    with pytest.raises(ValueError, match=r"no detail named 'module'; closest names: \['modules'"):
        watch(model, optimizer, store=store, detail="module")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a step is a whole number from 0"):
        watch(model, optimizer, store=store, start_step=-1)
    with pytest.raises(TypeError, match=r"optimizer is Parameter; watch needs a torch\.optim\.Optimizer"):
        watch(model, model.parameters(), store=store)  # type: ignore[arg-type]
    assert not store.exists()


def test_an_optimizer_inside_a_wrapper_is_found(tmp_path: Path) -> None:
    class Wrapper(torch.optim.Optimizer):  # as in accelerate: no state of its own, delegates the step
        def __init__(self, inner: torch.optim.Optimizer) -> None:
            self.optimizer = inner

        def step(self, closure: Any = None) -> Any:
            return self.optimizer.step(closure)

    model, optimizer = small()
    with watch(model, Wrapper(optimizer), store=tmp_path) as scope:
        step(model, optimizer)
    assert scope.step == 1


def test_a_resumed_training_counts_on(tmp_path: Path) -> None:
    model, optimizer = small()
    with watch(model, optimizer, store=tmp_path, start_step=5) as first:
        for _ in range(3):
            step(model, optimizer)
        with pytest.raises(RuntimeError, match="at step 8 already"):
            first.load_state_dict({"step": 0})
    second = watch(model, optimizer, store=tmp_path)
    second.load_state_dict(first.state_dict())
    with second:
        for _ in range(4):
            step(model, optimizer)
    assert first.state_dict() == {"step": 8}
    assert open_run(tmp_path, second.run_id).series("weight_norm").steps.tolist() == [10]


def test_a_loss_that_is_not_finite_is_noted_once_and_the_run_goes_on(tmp_path: Path) -> None:
    model, optimizer = small()
    losses = [1.0, float("nan"), float("nan"), 0.5, float("inf"), 0.25]
    with watch(model, optimizer, store=tmp_path) as scope:
        for loss in losses:
            step(model, optimizer)
            scope.log(loss=torch.tensor(loss))
    run = open_run(tmp_path, scope.run_id)
    found = [(event.step, event.message) for event in run.events() if event.kind == "non_finite"]
    assert found == [(2, "train/loss is NaN"), (5, "train/loss is infinite")]
    np.testing.assert_array_equal(run.series("train/loss").values, losses)
    assert run.status == "finished"


def test_gradients_that_are_not_finite_are_counted_and_named(tmp_path: Path) -> None:
    model, optimizer = small()
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        for i in range(4):
            model(torch.randn(8, 4)).square().mean().backward()
            if i == 2:
                model[2].weight.grad[0, :3] = float("nan")
            optimizer.step()
            optimizer.zero_grad()
    run = open_run(tmp_path, scope.run_id)
    assert run.series("nonfinite_gradients").values.tolist()[:3] == [0, 0, 3]
    events = [(event.step, event.message) for event in run.events()]
    assert (3, "3 gradient elements are NaN or infinite, in 1 of 4 parameters, first 2.weight") in events
    assert (3, "weights are not finite in 1 parameters, first 2.weight") in events


def test_a_scope_that_saw_no_step_says_so(tmp_path: Path) -> None:
    model, optimizer = small()
    other = torch.optim.SGD(model.parameters(), lr=0.1)
    scope = watch(model, optimizer, store=tmp_path)
    with pytest.warns(RuntimeWarning, match="no step of the watched optimizer was seen"), scope:
        step(model, other)
    assert [event.kind for event in open_run(tmp_path, scope.run_id).events()] == ["no_steps"]


def test_a_reading_that_fails_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    def broken_after_three(step: int) -> bool:
        if step > 3:
            raise KeyError("lost")
        return True

    model, optimizer = small()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with watch(model, optimizer, store=tmp_path, schedule=broken_after_three) as scope:
            for _ in range(6):
                step(model, optimizer)
    assert ["KeyError: 'lost'. Training goes on" in str(warning.message) for warning in caught] == [True]
    run = open_run(tmp_path, scope.run_id)
    assert scope.step == 6
    assert run.series("weight_norm").steps.tolist() == [1, 2, 3]
    assert [event.kind for event in run.events()] == ["reading_failed"]


def test_a_model_that_moves_to_other_types_mid_run_is_read_on(tmp_path: Path) -> None:
    model, optimizer = small()
    with watch(model, optimizer, store=tmp_path, schedule=every(1)) as scope:
        step(model, optimizer)
        model.double()
        optimizer.zero_grad()
        model(torch.randn(8, 4, dtype=torch.float64)).square().mean().backward()
        optimizer.step()
    assert open_run(tmp_path, scope.run_id).series("gradient_norm").steps.tolist() == [1, 2]


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file may grow beyond the limit, so writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(scope: Scope, model: nn.Module, optimizer: torch.optim.Optimizer, n_steps: int) -> None:
    for _ in range(n_steps):
        loss = step(model, optimizer)
        scope.log({f"filler/{i}": loss for i in range(100)})
        scope._sink.commit()  # as a quarter of a second would


def test_a_disk_that_was_full_for_a_while_costs_nothing(tmp_path: Path) -> None:
    def train(scope: Scope) -> None:
        with scope:
            fill(scope, model, optimizer, 3)
            with full_disk(200_000):
                fill(scope, model, optimizer, 30)

    model, optimizer = small()
    scope = watch(model, optimizer, store=tmp_path, schedule=every(1))
    with pytest.warns(RuntimeWarning, match=r"cannot write the run watch-.*Training goes on") as caught:
        train(scope)
    assert len(caught) == 1
    assert scope.dropped_rows == 0
    run = open_run(tmp_path, scope.run_id)
    assert run.series("filler/99").steps.tolist() == list(range(1, 34))
    assert run.series("weight_norm").steps.tolist() == list(range(1, 34))


def test_a_disk_that_stays_full_loses_only_what_came_after_and_counts_it(tmp_path: Path) -> None:
    def train(scope: Scope) -> None:
        with ExitStack() as until_the_end, scope:
            fill(scope, model, optimizer, 3)
            until_the_end.enter_context(full_disk(200_000))
            fill(scope, model, optimizer, 30)

    model, optimizer = small()
    scope = watch(model, optimizer, store=tmp_path, schedule=every(1))
    with pytest.warns(RuntimeWarning) as caught:
        train(scope)
    assert scope.step == 33
    first, last = (str(warning.message) for warning in caught)
    assert "cannot write the run" in first
    assert f"{scope.dropped_rows} values of the run {scope.run_id} could not be written" in last
    with sqlite3.connect(f"file:{tmp_path / scope.run_id / 'data.sqlite'}?mode=ro", uri=True) as connection:
        n_kept = connection.execute("SELECT count(*) FROM scalar").fetchone()[0]
    assert 3 * 105 <= n_kept < 33 * 105
    assert n_kept + scope.dropped_rows == 33 * 105
    assert open_run(tmp_path, scope.run_id).series("filler/0").steps.tolist()[:3] == [1, 2, 3]


def test_a_deleted_directory_is_noticed_and_counted(tmp_path: Path) -> None:
    def train(scope: Scope) -> None:
        with scope:
            step(model, optimizer)
            shutil.rmtree(tmp_path / scope.run_id)
            for _ in range(4):
                step(model, optimizer)

    model, optimizer = small()
    scope = watch(model, optimizer, store=tmp_path, schedule=every(1))
    with pytest.warns(RuntimeWarning, match="was deleted") as caught:
        train(scope)
    assert scope.step == 5
    assert scope.dropped_rows == 25
    assert "25 values" in str(caught[-1].message)
    assert n_hooks(model, optimizer) == 0
