"""What `ps.watch` costs: CPU seconds of a training with the scope and without, in alternating pairs.

Three trainings of the same network from the same seed go on side by side: bare, read every 10 steps (economy), and
read at every step; the watched ones log their loss at every step too. They take turns of 10 steps, in changing order,
so that what else the machine does falls on all alike; each round of turns is a pair. Two workloads: a small
transformer, and a tiny MLP whose step is so short that it shows the cost at its worst. Apart from the loop, what
entering and leaving the scope costs once per run.

    python benchmarks/speed/watch_overhead.py     writes benchmarks/results/watch_overhead.json; about 3 CPU-minutes
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binom
from torch import Tensor, nn

from phasescope.recorders.schedules import Schedule, every
from phasescope.recorders.scope import Scope, watch
from phasescope.store.environment import describe_environment

TURN = 10  # steps; one whole period of economy
WARM_UP = 3  # rounds not counted
ARMS: dict[str, Schedule | None] = {"bare": None, "economy": every(10), "every_step": every(1)}


class ByteTransformer(nn.Module):
    """Two causal blocks of width 128 over 256 symbols."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(256, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.1, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(128, 256)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(64))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the next symbol."""
        logits: Tensor = self.head(self.blocks(self.embedding(tokens), mask=self.mask, is_causal=True))
        return logits


def transformer_loss(model: nn.Module) -> Tensor:
    """Next-symbol loss on 16 sequences of 64 random symbols."""
    tokens = torch.randint(256, (16, 65))
    return nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())


def mlp() -> nn.Module:
    """64 → 128 → 128 → 10."""
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))


def mlp_loss(model: nn.Module) -> Tensor:
    """Cross-entropy on 64 random examples."""
    return nn.functional.cross_entropy(model(torch.randn(64, 64)), torch.randint(10, (64,)))


class Training:
    """A training that can be gone on with, watched or not."""

    def __init__(
        self,
        build: Callable[[], nn.Module],
        loss_of: Callable[[nn.Module], Tensor],
        schedule: Schedule | None,
        store: Path,
    ) -> None:
        torch.manual_seed(0)
        self._model = build()
        self._loss_of = loss_of
        self._optimizer = torch.optim.AdamW(self._model.parameters(), lr=1e-3)
        self._scope: Scope | None = None
        if schedule is not None:
            self._scope = watch(self._model, self._optimizer, store=store, schedule=schedule)

    def go_on(self) -> float:
        """CPU milliseconds per step of one turn."""
        started = time.process_time()
        for _ in range(TURN):
            loss = self._loss_of(self._model)
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            if self._scope is not None:
                self._scope.log(loss=loss)
        return (time.process_time() - started) / TURN * 1e3

    def enter(self) -> float:
        """CPU milliseconds of entering the scope."""
        started = time.process_time()
        if self._scope is not None:
            self._scope.__enter__()
        return (time.process_time() - started) * 1e3

    def leave(self) -> float:
        """CPU milliseconds of leaving the scope."""
        started = time.process_time()
        if self._scope is not None:
            self._scope.__exit__(None, None, None)
        return (time.process_time() - started) * 1e3


def median_interval(values: np.ndarray) -> list[float]:
    """95 % interval of the median from order statistics: exact for any distribution."""
    rank = int(binom.ppf(0.025, len(values), 0.5))
    ordered = np.sort(values)
    return [float(ordered[max(rank - 1, 0)]), float(ordered[min(len(values) - rank, len(values) - 1)])]


def measure(build: Callable[[], nn.Module], loss_of: Callable[[nn.Module], Tensor], n_pairs: int) -> dict[str, object]:
    """Costs of one workload."""
    with tempfile.TemporaryDirectory() as store:
        trainings = {arm: Training(build, loss_of, schedule, Path(store)) for arm, schedule in ARMS.items()}
        once = {arm: training.enter() for arm, training in trainings.items()}
        turns: dict[str, list[float]] = {arm: [] for arm in ARMS}
        for pair in range(-WARM_UP, n_pairs):
            arms = list(ARMS)
            for arm in arms[pair % 3 :] + arms[: pair % 3]:
                spent = trainings[arm].go_on()
                if pair >= 0:
                    turns[arm].append(spent)
        for arm, training in trainings.items():
            once[arm] += training.leave()
    bare = np.array(turns["bare"])
    entry: dict[str, object] = {
        "n_parameters": sum(parameter.numel() for parameter in build().parameters()),
        "n_pairs": n_pairs,
        "bare_cpu_ms_per_step": float(np.median(bare)),
    }
    for arm in list(ARMS)[1:]:
        watched = np.array(turns[arm])
        entry[arm] = {
            "overhead_median": float(np.median(watched / bare - 1)),
            "overhead_interval": median_interval(watched / bare - 1),
            "added_cpu_ms_per_step_median": float(np.median(watched - bare)),
            "added_cpu_ms_per_step_interval": median_interval(watched - bare),
            "enter_and_leave_cpu_ms": once[arm],
        }
    return entry


def main() -> None:
    """Measure the workloads and write the JSON."""
    torch.set_num_threads(1)
    report: dict[str, object] = {
        "environment": describe_environment(threads=1, device="cpu"),
        "steps_per_turn": TURN,
        "transformer": measure(ByteTransformer, transformer_loss, n_pairs=60),
        "mlp": measure(mlp, mlp_loss, n_pairs=400),
    }
    text = json.dumps(report, indent=2) + "\n"
    print(text)
    (Path(__file__).resolve().parents[1] / "results" / "watch_overhead.json").write_text(text)


if __name__ == "__main__":
    main()
