"""The mirage panels of a set of curves: those of one data split that are the same answers on several metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from phasescope.measures.mirage import METRICS, Mirage, metric_of, mirage
from phasescope.store.series import Series

SPLITS = re.compile(r"(train(ing)?|val(id(ation)?)?|test|eval(uation)?|dev|holdout)(?=[_\W]|$)", re.IGNORECASE)


def split_of(name: str) -> str:
    """The data split a name speaks of: `"test"` of `"test/accuracy"`, `"eval"` of `"eval_loss"`, `""` if none."""
    if "/" in name:
        return name.rsplit("/", 1)[0]
    found = SPLITS.search(name)
    return found[0] if found else ""


def mirage_panels(curves: Iterable[Series], *, n_items: int | None = None) -> dict[str, Mirage]:
    """Compare the metrics of each data split at the steps they share.

    Args:
        curves: The curves of a run or a log; those whose names tell no metric are passed over.
        n_items: Test items behind each accuracy or exact match, if known.

    Returns:
        One panel per split that has a thresholded metric (accuracy, exact match) and a softer one.

    Raises:
        ValueError: If `n_items` is given and an accuracy lies outside [0, 1].
    """
    splits: dict[str, dict[str, Series]] = {}
    for curve in curves:
        metric = metric_of(curve.name.rsplit("/", 1)[-1])
        if metric is not None and len(curve):
            splits.setdefault(split_of(curve.name), {}).setdefault(metric, curve)
    panels = {}
    for split, by_metric in splits.items():
        hardness = {METRICS[metric].hardness for metric in by_metric}
        if len(hardness) < 2:
            continue
        steps = next(iter(by_metric.values())).steps
        for curve in by_metric.values():
            steps = np.intersect1d(steps, curve.steps)
        if len(steps):
            shared = {metric: curve.values[np.searchsorted(curve.steps, steps)] for metric, curve in by_metric.items()}
            panels[split] = mirage(steps, shared, n_items=n_items)
    return panels
