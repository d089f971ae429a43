"""Is a jump in the model or in the metric? The same rise on thresholded and on continuous metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from numpy.typing import ArrayLike

from phasescope.errors import MissingExtraError, unknown_name
from phasescope.measures.sharpness import Axis, Sharpness, sharpness
from phasescope.results import Result, brief

if TYPE_CHECKING:
    import pandas as pd


class _Kind(NamedTuple):
    falling: bool  # a smaller value is better
    hardness: int  # 2: a whole string or nothing; 1: an item or nothing; 0: continuous


METRICS = {
    "exact_match": _Kind(falling=False, hardness=2),
    "accuracy": _Kind(falling=False, hardness=1),
    "cross_entropy": _Kind(falling=True, hardness=0),
    "brier": _Kind(falling=True, hardness=0),
    "margin": _Kind(falling=False, hardness=0),
    "log_odds": _Kind(falling=False, hardness=0),
    "substitutions": _Kind(falling=True, hardness=0),
    "levenshtein": _Kind(falling=True, hardness=0),
}

_OTHER_NAMES = (
    (r"exact_?match|\bem$", "exact_match"),
    (r"brier", "brier"),
    (r"margin", "margin"),
    (r"log_?odds", "log_odds"),
    (r"levenshtein|edit_?distance", "levenshtein"),
    (r"substitutions|hamming", "substitutions"),
    (r"(?<![a-z])acc(uracy)?(?![a-z])|top_?1", "accuracy"),
    (r"cross_?entropy|(?<![a-z])(x?ent|ce|nll|loss)(?![a-z])", "cross_entropy"),
)


Decision = Literal["survives", "mirage", "mixed", "smooth", "unresolved"]

_MEANING = {
    "survives": "the sharpness survives on the continuous metrics",
    "mirage": "the jump is in the metric, a mirage",
    "mixed": "the metrics disagree",
    "smooth": "no jump on any metric",
    "unresolved": "whether there is a jump cannot be told",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirage(Result):
    """Whether the sharpness of a thresholded metric survives on softer ones."""

    verdict: Decision
    summary: str
    metrics: tuple[Sharpness, ...]  # one per curve, hardest metric first
    sharp_above: float  # steepness from which a curve is sharp
    window: float  # share of the record over which a slope is taken

    def to_frame(self) -> pd.DataFrame:
        """One row per metric. Needs the extra `frame`."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("pandas", "frame", "to_frame()") from error
        hidden = {"type", "steps", "values", "band"}
        rows = [{name: value for name, value in one.to_dict().items() if name not in hidden} for one in self.metrics]
        frame = pd.DataFrame(rows)
        frame.attrs = {"verdict": self.verdict, "summary": self.summary}
        return frame

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("verdict", self.verdict), ("summary", self.summary)]
        for one in self.metrics:
            interval = "" if one.interval is None else f"  [{brief(one.interval[0])}, {brief(one.interval[1])}]"
            rows.append((one.metric, f"{one.label}, steepness {brief(one.estimate)}{interval}"))
        return rows


def mirage(
    steps: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    n_items: int | Mapping[str, int] | None = None,
    axis: Axis | Literal["both"] = "both",
    sharp_above: float = 2.0,
    window: float = 0.1,
) -> Mirage:
    """Tell a sharp rise of the model from one made by the metric.

    A metric with a threshold turns a smooth rise into a jump: when tokens are right with probability q, a string of L
    of them is right with q^L [1]. So the same rise is measured on several metrics, each labeled sharp, smooth or
    unresolved as described at `sharpness`. Take the hardest metric that is sharp, in the order exact match, accuracy,
    continuous ones, and look at the softer ones that are resolved:

    - `survives`: all of them are sharp (also when only continuous metrics are given and all are sharp).
    - `mirage`: at least half of them are smooth.
    - `mixed`: fewer than half of them are smooth, or a continuous metric is sharp and a thresholded one smooth.
    - `smooth`: nothing is sharp and everything is resolved.
    - `unresolved`: nothing is sharp and something is unresolved, or only continuous metrics are sharp and a
      thresholded one is unresolved, or there is no softer metric to compare with.

    Args:
        steps: Training steps, or another axis such as model size, shape `(n_steps,)`, strictly rising.
        curves: One curve of shape `(n_steps,)` by metric: `exact_match`, `accuracy`, `cross_entropy`, `brier`,
            `margin`, `log_odds`, `substitutions`, `levenshtein`. Cross-entropy, Brier score and the two distances
            improve downward, which is known here. Foreign names: see `metric_of`.
        n_items: Test items behind each value of `exact_match` and `accuracy`, one number or one by metric. It gives
            these curves binomial intervals and says whether the foot of a smooth rise could have been seen: a rate
            below 1 − 0.05^(1/n) shows no hit among n items in more than 5 % of trials. `None`: exact curves.
        axis: `"both"` for training time: the axis on which a curve is less steep counts; `"log"` for model sizes.
        sharp_above: Steepness from which a curve is sharp; above 1.
        window: Share of the record over which slopes are taken.

    Returns:
        The verdict, a sentence, and one `Sharpness` per metric, hardest first.

    Raises:
        ValueError: If no curve is given, a metric is unknown, a curve is malformed, or a share is outside [0, 1].

    References:
        [1] Schaeffer, Miranda & Koyejo (2023), NeurIPS 36, arXiv 2304.15004.

    Example:
        >>> import numpy as np
        >>> q = np.linspace(0.5, 0.99, 100)
        >>> mirage(np.arange(1, 101), {"exact_match": q**5, "accuracy": q}).verdict
        'mirage'
    """
    if not curves:
        raise ValueError(f"curves is empty; give at least one of {', '.join(METRICS)}")
    for name in (*curves, *(n_items if isinstance(n_items, Mapping) else ())):
        if name not in METRICS:
            raise ValueError(unknown_name("metric", name, METRICS))
    rows = tuple(
        sharpness(
            steps,
            curves[name],
            metric=name,
            falling=METRICS[name].falling,
            n_items=_items_of(name, n_items),
            axis=axis,
            sharp_above=sharp_above,
            window=window,
        )
        for name in METRICS
        if name in curves
    )
    decision = _judge(rows)
    return Mirage(
        verdict=decision,
        summary=_sentence(decision, rows),
        metrics=rows,
        sharp_above=float(sharp_above),
        window=float(window),
        caveats=tuple(caveat for one in rows for caveat in one.caveats),
    )


def metric_of(name: str) -> str | None:
    """Name in `METRICS` of a series out of somebody's log, or `None` when it is none of them.

    Args:
        name: For example `"val/acc"`, `"test_loss"`, `"eval/exact-match"`.

    Returns:
        `"accuracy"`, `"cross_entropy"`, `"exact_match"`, …; a plain "loss" is taken for a cross-entropy.

    Example:
        >>> metric_of("val/acc"), metric_of("test_loss"), metric_of("weight_norm")
        ('accuracy', 'cross_entropy', None)
    """
    folded = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return next((metric for pattern, metric in _OTHER_NAMES if re.search(pattern, folded)), None)


def _items_of(name: str, n_items: int | Mapping[str, int] | None) -> int | None:
    if isinstance(n_items, Mapping):
        return n_items.get(name)
    return n_items if METRICS[name].hardness > 0 else None


def _judge(rows: tuple[Sharpness, ...]) -> Decision:
    """The verdict as defined at `mirage`."""
    sharp = [METRICS[one.metric].hardness for one in rows if one.label == "sharp"]
    if not sharp:
        return "smooth" if all(one.label == "smooth" for one in rows) else "unresolved"
    hardest = max(sharp)
    if hardest == 0:
        if any(one.label == "unresolved" and METRICS[one.metric].hardness > 0 for one in rows):
            return "unresolved"
        return "mixed" if any(one.label == "smooth" for one in rows) else "survives"
    softer = [one.label for one in rows if METRICS[one.metric].hardness < hardest and one.label != "unresolved"]
    n_smooth = softer.count("smooth")
    if not softer:
        return "unresolved"
    if n_smooth == 0:
        return "survives"
    return "mirage" if 2 * n_smooth >= len(softer) else "mixed"


def _sentence(decision: Decision, rows: tuple[Sharpness, ...]) -> str:
    parts = []
    for label in ("sharp", "smooth", "unresolved"):
        names = [
            one.metric if one.estimate is None else f"{one.metric} ({one.estimate:.1f}×)"
            for one in rows
            if one.label == label
        ]
        if names:
            parts.append(
                f"{label} on {', '.join(names[:-1])} and {names[-1]}" if names[1:] else f"{label} on {names[0]}"
            )
    text = f"{', '.join(parts)}: {_MEANING[decision]}"
    if decision == "survives":
        text += f", {min(one.estimate for one in rows if one.label == 'sharp' and one.estimate):.1f}× at the least"
    for one in rows:
        if one.smallest_resolvable is not None and one.hidden_share is not None:
            where = f"with {one.n_items} items {one.metric} below {one.smallest_resolvable:.3g} cannot be told from 0"
            seen = "could have been seen" if one.foot_resolved else "could not have been seen"
            text += f"; {where}, {one.hidden_share:.0%} of the record: a smooth rise {seen}"
    return text
