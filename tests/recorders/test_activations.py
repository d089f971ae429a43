"""Activations over a stream: order of tokens, limits, and a model that is left as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from phasescope.recorders.activations import record_activations


class Counting(nn.Module):
    """Units hold the token's number times their place: what was kept tells where it came from."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wide = nn.Linear(1, width, bias=False)
        self.normalized = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(0.5)
        with torch.no_grad():
            self.wide.weight.copy_(torch.arange(width, dtype=torch.float32)[:, None])

    def forward(self, x):
        return self.dropout(self.wide(x.float()[..., None]))


def numbers(*shapes):
    """Consecutive numbers in batches of these shapes."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    starts = np.concatenate(([0], ends[:-1]))
    return [torch.arange(a, b).reshape(s) for a, b, s in zip(starts, ends, shapes, strict=True)]


def recorded(model, batches, modules=("wide",), seed=0, **options):
    return record_activations(model, batches, list(modules), rng=np.random.default_rng(seed), **options)


def test_tokens_come_in_order_over_sequences_and_batches():
    found = recorded(Counting(3), numbers((4, 5), (2, 3)))
    assert found.layers[0].shape == (26, 3)
    assert found.layers[0][:, 1].tolist() == list(range(26))
    assert found.layers[0].dtype == np.float32
    assert found.n_tokens == 26
    assert found.caveats == ()


def test_rows_without_a_sequence_axis_are_tokens_too():
    found = recorded(Counting(2), numbers((7,), (4,)))
    assert found.layers[0][:, 1].tolist() == list(range(11))


def test_units_are_drawn_once_and_named():
    found = recorded(Counting(50), numbers((4, 5), (4, 5)), max_units=8)
    assert found.layers[0].shape == (40, 8)
    assert found.layers[0][1].tolist() == found.units[0].tolist()  # token 1 holds each unit's place
    assert sorted(set(found.units[0].tolist())) == found.units[0].tolist()
    assert found.widths == (50,)
    assert "8 units were drawn" in found.caveats[0]
    assert found.units[0].tolist() == recorded(Counting(50), numbers((4, 5)), max_units=8).units[0].tolist()
    assert found.units[0].tolist() != recorded(Counting(50), numbers((4, 5)), max_units=8, seed=1).units[0].tolist()


def test_reading_stops_at_the_limit_and_asks_for_no_further_batch():
    asked = []

    def batches():
        for batch in numbers((4, 5), (4, 5), (4, 5)):
            asked.append(batch)
            yield batch

    found = recorded(Counting(2), batches(), max_tokens=30)
    assert found.layers[0][:, 1].tolist() == list(range(30))
    assert len(asked) == 2
    assert found.caveats == ("reading stopped at 30 tokens",)


def test_mode_random_state_and_running_averages_are_left_alone():
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 2)).train()
    model[3].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    rows = torch.randn(32, 4)
    torch.set_rng_state(state)
    found = recorded(model, [rows], ["1", "2"])
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model] == [True, True, True, False]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    np.testing.assert_array_equal(found.layers[0], found.layers[1])  # no dropout while it is read
    with pytest.raises(RuntimeError, match="shapes"):
        recorded(model, [torch.ones(3, 5)], ["1"])
    assert [module.training for module in model] == [True, True, True, False]


def test_batches_may_be_mappings_tuples_or_need_a_function():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sum = nn.Identity()

        def forward(self, a, b):
            return self.sum(a + b)

    one = torch.ones(2, 3)
    for batches, forward in (
        ([{"a": one, "b": one}], None),
        ([(one, one)], None),
    ):
        assert recorded(Two(), batches, ["sum"], forward=forward).layers[0].tolist() == [[2.0] * 3] * 2
    model = Two()
    found = recorded(model, [one], ["sum"], forward=lambda batch: model(batch, 2 * batch))
    assert found.layers[0].tolist() == [[3.0] * 3] * 2


def test_what_has_no_place_in_the_order_of_tokens_is_refused():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared, self.unused = nn.Linear(3, 3), nn.Linear(3, 3)
            self.pooled = nn.AdaptiveAvgPool1d(1)
            self.image = nn.Identity()

        def forward(self, x):
            self.image(x[..., None])
            self.pooled(x)
            return self.shared(self.shared(x))

    batch = [torch.ones(2, 4, 3)]
    with pytest.raises(ValueError, match="'shared' ran 2 times"):
        recorded(Twice(), batch, ["shared"])
    with pytest.raises(ValueError, match="'unused' ran 0 times"):
        recorded(Twice(), batch, ["unused"])
    with pytest.raises(ValueError, match=r"'image' returned shape \(2, 4, 3, 1\)"):
        recorded(Twice(), batch, ["image"])
    with pytest.raises(ValueError, match="no batch arrived"):
        recorded(Counting(2), [])
    with pytest.raises(ValueError, match="closest names"):
        recorded(Counting(2), [], ["wid"])
    with pytest.raises(ValueError, match="at least 1"):
        recorded(Counting(2), [], max_units=0)


def test_layers_of_different_streams_are_refused():
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.sequences = nn.Identity(), nn.Identity()

        def forward(self, x):
            return self.sequences(self.tokens(x).mean(dim=1))

    with pytest.raises(ValueError, match="different numbers of tokens"):
        recorded(Pooled(), [torch.ones(2, 4, 3)], ["tokens", "sequences"])


def test_half_precision_is_widened():
    model = nn.Sequential(nn.Linear(3, 4)).to(torch.bfloat16)
    found = recorded(model, [torch.ones(5, 3, dtype=torch.bfloat16)], ["0"])
    assert found.layers[0].dtype == np.float32
