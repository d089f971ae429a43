from functools import cache

import numpy as np
import pytest

from phasescope.measures.delay import delay, generalization_step, memorization_step
from phasescope.measures.mirage import mirage
from phasescope.measures.transitions import find_transitions
from phasescope.measures.verdict import verdict
from phasescope.store.runs import create_recording

P, KEY = 23, 5
CHANCE = 1 / P


def rise(steps, midpoint, width):
    return 1 / (1 + (midpoint / np.maximum(steps, 1e-9)) ** (2 * np.log10(9) / width))


def grokking_curves(midpoint, rng, *, last=1200):
    """Accuracies and losses as a small network has them, with a little noise."""
    steps = np.unique(np.concatenate([[0], np.geomspace(1, last, 70).round()])).astype(int)
    train = CHANCE + (1 - CHANCE) * rise(steps, 20, 0.3)
    test = CHANCE + (1 - CHANCE) * rise(steps, midpoint, 0.2)
    test = np.clip(test + 0.002 * rng.standard_normal(steps.size) * (test < 0.95), 0, 1)
    loss = 3 * (1 - train) + 10.0 ** (-2 - steps / 400)
    return steps, {
        "train/accuracy": np.where(train > 0.995, 1.0, train),
        "test/accuracy": np.where(test > 0.985, 1.0, test),
        "test_mirrored/accuracy": np.clip(test + 0.02, 0, 1),
        "test_all/accuracy": test,
        "train/loss": loss,
        "test/loss": 5 * (1 - test) + 1e-4,
        "test/brier": (1 - test) ** 2,
        "test/margin": 10 * test - 5,
        "weight_norm": 30 + 20 * rise(steps, 40, 0.6),
        "logit_scale": 3 * rise(steps, 40, 0.6),
    }


@pytest.fixture
def grokking_store(tmp_path):
    """Make a store of runs that memorize and generalize at given steps; `None` never generalizes. Returns run ids."""

    def make(midpoints, *, bench="F1", role="seeds", model="mlp", judge=True, fail=False):
        config = {"bench": bench, "role": role, "operation": "add", "modulus": P, "model": model, "width": 64}
        config |= {"activation": "square", "labels": "task", "steps": 2500, "threshold": 0.99}
        runs = [
            {"seed": seed, "init_seed": seed, "split_seed": seed, "fraction": 0.5, "learning_rate": 0.01}
            for seed in range(len(midpoints))
        ]
        options = {"group": f"grok-{bench}", "threads": 1, "device": "cpu"}
        with create_recording(tmp_path, study="grokking", config=config, runs=runs, **options) as writer:
            for run, midpoint in enumerate(midpoints):
                rng = np.random.default_rng([7, run])
                steps, curves = grokking_curves(midpoint or 1e9, rng)
                for position, step in enumerate(steps):
                    writer.append(run, int(step), {name: float(values[position]) for name, values in curves.items()})
                for step in steps[::6]:
                    progress = rise(np.array([float(step)]), midpoint or 1e9, 0.2)[0]
                    angle = 2 * np.pi * KEY * np.arange(P) / P
                    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
                    plane = progress * circle + (1 - progress) * 0.5 * rng.standard_normal((P, 2))
                    power = np.ones(P // 2 + 1)
                    power[KEY] += 100 * progress
                    writer.write_array(run, "representation/plane", int(step), plane)
                    writer.write_array(run, "fourier/embedding_power", int(step), power)
                    circuit = {"fourier/restricted_loss": 3.1 * (1 - progress) + 1e-3, "fourier/key_share": progress}
                    writer.append(run, int(step), circuit)
                if judge:
                    transitions = _transitions(midpoint, run) if run < 2 and midpoint is not None else []
                    _judge(writer, run, steps, curves, transitions)
            if fail:
                writer.set_status(0, "failed", "loss is NaN")
        return writer.run_ids

    make.root = tmp_path
    return make


@cache
def _transitions(midpoint, run):
    rng = np.random.default_rng([7, run])
    steps, curves = grokking_curves(midpoint, rng)
    found = find_transitions(steps, curves["test/accuracy"], rng=rng, name="test/accuracy", n_bootstrap=99)
    return [item.to_dict() for item in found]


def _judge(writer, run, steps, curves, transitions):
    train, test = curves["train/accuracy"], curves["test/accuracy"]
    memorized, generalized = memorization_step(steps, train), generalization_step(steps, test)
    metrics = {"accuracy": test, "cross_entropy": curves["test/loss"], "brier": curves["test/brier"]}
    results = {
        "memorization": memorized.to_dict(),
        "generalization": generalized.to_dict(),
        "delay": delay(memorized, generalized).to_dict(),
        "verdict": verdict(steps, train, test, chance=CHANCE, n_test=200).to_dict(),
        "transitions": {"items": transitions},
        "mirage": mirage(steps, metrics, n_items=200).to_dict(),
        "key_frequencies": {"type": "KeyFrequencies", "keys": [KEY], "caveats": []},
        "principal_plane": {"type": "PrincipalPlane", "frequency": KEY, "null": 0.2, "caveats": []},
    }
    for name, result in results.items():
        writer.write_result(run, name, result)
