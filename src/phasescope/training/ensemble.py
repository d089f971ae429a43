"""R runs as one tensor: one forward pass, one backward pass and one optimizer for all of them.

Every hyper-parameter is a column over runs, and a training fraction is a row mask padded to the largest, so that runs
of one phase diagram fit one batch. Runs never meet: slice r of each tensor follows the run it would be alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasescope.measures.classification import classification_scores
from phasescope.training.adamw import StackedAdamW
from phasescope.training.losses import cross_entropy
from phasescope.training.settings import RunSettings, TrainingSettings
from phasescope.training.tasks.modular import ModularTask, mirrored_rows, random_labels, train_mask

# Streams of randomness drawn from one seed, kept apart so that changing one factor leaves the others as they were.
_INIT, _SPLIT, _LABELS = 0, 1, 2

# Subsets of the table on which scores are averaged; `test` is unmirrored test rows, the headline.
SUBSETS = ("train", "test", "test_mirrored", "test_all")


@dataclass(frozen=True, slots=True)
class RunData:
    """One run's rows.

    Attributes:
        labels: Answers in the order of the task's table, `(n_rows,)`.
        subsets: Row masks by name of `SUBSETS`, each `(n_rows,)`.
    """

    labels: NDArray[np.int64]
    subsets: dict[str, NDArray[np.bool_]]


def run_data(task: ModularTask, training: TrainingSettings, run: RunSettings) -> RunData:
    """Labels and split of one run; they depend on the task and on `split_seed` alone."""
    train = train_mask(task, run.fraction, split=training.split, rng=np.random.default_rng([run.split_seed, _SPLIT]))
    labels = task.labels
    if training.labels == "random":
        labels = random_labels(task, np.random.default_rng([run.split_seed, _LABELS]))
    mirrored = mirrored_rows(task, train)
    subsets = {
        "train": train,
        "test": ~train & ~mirrored,
        "test_mirrored": ~train & mirrored,
        "test_all": ~train,
    }
    return RunData(labels, subsets)


class Ensemble:
    """R runs of one training, stacked.

    Args:
        training: What the runs share.
        runs: What may differ, one entry per run.
        device: Where the tensors live.
    """

    def __init__(
        self, training: TrainingSettings, runs: Sequence[RunSettings], *, device: torch.device | str = "cpu"
    ) -> None:
        if not runs:
            raise ValueError("an ensemble needs at least one run, and none arrived")
        self.training = training
        self.runs = list(runs)
        self.device = torch.device(device)
        self.dtype = getattr(torch, training.dtype)
        self.task = training.build_task()
        self.model = training.build_model()
        self.data = [run_data(self.task, training, run) for run in runs]
        self.step_count = 0
        self.active = list(range(len(runs)))  # position in `runs` of each slice
        initial = [self.model.initialize(np.random.default_rng([run.init_seed, _INIT])) for run in runs]
        parameters = {
            name: self._tensor(np.stack([run.init_scale * draw[name] for run, draw in zip(runs, initial, strict=True)]))
            for name in self.model.shapes()
        }
        self._assemble(parameters)
        self.nonfinite_step = torch.full((len(runs),), -1, device=self.device)

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Stacked parameters of the active runs, by name."""
        return self.optimizer.parameters

    def step(self) -> Tensor:
        """One full-batch step of all active runs; returns their training loss before it, `(n_active,)`."""
        leaves = {name: value.detach().requires_grad_() for name, value in self.parameters.items()}
        logits = self.model.logits(leaves, self._left, self._right) * self._inverse_temperature
        loss = cross_entropy(logits, self._labels, self._weights)
        gradients = torch.autograd.grad(loss.sum(), list(leaves.values()))
        self.step_count += 1
        with torch.no_grad():
            self.optimizer.step(dict(zip(leaves, gradients, strict=True)), self.step_count)
            # Kept on the device: reading it is left to the next evaluation.
            newly = ~torch.isfinite(loss.detach()) & (self.nonfinite_step < 0)
            self.nonfinite_step = torch.where(newly, self.step_count, self.nonfinite_step)
        return loss.detach()

    @torch.no_grad()
    def table_logits(self, slices: Sequence[int]) -> Tensor:
        """Logits of all rows of the table for some slices of the batch, `(n_slices, n_rows, p)`."""
        index = torch.tensor(list(slices), device=self.device)
        chosen = {name: value.index_select(0, index) for name, value in self.parameters.items()}
        left, right = (self._tensor(rows).expand(len(index), -1) for rows in (self.task.left, self.task.right))
        return self.model.logits(chosen, left, right) * self._inverse_temperature[index]

    @torch.no_grad()
    def evaluate(self, slices: Sequence[int]) -> list[dict[str, float]]:
        """Scores of some slices, averaged over each subset of rows, from one forward over the whole table.

        Returns:
            Per slice, values by series name (`"test/accuracy"`, …); a subset without rows yields no series.
        """
        index = torch.tensor(list(slices), device=self.device)
        logits = self.table_logits(slices)
        labels = torch.stack([self._table_labels[i] for i in slices])
        scores = classification_scores(logits, labels)
        stacked = torch.stack(list(scores.values())).cpu().double().numpy()  # (n_scores, n_slices, n_rows)
        square_norm = torch.stack([value[index].square().flatten(1).sum(1) for value in self.parameters.values()])
        norms = square_norm.sum(0).sqrt().cpu().double().numpy()
        scale = logits.flatten(1).std(1).cpu().double().numpy()
        results = []
        for position, i in enumerate(slices):
            values = {
                f"{subset}/{score}": float(stacked[column, position, rows].mean())
                for subset, rows in self.data[self.active[i]].subsets.items()
                for column, score in enumerate(scores)
                if rows.any() and (subset in ("train", "test") or score in ("accuracy", "loss"))
            }
            results.append(values | {"weight_norm": float(norms[position]), "logit_scale": float(scale[position])})
        return results

    def snapshot(self, i: int) -> dict[str, NDArray[np.float32]]:
        """Parameters of slice i, as arrays by name."""
        return {name: value[i].cpu().numpy().copy() for name, value in self.parameters.items()}

    def retire(self, finished: Sequence[int]) -> None:
        """Take slices out of the batch; what they had learned stays with whoever took a snapshot."""
        keep = [i for i in range(len(self.active)) if i not in set(finished)]
        self._keep(keep)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The moving state: parameters and moments of the active runs."""
        groups = {"value": self.parameters, "first": self.optimizer.first, "second": self.optimizer.second}
        return {f"{group}.{name}": t.cpu().numpy() for group, tensors in groups.items() for name, t in tensors.items()}

    def state(self) -> dict[str, object]:
        """What else is needed to go on from `arrays`."""
        return {
            "step": self.step_count,
            "active": list(self.active),
            "nonfinite_step": self.nonfinite_step.tolist(),
        }

    def restore(self, arrays: Mapping[str, NDArray[np.float32]], state: Mapping[str, object]) -> None:
        """Continue exactly where `arrays` and `state` were taken."""
        active = state["active"]
        assert isinstance(active, list)
        self._keep([self.active.index(run) for run in active])
        with torch.no_grad():
            for name in self.parameters:
                self.parameters[name].copy_(self._tensor(arrays[f"value.{name}"]))
                self.optimizer.first[name].copy_(self._tensor(arrays[f"first.{name}"]))
                self.optimizer.second[name].copy_(self._tensor(arrays[f"second.{name}"]))
        self.step_count = int(str(state["step"]))
        self.nonfinite_step = torch.tensor(state["nonfinite_step"], device=self.device)

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        """The array on the device; floating numbers in the precision of the training."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        dtype = self.dtype if tensor.is_floating_point() else None
        return tensor.to(self.device, dtype=dtype)

    def _assemble(self, parameters: dict[str, Tensor]) -> None:
        """Columns, padded rows and optimizer for the active runs."""
        runs = [self.runs[run] for run in self.active]
        data = [self.data[run] for run in self.active]
        column = {
            name: self._tensor(np.array([getattr(run, name) for run in runs], dtype=np.float64))
            for name in ("learning_rate", "weight_decay", "temperature")
        }
        self._inverse_temperature = (1 / column["temperature"]).view(-1, 1, 1)
        rows = [np.flatnonzero(run.subsets["train"]) for run in data]
        longest = max(len(chosen) for chosen in rows)
        padded = np.stack([np.pad(chosen, (0, longest - len(chosen))) for chosen in rows])
        weights = np.stack([np.pad(np.full(len(r), 1 / len(r)), (0, longest - len(r))) for r in rows])
        self._left = self._tensor(self.task.left[padded])
        self._right = self._tensor(self.task.right[padded])
        self._labels = self._tensor(np.stack([run.labels[chosen] for run, chosen in zip(data, padded, strict=True)]))
        self._weights = self._tensor(weights)
        self._table_labels = [self._tensor(run.labels) for run in data]
        self.optimizer = StackedAdamW(
            parameters,
            learning_rate=column["learning_rate"],
            weight_decay=column["weight_decay"],
            betas=self.training.betas,
            epsilon=self.training.epsilon,
            warmup=self.training.warmup,
        )

    def _keep(self, keep: Sequence[int]) -> None:
        """Shrink the batch to some of its slices, moments included."""
        if len(keep) == len(self.active):
            return
        index = torch.tensor(list(keep), device=self.device, dtype=torch.int64)
        first, second = self.optimizer.first, self.optimizer.second
        self.active = [self.active[i] for i in keep]
        self.nonfinite_step = self.nonfinite_step[index]
        if not keep:
            return
        self._assemble({name: value[index].clone() for name, value in self.parameters.items()})
        self.optimizer.first = {name: value[index].clone() for name, value in first.items()}
        self.optimizer.second = {name: value[index].clone() for name, value in second.items()}
