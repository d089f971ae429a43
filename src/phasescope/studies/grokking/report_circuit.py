"""The circuit in the grokking report: the embedding's circle, Fourier power, restricted and excluded loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phasescope.figures.curves import Axes
from phasescope.figures.fourier import draw_power_over_time
from phasescope.figures.representation import draw_plane
from phasescope.figures.theme import number
from phasescope.reports.document import Panel, Row, Section
from phasescope.studies.grokking.recorded import PLANE, Recorded, typical
from phasescope.studies.grokking.report_parts import (
    Block,
    curves_panel,
    describe,
    has,
    is_squared,
    network,
    task,
    transition_band,
)

ORDER_PARAMETERS = (
    "fourier/gini_embedding",
    "fourier/key_share",
    "representation/circularity",
    "representation/phase_rqi",
)

CLOCK_OR_PIZZA = ("representation/gradient_symmetricity", "representation/distance_irrelevance")


def circle_section(runs: Sequence[Recorded], circuits: Sequence[Recorded]) -> Section | None:
    """The embedding before, at and after the transition: large for a sparse circuit, smaller for the studied runs."""
    blocks: list[Block] = []
    for run in circuits:
        panels = _planes(run, large=True)
        if panels:
            blocks.append(
                f"Beside the studied networks, {network(run)} was trained on {task(run)}: it computes with a handful "
                "of frequencies, so its circle is plain to see. Each point is a residue t; its hue is the phase it "
                "should have, so around a perfect circle the hues run once through the color wheel."
            )
            blocks += [Row(panels=panels[:-1]), panels[-1]] if len(panels) > 1 else panels
    middle = typical(runs)
    panels = _planes(middle, large=False)
    if panels:
        blocks.append(
            f"The studied network in the middle of the field ({middle.label}), {network(middle)}, "
            "in the plane of its strongest frequency. "
            + (
                "Networks of this kind spread over many frequencies, so any single plane shows only a part."
                if is_squared(middle)
                else "Where a network uses several frequencies, any single plane shows only a part."
            )
        )
        blocks.append(Row(panels=panels))
    return Section(title="The embedding becomes a circle", blocks=blocks) if blocks else None


def fourier_section(runs: Sequence[Recorded], circuits: Sequence[Recorded]) -> Section | None:
    """Power of the embedding per frequency over training, and the order parameters of the circuit."""
    blocks: list[Block] = []
    panels = []
    for run in (typical(runs), *circuits):
        power = run.power()
        if power is not None:
            keys = run.results.get("key_frequencies", {}).get("keys") or []
            figure = draw_power_over_time(
                *power, title=f"Fourier power, {describe(run)}", keys=keys, band=transition_band([run])
            )
            panels.append(Panel(figure=figure))
    if not panels:
        return None
    blocks.append(
        "The embedding of each residue, transformed along the residues: a network that computes with angles "
        "concentrates on few frequencies or, as x² networks do, raises many together."
    )
    blocks.append(Row(panels=panels))
    for title, names, label in (
        ("Order parameters of the circuit", ORDER_PARAMETERS, "order parameter, 0 to 1"),
        ("Clock or pizza", CLOCK_OR_PIZZA, "score, 0 to 1"),
    ):
        panels = [
            curves_panel(
                [run],
                names,
                title=f"{title}, {describe(run)}",
                axes=Axes(value_label=label, value_range=(-0.03, 1.05)),
                band=transition_band([run]),
            )
            for run in (typical(runs), *circuits)
            if has([run], names)
        ]
        if panels:
            blocks.append(Row(panels=panels))
    return Section(title="Fourier power over training", blocks=blocks)


def progress_section(runs: Sequence[Recorded], circuits: Sequence[Recorded]) -> Section | None:
    """Restricted and excluded loss beside train and test loss."""
    names = ("train/loss", "test/loss", "fourier/restricted_loss", "fourier/excluded_loss")
    panels = [
        curves_panel(
            group,
            names,
            title=f"Progress measures, {title}",
            axes=Axes(value_label="cross-entropy (nats)", log_values=True),
            band=transition_band(group),
        )
        for group, title in _groups(runs, circuits)
        if has(group, names[2:])
    ]
    if not panels:
        return None
    return Section(
        title="Restricted and excluded loss",
        blocks=[
            "Restricted loss keeps only the key frequencies of the final network and is taken on all rows: it falls "
            "as the general circuit forms. Excluded loss removes them and is taken on the training rows: it rises as "
            "the network stops relying on memory. Where either moves before test loss does, the change was under way "
            "unseen.",
            Row(panels=panels),
        ],
    )


def _planes(run: Recorded, *, large: bool) -> list[Panel]:
    """Planes of the embedding at memorization, in the middle of the transition, and at the end, on one scale."""
    steps = run.run.array_steps(PLANE)
    if not steps:
        return []
    item = run.transition("test/accuracy")
    before = run.memorization if run.memorization is not None else steps[0]
    middle = item["midpoint"] if item else run.generalization if run.generalization is not None else None
    at = np.array(steps)
    when = {int(at[np.abs(at - before).argmin()]): "At first" if run.memorization is None else "When memorized"}
    if middle is not None:
        when[int(at[np.abs(at - middle).argmin()])] = "In the transition" if item else "When generalized"
    when[steps[-1]] = "At the end"
    planes = {step: run.run.array(PLANE, step) for step in sorted(when)}
    extent = (1.3 if large else 1.12) * max(float(np.abs(plane).max()) for plane in planes.values())
    stored = run.results.get("principal_plane", {})
    panels = []
    for step, plane in planes.items():
        main = large and step == steps[-1]
        figure = draw_plane(
            plane,
            title=f"{when[step]}: step {number(step, 5)}",
            frequency=stored.get("frequency"),
            null=stored.get("null"),
            extent=extent,
            label_residues=main,
            hue_scale=main,
        )
        panels.append(Panel(figure=figure, height=660 if main else 380 if large else 330))
    return panels


def _groups(runs: Sequence[Recorded], circuits: Sequence[Recorded]) -> list[tuple[Sequence[Recorded], str]]:
    studied = f"{len(runs)} networks" if len(runs) > 1 else describe(runs[0])
    return [(runs, studied), *(([run], describe(run)) for run in circuits)]
