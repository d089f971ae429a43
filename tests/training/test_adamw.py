"""AdamW with columns against the library's.

Only this file sees: a bias correction, decay or warm-up that differs from the algorithm, and columns mixed up between
runs.
"""

import torch

from phasescope.training.adamw import StackedAdamW


def test_each_run_follows_the_librarys_adamw_with_its_own_rate_and_decay():
    generator = torch.Generator().manual_seed(0)
    rates, decays, warmup = [0.01, 0.003, 0.1], [1.0, 0.0, 0.3], 5
    start = torch.randn(3, 4, 2, generator=generator, dtype=torch.float64)
    gradients = torch.randn(20, 3, 4, 2, generator=generator, dtype=torch.float64)
    stacked = {"w": start.clone()}
    ours = StackedAdamW(
        stacked,
        learning_rate=torch.tensor(rates, dtype=torch.float64),
        weight_decay=torch.tensor(decays, dtype=torch.float64),
        betas=(0.9, 0.98),
        epsilon=1e-8,
        warmup=warmup,
    )
    for step, gradient in enumerate(gradients, start=1):
        ours.step({"w": gradient}, step)
    for run in range(3):
        alone = start[run].clone().requires_grad_()
        theirs = torch.optim.AdamW([alone], lr=rates[run], betas=(0.9, 0.98), weight_decay=decays[run])
        for step, gradient in enumerate(gradients, start=1):
            theirs.param_groups[0]["lr"] = rates[run] * min(1, step / warmup)
            alone.grad = gradient[run].clone()
            theirs.step()
        assert torch.allclose(stacked["w"][run], alone, rtol=1e-12, atol=1e-14)
