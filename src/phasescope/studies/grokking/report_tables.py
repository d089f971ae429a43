"""The end of the grokking report: every network in a table, the caveats, and how to get the numbers again."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from phasescope.reports.document import Code, Listing, Row, Section
from phasescope.reports.provenance import environment_table, settings_table
from phasescope.reports.tables import Table
from phasescope.store.runs import Run
from phasescope.studies.grokking.benches import BENCHES, Bench
from phasescope.studies.grokking.options import RUN, TRAINING
from phasescope.studies.grokking.recorded import Recorded

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
STANDING = (
    "One curve is one seed; where seeds share an initialization or a split, the settings below say so. Otherwise both "
    "change with the seed, and the spread is over both.",
    "A step is known only between two evaluations; they are spaced on logarithmic time, closer where accuracy moves.",
    "Intervals of medians are over these seeds at these settings; another learning rate or weight decay sets another "
    "clock.",
)


def table_section(runs: Sequence[Recorded]) -> Section:
    """Every network with its figures, its verdict and the reason for it."""
    columns = (
        "run",
        "seed",
        "memorization step",
        "generalization step",
        "last crossing",
        "delay",
        "train accuracy, end",
        "test accuracy, end",
        "all test rows, end",
        "verdict",
    )
    rows = [
        (
            run.run.id,
            run.run.seed,
            run.memorization,
            run.generalization,
            run.results.get("generalization", {}).get("last"),
            run.delay,
            run.last("train/accuracy"),
            run.last("test/accuracy"),
            run.last("test_all/accuracy"),
            str(run.verdict or "–").replace("_", "-"),
        )
        for run in runs
    ]
    reasons = [
        (
            run.run.id,
            str(run.run.config.get("bench", "")),
            run.run.status,
            str(run.results.get("verdict", {}).get("reason") or run.run.message or "not judged"),
        )
        for run in runs
    ]
    return Section(
        title="Every network",
        blocks=[
            "An empty step was not reached while the network was trained. The last crossing differs from the "
            "generalization step where a network fell back and came again.",
            Table(columns=columns, rows=rows),
            "Why each verdict:",
            Table(columns=("run", "bench", "status", "reason"), rows=reasons),
        ],
    )


def caveats_section(runs: Sequence[Recorded]) -> Section:
    """What the results themselves say against them, each sentence once with the runs it is about."""
    found: dict[str, list[tuple[str, str]]] = {}
    for run in runs:
        for name, result in run.results.items():
            for sentence in _caveats(name, result):
                found.setdefault(NUMBER.sub("#", sentence), []).append((run.label, sentence))
    items = [_merged(sentences, len(runs)) for sentences in found.values()]
    for run in runs:
        if run.run.status != "finished":
            message = f" ({run.run.message})" if run.run.message else ""
            items.append(f"{run.label} is {run.run.status} at step {run.run.steps}{message}; its curves end there.")
    return Section(title="Caveats", blocks=[Listing(items=[*STANDING, *items])])


def reproduce_section(runs: Sequence[Recorded]) -> Section:
    """The command, and the versions, device and settings of every recording."""
    seeds = [run for run in runs if not run.is_circuit]
    circuits = [run for run in runs if run.is_circuit]
    first = (seeds or circuits)[0].run
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(str(run.run.config.get("bench", run.run.id)), []).append(run.run)
    return Section(
        title="How to reproduce",
        blocks=[
            "The same command with the same versions, on the same device with as many threads, gives the "
            "same curves up to rounding.",
            Code(text="\n".join(commands(seeds or circuits, circuits if seeds else []))),
            f"Seeds: {', '.join(str(run.run.seed) for run in seeds or circuits)}. Group: {first.group}.",
            Row(panels=[settings_table(groups), environment_table(first)]),
        ],
    )


def commands(runs: Sequence[Recorded], circuits: Sequence[Recorded] = ()) -> list[str]:
    """The calls of `phasescope grok` that train these runs: one per stretch of consecutive seeds."""
    stretches: list[list[Recorded]] = []
    for run in sorted(runs, key=lambda run: run.run.seed or 0):
        follows = stretches and (run.run.seed or 0) == (stretches[-1][-1].run.seed or 0) + 1
        if follows:
            stretches[-1].append(run)
        else:
            stretches.append([run])
    return [command(stretch, circuits if i == 0 else ()) for i, stretch in enumerate(stretches)]


def command(runs: Sequence[Recorded], circuits: Sequence[Recorded] = ()) -> str:
    """The call of `phasescope grok` that trains these runs, whose seeds are consecutive."""
    config = runs[0].run.config
    words = ["phasescope", "grok"]
    name = str(config.get("bench", ""))
    if name:
        words += ["--bench", name]
    numbers = [run.run.seed for run in runs if run.run.seed is not None]
    if numbers:
        words += ["--seeds", str(len(numbers)), "--seed", str(min(numbers))]
    for key, option in (("split_seed", "--split-seed"), ("init_seed", "--init-seed")):
        values = {run.run.config.get(key) for run in runs}
        if len(runs) > 1 and len(values) == 1 and values != {None}:
            words += [option, str(values.pop())]
    usual = _usual(BENCHES[name]) if name in BENCHES else {}
    for key, option in (TRAINING | RUN).items():
        if key in config and key in usual and config[key] != usual[key]:
            words += [option, "inf" if config[key] is None else str(config[key])]
    if circuits:
        words += ["--circuit", str(circuits[0].run.config.get("bench", "T1"))]
    words += ["--threads", str(runs[0].run.environment.get("threads") or 1)]
    words += ["--device", str(runs[0].run.environment.get("device") or "cpu")]
    return shlex.join(words)


def _usual(bench: Bench) -> dict[str, Any]:
    return dataclasses.asdict(bench.training) | dataclasses.asdict(bench.run(0))


def _caveats(name: str, result: Mapping[str, Any]) -> list[str]:
    """Caveats of a stored result, and of the transitions inside it, with what they are about."""
    found = [f"{name.replace('_', ' ')}: {caveat}" for caveat in result.get("caveats") or ()]
    for item in result.get("items") or ():
        owner = ", ".join(item.get("observables") or ())
        found += [f"transition of {owner}: {caveat}" for caveat in item.get("caveats") or ()]
    return found


def _merged(sentences: Sequence[tuple[str, str]], n_runs: int) -> str:
    """Sentences that differ in their numbers only, as one: a number that varies becomes its range."""
    columns = zip(*(NUMBER.findall(sentence) for _, sentence in sentences), strict=True)
    ranges = iter([_range(numbers) for numbers in columns])
    text = NUMBER.sub(lambda _: next(ranges), sentences[0][1])
    labels = list(dict.fromkeys(label for label, _ in sentences))
    who = f"all {n_runs} runs" if len(labels) == n_runs > 1 else ", ".join(labels)
    return f"{text[:1].upper()}{text[1:].rstrip('.')} ({who})."


def _range(numbers: Sequence[str]) -> str:
    low, high = min(numbers, key=float), max(numbers, key=float)
    return low if low == high else f"{low} to {high}"
