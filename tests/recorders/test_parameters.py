"""Which parameters count: only these see one counted twice, or a shard taken for the whole."""

from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist
from torch import nn

from phasescope.recorders.gradients import read_gradients
from phasescope.recorders.parameters import clean_name, watched_parameters
from phasescope.recorders.scope import watch


def test_a_shared_parameter_counts_once_under_its_first_name() -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    watched = watched_parameters(model, [torch.optim.SGD(model.parameters(), lr=0.1)])
    assert [each.name for each in watched] == ["embed.weight"]
    assert watched[0].module == "embed"


def test_a_parameter_of_two_optimizers_belongs_to_the_first() -> None:
    model = nn.Linear(2, 2)
    first, second = torch.optim.SGD([model.weight], lr=0.1), torch.optim.SGD(model.parameters(), lr=0.1)
    watched = watched_parameters(model, [first, second])
    assert [(each.name, each.optimizer, each.group) for each in watched] == [("weight", 0, 0), ("bias", 1, 1)]
    assert watched[0].module == "(root)"


def test_frozen_and_foreign_parameters_are_left_out() -> None:
    model, other = nn.Linear(2, 2), nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    optimizer = torch.optim.SGD([*model.parameters(), *other.parameters()], lr=0.1)
    assert [each.name for each in watched_parameters(model, [optimizer])] == ["weight"]


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("_orig_mod.blocks.0.weight", "blocks.0.weight"),
        ("blocks.0._orig_mod.weight", "blocks.0.weight"),
        ("a._checkpoint_wrapped_module.b._fsdp_wrapped_module.weight", "a.b.weight"),
        ("my_orig_mod.weight", "my_orig_mod.weight"),
        ("module.weight", "module.weight"),
    ],
)
def test_names_lose_their_wrappers_and_nothing_else(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_data_parallel_names_are_those_of_the_model() -> None:
    model = nn.DataParallel(nn.Linear(2, 2))
    watched = watched_parameters(model, [torch.optim.SGD(model.parameters(), lr=0.1)])
    assert [each.name for each in watched] == ["weight", "bias"]


def test_sparse_gradients_count_with_duplicates_summed() -> None:
    embedding = nn.Embedding(6, 2, sparse=True)
    embedding(torch.tensor([1, 1, 4])).sum().backward()
    reading = read_gradients([embedding.weight])
    assert embedding.weight.grad is not None
    dense = embedding.weight.grad.to_dense()
    assert reading.norms[0] is not None
    assert reading.norms[0].item() == pytest.approx(dense.norm().item())  # √(2·2² + 2·1²)
    assert dense.norm().item() == pytest.approx(10**0.5)


def test_nonfinite_elements_are_counted_exactly() -> None:
    sound, broken, absent, huge = (nn.Parameter(torch.zeros(30)) for _ in range(4))
    sound.grad = torch.ones(30)
    broken.grad = torch.ones(30)
    broken.grad[3], broken.grad[7], broken.grad[8] = float("nan"), float("inf"), float("-inf")
    huge.grad = torch.full((30,), 1e30)  # finite, though the squares overflow
    reading = read_gradients([sound, broken, absent, huge])
    assert [None if count is None else int(count) for count in reading.nonfinite] == [0, 3, None, 0]
    assert reading.norms[2] is None


@pytest.fixture
def process_group() -> Iterator[None]:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("process_group")
def test_a_sharded_model_is_refused_rather_than_half_measured(tmp_path: object) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    mesh = init_device_mesh("cpu", (1,))
    model = nn.Linear(4, 4)
    model.weight = nn.Parameter(distribute_tensor(model.weight.detach(), mesh, [Shard(0)]))
    with pytest.raises(ValueError, match=r"'weight' is a DTensor.*one shard"):
        watch(model, torch.optim.SGD(model.parameters(), lr=0.1), store=str(tmp_path))
