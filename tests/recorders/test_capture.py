"""Capture: what modules return, without a trace in outputs, gradients, random states or the model itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from phasescope.recorders.capture import capture


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(16, 8))

    def forward(self, x):
        x = x + self.attention(x, x, x)[0]
        return x + self.mlp(x)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.readout = nn.Linear(8, 3)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.readout(x)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Network()


ROWS = torch.linspace(-1, 1, 4 * 5 * 8).reshape(4, 5, 8)
NAMES = ["blocks.0.mlp", "blocks.1.mlp.0", "blocks.1.attention", "readout"]


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_outputs_are_those_of_the_modules(model):
    model.eval()
    with capture(model, ["readout", "blocks.0"]) as outputs:
        result = model(ROWS)
    torch.testing.assert_close(outputs["readout"], result)
    torch.testing.assert_close(outputs["blocks.0"], model.blocks[0](ROWS))
    assert list(outputs) == ["blocks.0", "readout"]  # in the order in which they ran


def test_neither_outputs_nor_gradients_nor_random_states_change(model):
    def run(names):
        torch.manual_seed(1)
        model.zero_grad()
        if names:
            with capture(model, names):
                result = model(ROWS)
        else:
            result = model(ROWS)
        result.square().sum().backward()  # dropout is on
        return result, [parameter.grad.clone() for parameter in model.parameters()], torch.get_rng_state()

    plain, watched = run([]), run(NAMES)
    assert torch.equal(plain[0], watched[0])
    assert all(torch.equal(a, b) for a, b in zip(plain[1], watched[1], strict=True))
    assert torch.equal(plain[2], watched[2])
    assert watched[0].requires_grad


def test_a_later_operation_in_place_does_not_reach_what_was_captured(model):
    model.eval()
    with capture(model, ["blocks.1.mlp.0"]) as outputs:
        model(ROWS)
    assert outputs["blocks.1.mlp.0"].min() < 0  # before the ReLU in place


def test_hooks_are_gone_after_the_block_and_after_an_error_in_it(model):
    with capture(model, NAMES):
        assert hooks(model) == len(NAMES)
    assert hooks(model) == 0
    with pytest.raises(RuntimeError, match="shapes"), capture(model, NAMES):
        model.readout(torch.ones(2, 5))
    assert hooks(model) == 0
    with pytest.raises(KeyError), capture(model, NAMES, keep=lambda name, output: {}[name]):
        model(ROWS)
    assert hooks(model) == 0


def test_an_unknown_name_is_answered_with_close_ones_before_anything_is_hooked(model):
    with (
        pytest.raises(ValueError, match=r"Network has no module named 'blocks.0.mpl'; closest names: \['blocks.0.mlp'"),
        capture(model, ["readout", "blocks.0.mpl"]),
    ):
        pass
    assert hooks(model) == 0
    with pytest.raises(ValueError, match="no module was named"), capture(model, []):
        pass


def test_tuples_are_kept_as_tuples_and_reductions_are_kept_instead(model):
    with capture(model, ["blocks.1.attention"]) as outputs:
        model(ROWS)
    assert isinstance(outputs["blocks.1.attention"], tuple)
    assert not outputs["blocks.1.attention"][0].requires_grad
    with capture(model, "readout", keep=lambda name, output: (name, float(output.detach().mean()))) as outputs:
        result = model(ROWS)
    assert outputs["readout"][0] == "readout"
    assert model.training
    assert result.shape == (4, 5, 3)


def test_the_last_call_counts_and_a_module_that_did_not_run_is_told():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    with capture(model, ["0"]) as outputs:
        result = model(torch.ones(1, 2))
        assert torch.equal(outputs["0"], result)
        with pytest.raises(KeyError, match="'1' has no output yet"):
            outputs["1"]
    with capture(model, ["2"]) as outputs:  # the other name of the same module
        assert torch.equal(model(torch.ones(1, 2)), outputs["2"])
