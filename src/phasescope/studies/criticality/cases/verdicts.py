"""How often the verdict says critical: of noise and networks without structure, and of systems that are critical."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phasescope.measures.activation_avalanches import separating_level
from phasescope.measures.avalanches import Avalanches
from phasescope.measures.criticality import CALLED_CRITICAL, TOO_LITTLE, criticality
from phasescope.measures.surrogates import ornstein_uhlenbeck, poisson_matched, time_shuffled
from phasescope.studies.criticality.calibration import DecisionCase
from phasescope.studies.criticality.network import NetworkAvalanches, judged_activations, network_avalanches, shuffled
from phasescope.synthetic.branching import branching_process
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import galton_watson

TRIALS = 100
FALSE_ALARMS = 0.05  # called critical, at most, where nothing is
MEAN_SILENCE = 5.0  # bins
N_UNITS = 20
_WIDTHS = (16, 32, 64, 128)
_THRESHOLDS = (1.0, 1.5, 2.0, 2.5, 3.0)


def galton_watson_verdict(rng: np.random.Generator) -> str:
    """6,000 critical trees, one after the other, their events scattered over units."""
    trees = galton_watson(6_000, max_generations=10_000, profiles=True, rng=rng)
    return _verdict(scattered(in_time(trees, rng=rng), rng=rng), rng=rng)


def branching_verdict(rng: np.random.Generator) -> str:
    """Branching that is driven every hundredth bin, and remembers 10,000 bins."""
    return _verdict(branching_process(ratio=0.9999, drive=0.01, n_bins=500_000, rng=rng), rng=rng)


def directed_sandpile_verdict(rng: np.random.Generator) -> str:
    """About 30,000 avalanches on 1,024 rows, one after the other."""
    return _verdict(in_time(directed_sandpile(1_024, n_grains=60_000, profiles=True, rng=rng), rng=rng), rng=rng)


def poisson_verdict(rng: np.random.Generator) -> str:
    """Independent events with the rates of a driven branching process, on units of unequal share."""
    activity = branching_process(ratio=0.99, drive=float(rng.uniform(0.002, 0.02)), n_bins=100_000, rng=rng)
    shares = rng.dirichlet(np.ones(N_UNITS))
    return _verdict(poisson_matched(scattered(activity, shares=shares, rng=rng), rng=rng), rng=rng)


def ornstein_uhlenbeck_verdict(rng: np.random.Generator) -> str:
    """Excursions above a threshold, with correlation times between 10 and 1,000 bins."""
    noise = ornstein_uhlenbeck(150_000, correlation_time=10 ** rng.uniform(1, 3), rng=rng)
    return _verdict(noise, threshold=float(rng.choice([0.0, 0.5, 1.0, 1.5])), rng=rng)


def ornstein_uhlenbeck_units_verdict(rng: np.random.Generator) -> str:
    """Units that fire where noise of their own exceeds a threshold."""
    n_units = int(rng.integers(1, 11))
    units = [ornstein_uhlenbeck(100_000, correlation_time=10 ** rng.uniform(1, 3), rng=rng) for _ in range(n_units)]
    return _verdict(np.stack(units) > rng.choice([1.5, 2.0, 2.5]), rng=rng)


def ornstein_uhlenbeck_rate_verdict(rng: np.random.Generator) -> str:
    """Poisson events whose rate is such noise where it is positive."""
    rate = ornstein_uhlenbeck(100_000, correlation_time=10 ** rng.uniform(1, 3), rng=rng)
    return _verdict(rng.poisson(np.maximum(rate, 0) * 10 ** rng.uniform(-0.5, 1)), rng=rng)


def untrained_mlp_verdict(rng: np.random.Generator) -> str:
    """Ten layers at random initialization, on rows without order."""
    width, n_layers = int(rng.choice(_WIDTHS)), 10
    model = _mlp([8, *[width] * n_layers], rng, tanh=bool(rng.random() < 0.5))
    names = [str(2 * layer + 1) for layer in range(n_layers)]
    rows = [torch.from_numpy(rng.standard_normal((1_000, 8), dtype=np.float32)) for _ in range(20)]
    return _of_network(
        network_avalanches(model, rows, names, threshold=float(rng.choice(_THRESHOLDS)), scan=False, rng=rng)
    )


def untrained_mlp_on_bursts_verdict(rng: np.random.Generator) -> str:
    """The same, where the rows are Ornstein–Uhlenbeck noise: the stream remembers, the network does not."""
    width, n_layers = int(rng.choice(_WIDTHS)), 4
    model = _mlp([8, *[width] * n_layers], rng, tanh=bool(rng.random() < 0.5))
    names = [str(2 * layer + 1) for layer in range(n_layers)]
    memory = 10 ** rng.uniform(1, 3)
    noise = np.stack([ornstein_uhlenbeck(30_000, correlation_time=memory, rng=rng) for _ in range(8)], axis=1)
    rows = torch.from_numpy(noise.astype(np.float32)).split(1_000)
    return _of_network(
        network_avalanches(model, rows, names, threshold=float(rng.choice(_THRESHOLDS)), scan=False, rng=rng)
    )


def untrained_transformer_verdict(rng: np.random.Generator) -> str:
    """Four causal blocks at random initialization, on random tokens."""
    width, n_blocks = int(rng.choice(_WIDTHS)), 4
    model = _Transformer(width, n_blocks, rng)
    names = [f"blocks.{block}" for block in range(n_blocks)]
    tokens = [torch.from_numpy(rng.integers(50, size=(16, 64))) for _ in range(12)]
    return _of_network(
        network_avalanches(model, tokens, names, threshold=float(rng.choice(_THRESHOLDS)), scan=False, rng=rng)
    )


def shuffled_activations_verdict(rng: np.random.Generator) -> str:
    """A network that was trained to continue critical activity, its activations at tokens in random order."""
    layers = trained_activations(rng)
    together = bool(rng.random() < 0.5)
    return _of_network(
        judged_activations(
            shuffled(layers, jointly=together, rng=rng), threshold=float(rng.choice(_THRESHOLDS)), rng=rng
        )
    )


def shuffled_events_verdict(rng: np.random.Generator) -> str:
    """Critical trees in time whose bins are in random order, all units alike or each on its own."""
    trees = galton_watson(6_000, max_generations=10_000, profiles=True, rng=rng)
    events = scattered(in_time(trees, rng=rng), rng=rng)
    mixed = time_shuffled(events, jointly=bool(rng.random() < 0.5), rng=rng)
    return _verdict(mixed, threshold=separating_level(mixed.sum(axis=0)) or None, rng=rng)


_NULLS: dict[str, tuple[Callable[[np.random.Generator], str], str]] = {
    "verdict/untrained MLP": (untrained_mlp_verdict, "MLPs at random initialization, independent rows"),
    "verdict/untrained MLP, input with memory": (
        untrained_mlp_on_bursts_verdict,
        "MLPs at random initialization, Ornstein–Uhlenbeck rows",
    ),
    "verdict/untrained transformer": (untrained_transformer_verdict, "causal transformers at random initialization"),
    "verdict/shuffled activations": (shuffled_activations_verdict, "activations of a trained network, shuffled"),
    "verdict/shuffled events": (shuffled_events_verdict, "critical Galton–Watson trees in time, bins shuffled"),
    "verdict/Poisson raster": (poisson_verdict, "independent events with the rates of a branching process"),
    "verdict/Ornstein–Uhlenbeck": (ornstein_uhlenbeck_verdict, "excursions of Ornstein–Uhlenbeck noise"),
    "verdict/Ornstein–Uhlenbeck units": (
        ornstein_uhlenbeck_units_verdict,
        "units that fire where their Ornstein–Uhlenbeck noise exceeds a threshold",
    ),
    "verdict/Ornstein–Uhlenbeck rate": (
        ornstein_uhlenbeck_rate_verdict,
        "Poisson events with an Ornstein–Uhlenbeck rate, rectified",
    ),
}
_CRITICAL: dict[str, tuple[Callable[[np.random.Generator], str], str]] = {
    "verdict/Galton–Watson": (galton_watson_verdict, "6,000 critical trees in time, on 20 units"),
    "verdict/driven branching": (branching_verdict, "branching with ratio 0.9999, driven every 100th bin"),
    "verdict/directed sandpile": (
        directed_sandpile_verdict,
        "30,000 avalanches of the directed sandpile on 1,024 rows, in time",
    ),
}
VERDICT_OF = {name: decide for name, (decide, _) in (_NULLS | _CRITICAL).items()}


def called_critical(verdict: str) -> bool:
    """Whether a verdict says critical, with or without a cut-off."""
    return verdict in CALLED_CRITICAL


def in_time(found: Avalanches, *, mean_silence: float = MEAN_SILENCE, rng: np.random.Generator) -> NDArray[np.int64]:
    """Avalanches one after the other on one axis, with silences whose lengths have no memory.

    Args:
        found: Avalanches with profiles in whole numbers.
        mean_silence: Of the geometric law of the silences, in bins.
        rng: Source of randomness.

    Returns:
        Events per bin.
    """
    lengths = np.diff(found.offsets)
    gaps = rng.geometric(1 / mean_silence, size=lengths.size + 1)
    starts = np.cumsum(gaps[:-1]) + found.offsets[:-1]
    record = np.zeros(int(gaps.sum() + lengths.sum()), dtype=np.int64)
    record[np.repeat(starts - found.offsets[:-1], lengths) + np.arange(found.offsets[-1])] = found.profiles
    return record


def scattered(
    activity: NDArray[np.int64], *, shares: NDArray[np.float64] | None = None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Events of each bin, scattered over units: shape `(n_units, n_bins)`."""
    return rng.multinomial(activity, np.full(N_UNITS, 1 / N_UNITS) if shares is None else shares).T


def trained_activations(rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Activations of an MLP that was trained to continue the activity of critical trees, on that activity."""
    trees = galton_watson(3_000, max_generations=2_000, profiles=True, rng=rng)
    signal = np.log1p(in_time(trees, rng=rng)[:30_000]).astype(np.float32)
    past = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(signal, 8)[:-1].copy())
    following = torch.from_numpy(signal[8:, None].copy())
    width = int(rng.choice(_WIDTHS))
    model = nn.Sequential(*list(_mlp([8, width, width, width, 1], rng))[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(200):
        places = torch.from_numpy(rng.integers(len(past), size=256))
        loss = (model(past[places]) - following[places]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    layers, stream = [], past
    with torch.no_grad():
        for module in model:
            stream = module(stream)
            if isinstance(module, nn.ReLU):
                layers.append(stream.numpy())
    return layers


class _Transformer(nn.Module):
    """Embedding, position and causal blocks of PyTorch."""

    def __init__(self, width: int, n_blocks: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, width)
        self.position = nn.Embedding(64, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(n_blocks)
        )
        _initialize(self, rng)

    def forward(self, tokens: Tensor) -> Tensor:
        n = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(n)
        stream: Tensor = self.embedding(tokens) + self.position(torch.arange(n))
        for block in self.blocks:
            stream = block(stream, src_mask=mask, is_causal=True)
        return stream


def _mlp(sizes: list[int], rng: np.random.Generator, *, tanh: bool = False) -> nn.Sequential:
    modules: list[nn.Module] = []
    for before, after in pairwise(sizes):
        modules += [nn.Linear(before, after), nn.Tanh() if tanh else nn.ReLU()]
    model = nn.Sequential(*modules)
    _initialize(model, rng, gain=1.0 if tanh else 2.0)
    return model


def _initialize(model: nn.Module, rng: np.random.Generator, *, gain: float = 1.0) -> None:
    """Draw all matrices from N(0, gain/fan_in), vectors zero or, of normalizations, one; torch's own state stays."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                values = rng.standard_normal(tuple(parameter.shape), dtype=np.float32)
                parameter.copy_(torch.from_numpy(values) * (gain / parameter.shape[-1]) ** 0.5)
            else:
                parameter.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)


def _of_network(found: NetworkAvalanches) -> str:
    """The verdict over tokens, unless only that over depth says critical."""
    verdicts = [found.over_tokens.verdict] + ([] if found.over_depth is None else [found.over_depth.verdict])
    return next((one for one in verdicts if one in CALLED_CRITICAL), verdicts[0])


def _verdict(record: NDArray[Any], *, threshold: float | None = None, rng: np.random.Generator) -> str:
    """Of a record; one without avalanches has too little data."""
    try:
        return criticality(record, threshold=threshold, rng=rng).verdict
    except ValueError:
        return TOO_LITTLE


def _case(name: str, system: str, decide: Callable[[np.random.Generator], str], *, is_true: bool) -> DecisionCase:
    return DecisionCase(
        name=name,
        system=system,
        decision="called critical",
        is_true=is_true,
        bound=None if is_true else FALSE_ALARMS,
        decide=lambda rng: called_critical(decide(rng)),
        trials=TRIALS,
    )


CASES = tuple(
    _case(name, system, decide, is_true=name in _CRITICAL) for name, (decide, system) in (_NULLS | _CRITICAL).items()
)
