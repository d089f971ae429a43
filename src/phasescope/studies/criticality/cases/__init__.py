"""The known systems of the calibration, one file a subject; each has a tuple `CASES`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phasescope.studies.criticality.calibration import Case

SUBJECTS = ("power_laws", "avalanches", "branching", "verdicts", "sandpiles", "spectra")


def all_cases() -> dict[str, Case]:
    """Every case by its name."""
    modules = [import_module(f"phasescope.studies.criticality.cases.{subject}") for subject in SUBJECTS]
    return {case.name: case for module in modules for case in module.CASES}
