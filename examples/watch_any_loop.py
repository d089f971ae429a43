"""Watch an ordinary training loop: a network stares at a sparse parity for a while, and then sees it.

The label is the product of 3 among 24 signs. The loss lies at chance (0.69) for a hundred steps and then falls at once;
gradient and updates shrink before, peak at the fall, and the weights start to grow.

    python examples/watch_any_loop.py [STORE]     a few seconds on one core
"""

import sys
import tempfile

import numpy as np
import torch
from torch import nn

import phasescope as ps
from phasescope.recorders.schedules import every

N_BITS, N_RELEVANT, N_STEPS = 24, 3, 600


def main() -> None:
    store = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="phasescope-")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(N_BITS, 256), nn.ReLU(), nn.Linear(256, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)

    with ps.watch(model, optimizer, store=store, schedule=every(5), study="parity", seed=0) as scope:
        for _ in range(N_STEPS):
            signs = torch.randint(2, (256, N_BITS)).float() * 2 - 1
            label = signs[:, :N_RELEVANT].prod(dim=1)
            output = model(signs).squeeze(1)
            loss = nn.functional.softplus(-label * output).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scope.log(loss=loss, accuracy=(output * label > 0).float().mean())

    run = ps.open_run(store, scope.run_id)
    names = ["train/loss", "train/accuracy", "gradient_norm", "weight_norm", "update_ratio"]
    curves = [run.series(name) for name in names]
    print(f"{'step':>5}" + "".join(f"{name:>16}" for name in names))
    for step in range(50, N_STEPS + 1, 50):
        window = [c.values[(c.steps > step - 50) & (c.steps <= step)].mean() for c in curves]
        print(f"{step:>5}" + "".join(f"{value:>16.4f}" for value in window))
    accuracy, gradient = curves[1], curves[2]
    seen = int(accuracy.steps[np.argmax(accuracy.values >= 0.9)])
    peak = int(gradient.steps[np.argmax(gradient.values)])
    print(f"accuracy first reaches 0.9 at step {seen}; the gradient is largest at step {peak}")
    print(f"run {run.id} ({run.status}) is in {store}; {scope.dropped_rows} values were lost")


if __name__ == "__main__":
    main()
