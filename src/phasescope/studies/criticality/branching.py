"""The branching study: one ratio, seen in a driven process, whole and in part, and in single trees."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.branching import BranchingRatio, branching_ratio
from phasescope.store.runs import create_recording
from phasescope.store.writer import RecordingWriter
from phasescope.studies.criticality.reading import N_BOOTSTRAP, AvalancheReading, read_avalanches, record_reading
from phasescope.synthetic.branching import branching_process, subsampled, subsampled_amplitude
from phasescope.synthetic.galton_watson import Offspring, galton_watson, mean_size_of_duration, progeny_probability

STUDY = "branching"
MAX_TREE = 10_000_000  # individuals; larger trees are cut and censored
N_SHOWN = 2_000  # bins of the activity that the report draws
N_EXACT_DURATIONS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchingSettings:
    """What is simulated."""

    ratio: float = 0.98  # m, mean number of events that one event causes
    drive: float = 10.0  # mean number of events from outside, per bin
    bins: int = 200_000
    sampling: tuple[float, ...] = (1.0, 0.1, 0.01)  # shares of the events that are seen
    trees: int = 50_000
    offspring: Offspring = "poisson"
    max_generations: int = 3_000  # of a tree; longer ones are cut and censored

    def __post_init__(self) -> None:
        if not self.sampling or not all(0 < share <= 1 for share in self.sampling):
            raise ValueError(f"sampling is the share of events seen, in (0, 1]; got {self.sampling}")
        if len(set(self.sampling)) < len(self.sampling):
            raise ValueError(f"every share of events is named once; got {self.sampling}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What multistep regression finds where a share of the events is seen."""

    share: float
    result: BranchingRatio | None  # None where m is undefined, for the reason given
    reason: str
    expected_naive: float  # b·m exactly: what the first lag alone says in the long run


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchingStudy:
    """What a study found, and the run it is recorded in."""

    run_id: str
    sampled: tuple[Sampled, ...]  # none for a ratio of 1 or more, which has no stationary activity
    reading: AvalancheReading  # of the trees


def branching_study(
    store: Path | str, settings: BranchingSettings, *, seed: int = 0, n_bootstrap: int = N_BOOTSTRAP
) -> BranchingStudy:
    """Simulate a branching process, measure its ratio whole and subsampled, read its trees, and record all.

    Args:
        store: Where the recording goes.
        settings: What is simulated.
        seed: Start of all randomness.
        n_bootstrap: Refits behind the power-law fit of the tree sizes.

    Returns:
        The results and the id of the run.

    Raises:
        ValueError: If a setting is out of its range.
        StoreError: If the store cannot be written.
    """
    rng = np.random.default_rng(seed)
    trees = galton_watson(
        settings.trees,
        ratio=settings.ratio,
        offspring=settings.offspring,
        max_generations=settings.max_generations,
        max_size=MAX_TREE,
        profiles=True,
        rng=rng,
    )
    activity = None
    if settings.ratio < 1:
        activity = branching_process(ratio=settings.ratio, drive=settings.drive, n_bins=settings.bins, rng=rng)
    config = dataclasses.asdict(settings) | {"n_bootstrap": n_bootstrap}
    with create_recording(store, study=STUDY, config=config, runs=[{"seed": seed}], threads=1) as recording:
        sampled = () if activity is None else _sampled(recording, activity, settings, rng)
        reading = read_avalanches(trees, n_bootstrap=n_bootstrap, rng=rng)
        record_reading(recording, 0, reading, step=settings.trees)
        _record_exact(recording, settings, float(trees.sizes.max()))
    return BranchingStudy(run_id=recording.run_ids[0], sampled=sampled, reading=reading)


def _sampled(
    recording: RecordingWriter, activity: NDArray[np.int64], settings: BranchingSettings, rng: np.random.Generator
) -> tuple[Sampled, ...]:
    """Estimate m from every share of the events, and record the estimates and the beginning of what was seen."""
    found = []
    for place, share in enumerate(settings.sampling):
        seen = activity if share == 1 else subsampled(activity, probability=share, rng=rng)
        recording.write_array(0, "branching/activity", place, seen[:N_SHOWN].astype(np.int32))
        result, reason = None, ""
        try:
            result = branching_ratio(seen, rng=rng)
        except ValueError as error:
            reason = str(error)
        expected = settings.ratio * subsampled_amplitude(settings.ratio, share)
        found.append(Sampled(share=share, result=result, reason=reason, expected_naive=expected))
    items = [
        {
            "share": one.share,
            "reason": one.reason,
            "expected_naive": one.expected_naive,
            "result": None if one.result is None else one.result.to_dict(),
        }
        for one in found
    ]
    recording.write_result(0, "sampled", {"items": items, "caveats": []})
    return tuple(found)


def _record_exact(recording: RecordingWriter, settings: BranchingSettings, largest: float) -> None:
    """The exact law of tree sizes, and the exact mean size of a tree of given duration."""
    sizes = np.unique(np.round(np.geomspace(1, max(largest, 2), 200)))
    law = progeny_probability(sizes, ratio=settings.ratio, offspring=settings.offspring)
    recording.write_array(0, "exact/size_probability", settings.trees, np.stack([sizes, law], axis=1))
    t = np.arange(1, min(settings.max_generations, N_EXACT_DURATIONS) + 1)
    means = mean_size_of_duration(t.size, ratio=settings.ratio, offspring=settings.offspring)
    recording.write_array(0, "exact/mean_size", settings.trees, np.stack([t, means], axis=1).astype(np.float64))
