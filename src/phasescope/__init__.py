"""phasescope: an instrument for emergence in neural networks.

Names are loaded when first used, so `import phasescope` costs milliseconds and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from phasescope.errors import PhasescopeError
    from phasescope.measures.avalanche_exponents import avalanche_exponents
    from phasescope.measures.avalanches import avalanches
    from phasescope.measures.branching import branching_ratio
    from phasescope.measures.clock_and_pizza import distance_irrelevance, gradient_symmetricity
    from phasescope.measures.criticality import criticality
    from phasescope.measures.fourier import key_frequencies
    from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
    from phasescope.measures.matrix_spectrum import matrix_spectrum
    from phasescope.measures.mirage import mirage
    from phasescope.measures.power_law import fit_power_law
    from phasescope.measures.representation import circularity, representation_quality
    from phasescope.measures.shape_collapse import shape_collapse
    from phasescope.measures.transitions import Transition, find_transitions
    from phasescope.recorders.scope import watch
    from phasescope.results import Result
    from phasescope.store.runs import list_runs, open_run

_HOMES = {
    "PhasescopeError": "errors",
    "Result": "results",
    "Transition": "measures.transitions",
    "avalanche_exponents": "measures.avalanche_exponents",
    "avalanches": "measures.avalanches",
    "branching_ratio": "measures.branching",
    "circularity": "measures.representation",
    "criticality": "measures.criticality",
    "distance_irrelevance": "measures.clock_and_pizza",
    "excluded_loss": "measures.fourier_losses",
    "find_transitions": "measures.transitions",
    "fit_power_law": "measures.power_law",
    "gradient_symmetricity": "measures.clock_and_pizza",
    "key_frequencies": "measures.fourier",
    "list_runs": "store.runs",
    "matrix_spectrum": "measures.matrix_spectrum",
    "mirage": "measures.mirage",
    "open_run": "store.runs",
    "representation_quality": "measures.representation",
    "restricted_loss": "measures.fourier_losses",
    "shape_collapse": "measures.shape_collapse",
    "watch": "recorders.scope",
}

__all__ = [
    "PhasescopeError",
    "Result",
    "Transition",
    "avalanche_exponents",
    "avalanches",
    "branching_ratio",
    "circularity",
    "criticality",
    "distance_irrelevance",
    "excluded_loss",
    "find_transitions",
    "fit_power_law",
    "gradient_symmetricity",
    "key_frequencies",
    "list_runs",
    "matrix_spectrum",
    "mirage",
    "open_run",
    "representation_quality",
    "restricted_loss",
    "shape_collapse",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'phasescope' has no attribute {name!r}")
    value = getattr(import_module(f"phasescope.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
