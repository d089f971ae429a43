"""A set of avalanches as read by the measures: for `--json`, and as a table for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from phasescope.cli.output import console

if TYPE_CHECKING:
    from phasescope.studies.criticality.reading import AvalancheReading


def reading_document(reading: AvalancheReading) -> dict[str, Any]:
    """What `--json` says of a set of avalanches."""
    exponents, power_law, collapse, published = (
        reading.exponents,
        reading.power_law,
        reading.collapse,
        reading.published,
    )
    return {
        "n_avalanches": len(reading.avalanches),
        "verdict": reading.criticality.verdict,
        "reason": reading.criticality.reason,
        "exponents": None
        if exponents is None
        else {
            name: {"estimate": getattr(exponents, name), "interval": getattr(exponents, f"{name}_interval")}
            for name in ("size_exponent", "duration_exponent", "mean_size_exponent")
        },
        "crackling_p_value": None if exponents is None else exponents.crackling.p_value,
        "power_law": None
        if power_law is None
        else {
            "alpha": power_law.alpha,
            "interval": power_law.interval,
            "x_min": power_law.x_min,
            "x_max": power_law.x_max,
            "p_value": power_law.p_value,
            "verdict": power_law.verdict,
        },
        "shape_collapse": None
        if collapse is None
        else {"gamma": collapse.estimate, "interval": collapse.interval, "p_value": collapse.p_value},
        "published_criterion": None
        if published is None
        else {
            "self_organized_critical": published.self_organized_critical,
            "slope": published.slope,
            "r_squared": published.r_squared,
        },
        "omitted": reading.omitted,
        "caveats": reading.criticality.caveats,
    }


def reading_rows(reading: AvalancheReading) -> list[tuple[str, str]]:
    """The same for people."""

    def with_interval(value: float, interval: tuple[float, float]) -> str:
        return f"{value:.4g} [{interval[0]:.4g}, {interval[1]:.4g}]"

    rows = [("avalanches", f"{len(reading.avalanches)}")]
    exponents = reading.exponents
    if exponents is not None:
        rows += [
            ("size exponent τ", with_interval(exponents.size_exponent, exponents.size_exponent_interval)),
            ("duration exponent α", with_interval(exponents.duration_exponent, exponents.duration_exponent_interval)),
            ("mean size exponent", with_interval(exponents.mean_size_exponent, exponents.mean_size_exponent_interval)),
            ("crackling relation", f"p = {exponents.crackling.p_value:.2g}"),
        ]
    if reading.power_law is not None:
        fit = reading.power_law
        end = "" if fit.x_max is None else f" to {fit.x_max:g}"
        rows.append(
            ("power law of sizes", f"{with_interval(fit.alpha, fit.interval)} from {fit.x_min:g}{end}: {fit.verdict}")
        )
    if reading.collapse is not None:
        rows.append(("shape collapse γ", with_interval(reading.collapse.estimate, reading.collapse.interval)))
    if reading.published is not None:
        rule = reading.published
        says = "critical" if rule.self_organized_critical else "not critical"
        rows.append(("published criterion", f"{says} (slope {rule.slope:.3g}, R² {rule.r_squared:.3g})"))
    return [*rows, ("verdict", f"{reading.criticality.verdict}: {reading.criticality.reason}")]


def show(rows: list[tuple[str, str]], reading: AvalancheReading, path: Path | None) -> None:
    """Print a table, the caveats, and where the report is."""
    from phasescope.cli.tables import cell, table

    out = console()
    out.print(table(("", ""), rows))
    for sentence in (*reading.criticality.caveats, *(f"not read: {one}" for one in reading.omitted)):
        out.print(cell(f"caveat: {sentence}", "yellow"))
    if path is not None:
        click.echo(f"report: {path.resolve()}")
