"""What the sections of the grokking report share: one look per series, the transition's band, words for runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phasescope.figures.curves import Axes, Band, Curve, draw_curves
from phasescope.figures.stored import revive
from phasescope.figures.theme import GREEN, MIRRORED, PURPLE, TEST, TRAIN
from phasescope.figures.transitions import band as stretch
from phasescope.reports.document import Panel, Row
from phasescope.reports.tables import Table, digest
from phasescope.studies.grokking.recorded import Recorded
from phasescope.training.tasks.modular import OPERATIONS

Block = str | Panel | Row | Table

# Name in the legend, hue and dash of every series that is drawn, the same in all figures.
LOOKS = {
    "train/accuracy": ("train", TRAIN, "dot"),
    "train/loss": ("train", TRAIN, "dot"),
    "test/accuracy": ("unmirrored test", TEST, "solid"),
    "test/loss": ("unmirrored test", TEST, "solid"),
    "test_all/accuracy": ("test", TEST, "solid"),
    "test_all/loss": ("test", TEST, "solid"),
    "test_mirrored/accuracy": ("mirrored test", MIRRORED, "dash"),
    "fourier/restricted_loss": ("restricted (all rows)", GREEN, "dash"),
    "fourier/excluded_loss": ("excluded (training rows)", PURPLE, "dashdot"),
    "fourier/gini_embedding": ("Gini of the embedding", TRAIN, "solid"),
    "fourier/key_share": ("key share of logits", GREEN, "dash"),
    "representation/circularity": ("circularity, 4 components", PURPLE, "dashdot"),
    "representation/phase_rqi": ("phase RQI", TEST, "dot"),
    "representation/gradient_symmetricity": ("gradient symmetricity", TRAIN, "solid"),
    "representation/distance_irrelevance": ("distance irrelevance", TEST, "dash"),
    "weight_norm": ("weight norm", GREEN, "solid"),
    "logit_scale": ("logit scale", PURPLE, "solid"),
}


def curves_panel(runs: Sequence[Recorded], names: Sequence[str], *, title: str, axes: Axes, band: Band | None) -> Panel:
    """Some series of some runs in one figure, with a table of medians and ranges over the runs."""
    curves = []
    for name in names:
        label, hue, dash = LOOKS[name]
        for run in runs:
            series = run.series.get(name)
            if series is not None and np.isfinite(series.values).any():
                steps = np.asarray(series.steps, dtype=np.float64)
                curve = Curve(name=label, steps=steps, values=series.values, run=run.label, hue=hue, dash=dash)
                curves.append(curve)
    figure = draw_curves(curves, axes=axes, title=title, band=band)
    return Panel(figure=figure, digest=digest(curves))


def transition_band(runs: Sequence[Recorded]) -> Band | None:
    """Earliest onset to latest end of the transitions of test accuracy; the line is the median midpoint."""
    items = [item for run in runs if (item := run.transition("test/accuracy")) is not None]
    found = [stretch(revive(item)) for item in items]
    if not found:
        return None
    return Band(
        low=min(band.low for band in found),
        high=max(band.high for band in found),
        center=float(np.median([band.center for band in found])),
    )


def network(run: Recorded) -> str:
    """The kind of network in words."""
    config = run.run.config
    if config.get("model") == "transformer":
        return f"a one-layer transformer (width {config.get('width')})"
    activation = "x²" if is_squared(run) else "ReLU"
    return f"a two-layer {activation} network ({config.get('width')} hidden units)"


def is_squared(run: Recorded) -> bool:
    """Whether it is a network with the activation x², which spreads over many frequencies."""
    config = run.run.config
    return config.get("model") == "mlp" and config.get("activation") == "square"


def describe(run: Recorded) -> str:
    """A run in few words, for a title."""
    kind = "transformer" if run.run.config.get("model") == "transformer" else "network"
    return f"{kind} {run.label}"


def task(run: Recorded) -> str:
    """The task of a run as a formula."""
    operation, modulus = run.run.config.get("operation"), run.run.config.get("modulus")
    formula = OPERATIONS[operation].formula if operation in OPERATIONS else str(operation)
    random = " with random labels" if run.run.config.get("labels") == "random" else ""
    return f"{formula} mod {modulus}{random}"


def has(runs: Sequence[Recorded], names: Sequence[str]) -> bool:
    """Whether any of the series has a finite value in any of the runs."""
    return any(name in run.series and np.isfinite(run.series[name].values).any() for run in runs for name in names)
