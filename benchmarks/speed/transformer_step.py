"""One full-batch step of the p = 113 transformer: tabulated last position against the textbook form, side by side.

The textbook form computes all three positions of every row with autograd and torch.optim.AdamW, as published code does.
Both start from the same parameters; their losses are compared too.

    python benchmarks/speed/transformer_step.py     writes benchmarks/results/transformer_step.json; 30 CPU-seconds
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from phasescope.store.environment import describe_environment
from phasescope.studies.grokking.benches import bench
from phasescope.training.ensemble import Ensemble
from phasescope.training.threads import keep_freed_memory, pin_threads

N_STEPS = 40


class Textbook:
    """All positions, heads as a batch axis, causal mask, float32, log-softmax in float64 as published."""

    def __init__(self, ensemble: Ensemble) -> None:
        self.w = {name: value[0].clone().requires_grad_() for name, value in ensemble.parameters.items()}
        run, training = ensemble.runs[0], ensemble.training
        self.optimizer = torch.optim.AdamW(
            self.w.values(), lr=run.learning_rate, betas=training.betas, weight_decay=run.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min(1.0, (step + 1) / training.warmup)
        )
        task = ensemble.task
        train = np.flatnonzero(ensemble.data[0].subsets["train"])
        equals = np.full(len(train), task.modulus)
        self.tokens = torch.from_numpy(np.stack([task.left[train], task.right[train], equals], axis=1))
        self.labels = torch.from_numpy(task.labels[train])
        self.n_heads = 4

    def loss(self) -> Tensor:
        """Cross-entropy of the answer at the last position."""
        w = self.w
        stream = w["embedding"][self.tokens] + w["position"]
        n, length, dim = stream.shape
        q, k, v = ((stream @ w[x]).view(n, length, self.n_heads, -1).transpose(1, 2) for x in ("query", "key", "value"))
        mask = torch.triu(torch.full((length, length), -torch.inf), diagonal=1)
        attention = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(dim / self.n_heads) + mask, dim=-1)
        stream = stream + (attention @ v).transpose(1, 2).reshape(n, length, dim) @ w["attention_output"]
        hidden = torch.relu(stream @ w["mlp_in"] + w["mlp_in_bias"])
        stream = stream + hidden @ w["mlp_out"] + w["mlp_out_bias"]
        logits = (stream @ w["unembedding"])[:, -1]
        return torch.nn.functional.cross_entropy(logits.double(), self.labels)

    def step(self) -> float:
        """One step; returns the loss before it."""
        loss = self.loss()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()


def cpu_ms(step: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    start = time.process_time()
    step()
    return (time.process_time() - start) * 1e3


def main() -> None:
    """Alternate the two forms and write the JSON."""
    pin_threads(1)
    keep_freed_memory()
    chosen = bench("P113")
    ours = Ensemble(chosen.training, [chosen.run(0)])
    theirs = Textbook(ours)
    drift = 0.0
    times: dict[str, list[float]] = {"tabulated": [], "textbook": []}
    for _ in range(N_STEPS):
        seen: dict[str, float] = {}
        times["tabulated"].append(cpu_ms(lambda seen=seen: seen.update(ours=ours.step().item())))
        times["textbook"].append(cpu_ms(lambda seen=seen: seen.update(theirs=theirs.step())))
        drift = max(drift, abs(seen["ours"] / seen["theirs"] - 1))
    warm = {name: np.array(values[5:]) for name, values in times.items()}
    document = {
        "environment": describe_environment(threads=1, device="cpu"),
        "n_steps": N_STEPS,
        "cpu_ms_median": {name: float(np.median(values)) for name, values in warm.items()},
        "cpu_ms_mean": {name: float(values.mean()) for name, values in warm.items()},
        "cpu_ms_best": {name: float(values.min()) for name, values in warm.items()},
        "gain_median": float(np.median(warm["textbook"]) / np.median(warm["tabulated"])),
        "largest_relative_difference_of_losses": drift,
    }
    print(json.dumps(document, indent=2))
    path = Path(__file__).parent.parent / "results" / "transformer_step.json"
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
