"""The sandpile study: drive a pile, read its avalanches, and record both."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasescope.errors import unknown_name
from phasescope.measures.avalanches import Avalanches
from phasescope.store.runs import create_recording
from phasescope.studies.criticality.reading import N_BOOTSTRAP, AvalancheReading, read_avalanches, record_reading
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.lattice import Boundary
from phasescope.synthetic.manna import manna_sandpile
from phasescope.synthetic.neural_sandpile import neural_sandpile
from phasescope.synthetic.sandpile import Drive, SandpileRun, sandpile
from phasescope.synthetic.sandpile_group import identity, mean_topplings
from phasescope.synthetic.watching import Watch

STUDY = "sandpile"
MOST_PROFILE_BINS = 20_000_000  # of the avalanches whose profiles are kept for the collapse
LARGEST_IDENTITY = 256  # side of the lattice; the relaxation takes some seconds there, and L⁴ beyond

#: Name → what it is, and the settings that mean something to it besides size and grains.
MODELS: dict[str, tuple[str, frozenset[str]]] = {
    "btw": (
        "Abelian sandpile of Bak, Tang and Wiesenfeld",
        frozenset({"dimension", "boundary", "dissipation", "drive"}),
    ),
    "manna": ("Manna sandpile, whose topplings are random", frozenset({"dimension"})),
    "directed": ("directed sandpile of Dhar and Ramaswamy", frozenset()),
    "neural": ("neural sandpile as published, which loses stress at every toppling", frozenset()),
    "neural-conservative": ("neural sandpile, made conservative", frozenset()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandpileSettings:
    """What is simulated."""

    model: str = "btw"
    size: int = 64  # linear size L, rows of the directed sandpile, sites of a neural one
    grains: int = 200_000  # recorded; a warm-up comes before
    dimension: int = 2
    boundary: Boundary = "open"
    dissipation: int = 0  # grains lost at every toppling
    drive: Drive = "uniform"

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(unknown_name("model", self.model, MODELS))
        _, used = MODELS[self.model]
        for field in dataclasses.fields(self):
            if field.name in {"model", "size", "grains"} | used or getattr(self, field.name) == field.default:
                continue
            raise ValueError(f"{field.name} means nothing to the {self.model} model; leave it out, or take model btw")

    @property
    def exact_mean(self) -> float | None:
        """Exact mean topplings per grain, where it is known."""
        plain = self.model == "btw" and self.boundary == "open" and self.dissipation == 0 and self.drive == "uniform"
        return mean_topplings(self.size, dimension=self.dimension) if plain else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandpileStudy:
    """What a study found, and the run it is recorded in."""

    run_id: str
    mean_topplings: float  # per grain
    mean_topplings_interval: tuple[float, float]
    topplings_per_second: float  # CPU seconds of the simulation, warm-up included
    reading: AvalancheReading


def sandpile_study(
    store: Path | str,
    settings: SandpileSettings,
    *,
    seed: int = 0,
    n_bootstrap: int = N_BOOTSTRAP,
    watch: Watch | None = None,
) -> SandpileStudy:
    """Simulate a sandpile, read its avalanches, and record lattice, avalanches and results.

    Args:
        store: Where the recording goes.
        settings: What is simulated.
        seed: Start of all randomness.
        n_bootstrap: Refits behind the power-law fit.
        watch: Called now and then with the number of grains dropped so far and the sizes they caused.

    Returns:
        The results and the id of the run.

    Raises:
        ValueError: If a setting is out of its range.
        StoreError: If the store cannot be written.
    """
    rng = np.random.default_rng(seed)
    config = dataclasses.asdict(settings) | {"n_bootstrap": n_bootstrap}
    _simulate(dataclasses.replace(settings, size=4, grains=10), None, np.random.default_rng(0))  # compiled, not timed
    with create_recording(store, study=STUDY, config=config, runs=[{"seed": seed}], threads=1) as recording:
        recording.describe("sandpile/mean_topplings", "topplings per grain")
        recording.describe("sandpile/largest_avalanche", "topplings")

        looking = 0.0  # CPU seconds of the observer, which are not the simulation's

        def follow(n: int, sizes: NDArray[np.int64]) -> None:
            nonlocal looking
            began = time.process_time()
            values = {
                "sandpile/mean_topplings": float(sizes.mean()),
                "sandpile/largest_avalanche": float(sizes.max()),
            }
            recording.append(0, n, values)
            if watch is not None:
                watch(n, sizes)
            looking += time.process_time() - began

        started = time.process_time()
        found = _simulate(settings, follow, rng)
        speed = found.total_topplings / max(time.process_time() - started - looking, 1e-9)
        reading = read_avalanches(found.avalanches, profiled=found.profiled, n_bootstrap=n_bootstrap, rng=rng)
        record_reading(recording, 0, reading, step=settings.grains)
        summary = {
            "mean_topplings": found.mean,
            "mean_topplings_interval": list(found.interval),
            "exact_mean_topplings": settings.exact_mean,
            "topplings_per_second": speed,
            "total_topplings": found.total_topplings,
            "n_avalanches": len(found.avalanches),
            "caveats": [],
        }
        recording.write_result(0, "sandpile", summary)
        if found.heights.size > 1:
            recording.write_array(0, "sandpile/heights", settings.grains, found.heights)
        if settings.model == "btw" and settings.dimension == 2 and settings.size <= LARGEST_IDENTITY:
            element = identity((settings.size,) * 2)
            recording.write_array(0, "sandpile/identity", settings.grains, element.astype(np.int8))
    return SandpileStudy(
        run_id=recording.run_ids[0],
        mean_topplings=found.mean,
        mean_topplings_interval=found.interval,
        topplings_per_second=speed,
        reading=reading,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Simulated:
    avalanches: Avalanches
    profiled: Avalanches | None  # avalanches of the same system with profiles, where the model keeps them
    mean: float
    interval: tuple[float, float]
    heights: NDArray[np.int32]  # empty where the lattice is never simulated
    total_topplings: int


def _simulate(settings: SandpileSettings, watch: Watch | None, rng: np.random.Generator) -> _Simulated:
    size, grains = settings.size, settings.grains
    if settings.model == "directed":
        return _directed(size, grains, watch, rng)
    if settings.model == "btw":
        return _btw(settings, watch, rng)
    if settings.model == "manna":
        return _of(manna_sandpile(size, n_grains=grains, dimension=settings.dimension, watch=watch, rng=rng))
    conservative = settings.model == "neural-conservative"
    return _of(neural_sandpile(size, n_drives=grains, conservative=conservative, watch=watch, rng=rng))


def _of(run: SandpileRun, profiled: Avalanches | None = None) -> _Simulated:
    return _Simulated(
        avalanches=run.avalanches,
        profiled=profiled,
        mean=run.estimate,
        interval=run.interval,
        heights=run.heights,
        total_topplings=run.total_topplings,
    )


def _btw(settings: SandpileSettings, watch: Watch | None, rng: np.random.Generator) -> _Simulated:
    drop = partial(
        sandpile,
        settings.size,
        dimension=settings.dimension,
        boundary=settings.boundary,
        dissipation=settings.dissipation,
        drive=settings.drive,
        rng=rng,
    )
    run = drop(n_grains=settings.grains, watch=watch)
    per_grain = float(run.avalanches.durations.sum()) / settings.grains
    n_profiled = max(1, min(settings.grains, int(MOST_PROFILE_BINS / max(per_grain, 1e-9))))
    return _of(run, drop(n_grains=n_profiled, heights=run.heights, profiles=True).avalanches)


def _directed(size: int, grains: int, watch: Watch | None, rng: np.random.Generator) -> _Simulated:
    found = directed_sandpile(size, n_grains=grains, profiles=True, rng=rng)
    if watch is not None:
        watch(grains, np.pad(found.sizes.astype(np.int64), (0, grains - len(found))))
    mean = float(found.sizes.sum()) / grains  # grains are independent: all stable states are equally likely
    error = np.sqrt(max(float((found.sizes**2).sum()) / grains - mean**2, 0.0) / grains)
    return _Simulated(
        avalanches=found,
        profiled=found,
        mean=mean,
        interval=(mean - 1.96 * error, mean + 1.96 * error),
        heights=np.empty(0, dtype=np.int32),
        total_topplings=int(found.sizes.sum()),
    )
