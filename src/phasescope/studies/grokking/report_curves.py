"""The curves in the grokking report: accuracy and loss, transitions, the spread over seeds, mirage, weight norm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phasescope.figures.curves import Axes, Band
from phasescope.figures.delay import draw_run_steps
from phasescope.figures.mirage import draw_mirage, draw_steepness
from phasescope.figures.stored import revive
from phasescope.figures.survival import draw_survivals
from phasescope.figures.theme import number
from phasescope.figures.transitions import band as stretch
from phasescope.figures.transitions import draw_order, p_text
from phasescope.reports.document import Panel, Row, Section
from phasescope.reports.tables import Table
from phasescope.studies.grokking.recorded import Recorded, typical, waiting
from phasescope.studies.grokking.report_parts import Block, curves_panel, has, transition_band


def curves_section(runs: Sequence[Recorded]) -> Section:
    """Accuracy and loss of all runs on logarithmic and on linear time, and the mirrored rows apart."""
    band = transition_band(runs)
    blocks: list[Block] = [
        "Each line is one network. On logarithmic time the wait is easy to see and a late collapse is not; on linear "
        "time it is the other way round, so both are shown."
        + (f" Shaded: {_band_words(runs)}" if band else " No transition of test accuracy was located.")
    ]
    test = "test" if has(runs, ("test/accuracy",)) else "test_all"  # where every test row has its mirror in training
    for title, names, label, log_values in (
        ("Accuracy", ("train/accuracy", f"{test}/accuracy"), "accuracy (share of rows)", False),
        ("Loss", ("train/loss", f"{test}/loss"), "cross-entropy (nats)", True),
    ):
        panels = [
            curves_panel(
                runs,
                names,
                title=f"{title}, {'logarithmic' if log_steps else 'linear'} time",
                axes=Axes(
                    value_label=label,
                    log_steps=log_steps,
                    log_values=log_values,
                    value_range=None if log_values else (-0.03, 1.05),
                ),
                band=band,
            )
            for log_steps in (True, False)
        ]
        blocks.append(Row(panels=panels))
    blocks += _mirror(runs, band)
    return Section(title="Memorize, wait, generalize", blocks=blocks)


def transitions_section(runs: Sequence[Recorded]) -> Section | None:
    """Every located transition with its interval, and which curve changes first."""
    items = [(run.label, revive(item)) for run in runs for item in run.results.get("transitions", {}).get("items", [])]
    if not items:
        return None
    table = Table(
        columns=("run", "series", "10 % done", "midpoint", "95 % interval", "90 % done", "width", "p"),
        rows=[
            (
                label,
                ", ".join(item.observables),
                item.onset,
                item.midpoint,
                f"{number(item.midpoint_interval[0])}–{number(item.midpoint_interval[1])}",
                stretch(item).high,
                f"{number(item.width)} {item.width_unit}",
                p_text(item.p_value).removeprefix("= "),
            )
            for label, item in items
        ],
    )
    intro = (
        "Where each curve departs from a smooth trend: a sigmoid in log-time, with a p-value against such a trend "
        "under autocorrelated noise. An accuracy passes its midpoint well before it reaches the threshold of 0.99."
    )
    measured = [item.p_value for _, item in items if item.observables == ("test/accuracy",)]
    if measured:
        intro += f" For test accuracy the largest p-value is {number(max(measured))}."
    largest = [
        (run.label, revive(item))
        for run in runs
        for name in dict.fromkeys(item.observables[0] for _, item in items)
        if (item := run.transition(name)) is not None
    ]
    panel = Panel(figure=draw_order(largest, title="Which curve changes when: the largest change of each"), table=table)
    return Section(title="The transitions, located", blocks=[intro, panel])


def steps_section(runs: Sequence[Recorded]) -> Section | None:
    """Memorization and generalization step of every run, and their distribution."""
    curves = {name: curve for name in ("memorization", "generalization") if (curve := waiting(runs, name)) is not None}
    if not curves:
        return None
    caveats = tuple(dict.fromkeys(caveat for curve in curves.values() for caveat in curve.caveats))
    spread = draw_run_steps([run.steps for run in runs], title="From memorization to generalization, run by run")
    table = Table(
        columns=("run", "memorization step", "generalization step", "last step"),
        rows=[(run.label, run.memorization, run.generalization, run.last_step) for run in runs],
    )
    waits = draw_survivals(curves, title="Share of networks not yet there (Kaplan–Meier)", caveats=caveats)
    intro = (
        "A step counts when accuracy first reaches the threshold; it is known only between two evaluations. A network "
        "that never gets there is censored: it stays in the curve for as long as it was trained."
    )
    return Section(
        title="When: the spread over seeds",
        blocks=[intro, Row(panels=[Panel(figure=spread, table=table), Panel(figure=waits)])],
    )


def mirage_section(runs: Sequence[Recorded]) -> Section | None:
    """The transition of the typical run on thresholded and on continuous metrics."""
    run = next((run for run in (typical(runs), *runs) if "mirage" in run.results), None)
    if run is None:
        return None
    result = revive(run.results["mirage"])
    verdicts = [str(other.results["mirage"].get("verdict")) for other in runs if "mirage" in other.results]
    counts = ", ".join(f"{word} {verdicts.count(word)}×" for word in dict.fromkeys(verdicts))
    intro = (
        "A jump of accuracy may be made by the threshold in accuracy. So the same change is looked at on scores "
        f"without a threshold, on unmirrored test rows, here for {run.label}. Verdicts over all networks: {counts}."
    )
    panels = [Panel(figure=draw_mirage(result, band=transition_band([run]))), Panel(figure=draw_steepness(result))]
    return Section(title="Is the sharpness a mirage?", blocks=[intro, Row(panels=panels)])


def norm_section(runs: Sequence[Recorded]) -> Section | None:
    """Weight norm and logit scale of all runs."""
    band = transition_band(runs)
    panels = [
        curves_panel(runs, (name,), title=title, axes=Axes(value_label=label), band=band)
        for name, title, label in (
            ("weight_norm", "Weight norm", "norm of all parameters"),
            ("logit_scale", "Logit scale", "spread of the logits (nats)"),
        )
        if has(runs, (name,))
    ]
    if not panels:
        return None
    return Section(
        title="Weight norm and logit scale",
        blocks=[
            "Under cross-entropy the norm of the parameters acts through the scale of the logits, so both are shown.",
            Row(panels=panels),
        ],
    )


def _mirror(runs: Sequence[Recorded], band: Band | None) -> list[Block]:
    """The mirrored test rows beside the others, with what they were worth at memorization."""
    if not has(runs, ("test_mirrored/accuracy",)):
        return []
    panel = curves_panel(
        runs,
        ("test/accuracy", "test_mirrored/accuracy"),
        title="Test rows by whether their mirror image was trained",
        axes=Axes(value_label="accuracy (share of rows)", value_range=(-0.03, 1.05)),
        band=band,
    )
    seen = [
        (plain, mirrored)
        for run in runs
        if run.memorization is not None
        and (plain := run.at("test/accuracy", run.memorization)) is not None
        and (mirrored := run.at("test_mirrored/accuracy", run.memorization)) is not None
    ]
    text = (
        "A test row (a, b) whose mirror image (b, a) was trained can be answered without understanding, where the "
        "operation commutes. The headline is therefore accuracy on the unmirrored rows."
    )
    if seen:
        medians = [number(float(np.median(values)), 2) for values in zip(*seen, strict=True)]
        text += " At memorization the unmirrored rows were answered at {}, the mirrored at {} (medians).".format(
            *medians
        )
    return [text, panel]


def _band_words(runs: Sequence[Recorded]) -> str:
    found = [run for run in runs if run.transition("test/accuracy") is not None]
    if len(found) == 1:
        return "the transition of test accuracy from onset to end; dotted, its midpoint."
    return (
        f"from the earliest onset to the latest end of the transition of test accuracy ({len(found)} of {len(runs)} "
        "networks); dotted, the median midpoint."
    )
