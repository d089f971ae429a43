"""What the benchmarks wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"


def results(name: str) -> dict[str, Any]:
    """The numbers that a benchmark wrote."""
    document: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return document
