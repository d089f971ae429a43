"""Result → Plotly figure. Showing and saving are left to the caller.

Style in `theme.py`, curves over training in `curves.py`, PNG, SVG and PDF in `export.py`; the other files go with the
files of `measures/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import plotly.graph_objects as go

from phasescope.figures.export import save
from phasescope.figures.stored import revive
from phasescope.results import Result

__all__ = ["draw", "save"]

# By name, so that drawing loads no measure: results from the store need none of their code.
_DRAWERS = {
    "AvalancheExponents": "avalanches.draw_avalanche_exponents",
    "AvalancheScan": "criticality.draw_avalanche_scan",
    "Avalanches": "avalanches.draw_avalanches",
    "BranchingRatio": "branching.draw_branching_ratio",
    "Calibration": "calibration.draw_calibration",
    "Circularity": "representation.draw_circularity",
    "CracklingRelation": "avalanches.draw_crackling_relation",
    "Criticality": "criticality.draw_criticality",
    "Crossing": "delay.draw_crossing",
    "CutOffGrowth": "cut_off_growth.draw_cut_off_growth",
    "Delay": "delay.draw_delay",
    "EigenvalueTailIndex": "eigenvalue_tail_index.draw_eigenvalue_tail_index",
    "EmbeddingSpectrum": "fourier.draw_embedding_spectrum",
    "ExcludedLoss": "fourier.draw_excluded_loss",
    "ExponentDifference": "power_law.draw_exponent_difference",
    "GradientSpectrum": "gradient_spectrum.draw_gradient_spectrum",
    "KeyFrequencies": "fourier.draw_key_frequencies",
    "LayerSpectra": "layer_spectra.draw_layer_spectra",
    "MatrixSpectrum": "matrix_spectrum.draw_matrix_spectrum",
    "Mirage": "mirage.draw_mirage",
    "NeuralSandpileStudy": "neural_sandpile.draw_neural_sandpile_study",
    "PowerLaw": "power_law.draw_power_law",
    "PrincipalPlane": "representation.draw_principal_plane",
    "RepresentationQuality": "representation.draw_representation_quality",
    "RestrictedLoss": "fourier.draw_restricted_loss",
    "ShapeCollapse": "shape_collapse.draw_shape_collapse",
    "Sharpness": "mirage.draw_sharpness",
    "SimpleScaling": "simple_scaling.draw_simple_scaling",
    "SurrogateComparison": "criticality.draw_surrogate_comparison",
    "SurvivalCurve": "survival.draw_survival",
    "TableSpectrum": "fourier.draw_table_spectrum",
    "Transition": "transitions.draw_transition",
    "Verdict": "verdict.draw_verdict",
}


def draw(result: Result | Mapping[str, Any]) -> go.Figure:
    """Draw a result.

    Args:
        result: A result of any measure, or what the store kept of one (`run.result(name)`).

    Returns:
        A figure with units, intervals and caveats; `.show()` displays it, `save(figure, path)` writes it.

    Raises:
        TypeError: If results of this type have no figure.

    Example:
        >>> from phasescope.measures.delay import generalization_step
        >>> figure = draw(generalization_step([1, 10, 100, 1000], [0.0, 0.1, 0.2, 1.0]))
        >>> figure.layout.title.text
        'First crossing of the threshold'
    """
    shown: Any = revive(result) if isinstance(result, Mapping) else result
    name = str(result.get("type")) if isinstance(result, Mapping) else type(result).__name__
    if name not in _DRAWERS:
        raise TypeError(f"results of type {name} have no figure; those that have one: {', '.join(_DRAWERS)}")
    module, function = _DRAWERS[name].split(".")
    drawer = getattr(import_module(f"phasescope.figures.{module}"), function)
    figure: go.Figure = drawer(shown)
    return figure
