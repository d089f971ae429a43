"""What became of one run: its two steps, and the sentence that gives the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from phasescope.figures.delay import step_brackets
from phasescope.figures.theme import finish

if TYPE_CHECKING:
    from phasescope.measures.verdict import Verdict


def draw_verdict(result: Verdict) -> go.Figure:
    """The brackets of memorization and generalization, under the verdict's label."""
    figure = step_brackets(
        (result.memorization_step, result.memorization_step_interval),
        (result.generalization_step, result.generalization_step_interval),
    )
    return finish(
        figure,
        title=f"Verdict: {str(result.label).replace('_', '-')}",
        summary=f"{result.reason[:1].upper()}{result.reason[1:]}.",
        caveats=result.caveats,
    )
