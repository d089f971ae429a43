"""What the reports of the criticality studies share: how avalanches are shown, from a recorded run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phasescope.figures import draw
from phasescope.figures.theme import number
from phasescope.measures.avalanches import Avalanches, separate_avalanches
from phasescope.reports.document import Code, Listing, Panel, Row, Section
from phasescope.reports.provenance import environment_table, settings_table
from phasescope.reports.tables import Table
from phasescope.store.runs import Run


def recorded_avalanches(run: Run) -> Avalanches:
    """The avalanches of a run, without profiles."""
    return separate_avalanches(
        run.array("avalanches/sizes"), run.array("avalanches/durations"), censored=run.array("avalanches/censored")
    )


def avalanche_sections(run: Run) -> list[Section]:
    """Sizes and durations, exponents, the power-law fit with its alternatives, the collapse, and the verdicts."""
    results = run.results()
    found = recorded_avalanches(run)
    blocks: list[str | Panel | Row | Table | Listing] = []
    if len(found):
        blocks.append(Panel(figure=draw(found)))
    if "exponents" in results:
        blocks.append(Panel(figure=draw(results["exponents"])))
        blocks.append(Panel(figure=draw(results["exponents"]["crackling"])))
    sections = [Section(title="Avalanches and their exponents", blocks=blocks)]
    if "power_law" in results:
        sections.append(
            Section(
                title="Is it a power law?",
                blocks=[
                    "Sizes as a rank-frequency plot, the likeliest power law from x_min on, and the laws it is held "
                    "against, each fitted to the same tail.",
                    Panel(figure=draw(results["power_law"])),
                    comparisons_table(results["power_law"]),
                ],
            )
        )
    if "collapse" in results:
        sections.append(
            Section(title="Have all durations one shape?", blocks=[Panel(figure=draw(results["collapse"]))])
        )
    sections.append(verdict_section(results))
    return sections


def comparisons_table(power_law: Mapping[str, Any]) -> Table:
    """The power law against every alternative."""
    rows = [
        (one["law"].replace("_", " "), one["log_ratio"], one["normalized_ratio"], one["p_value"])
        for one in power_law["comparisons"]
    ]
    return Table(columns=("law", "log-likelihood ratio", "normalized", "p"), rows=rows)


def verdict_section(results: Mapping[str, Mapping[str, Any]]) -> Section:
    """The rigorous verdict beside the criterion in circulation, and what could not be read."""
    judged = results["criticality"]
    rows = [("this library", judged["verdict"], judged["reason"])]
    published = results.get("published")
    if published is not None:
        says = "self-organized critical" if published["self_organized_critical"] else "not self-organized critical"
        reason = f"slope {number(published['slope'])} (asked for: 1 to 3), R² {number(published['r_squared'])} (> 0.8)"
        rows.append(("published criterion", says, reason))
    reasons = list(results.get("omitted", {}).get("reasons", ()))
    blocks: list[str | Table | Listing] = [
        "The published criterion asks for a slope and an R² of a straight line on double logarithmic axes; it is here "
        "for comparison. It passes geometric laws, and does not ask whether the cut-off grows with the system.",
        Table(columns=("rule", "verdict", "why"), rows=rows),
    ]
    if reasons:
        blocks += ["Not read, and why:", Listing(items=reasons)]
    return Section(title="Verdicts", blocks=blocks)


def reproduce_section(run: Run, command: str) -> Section:
    """The command, the settings and the environment."""
    return Section(
        title="How to reproduce",
        blocks=[
            "The same command with the same versions gives the same numbers.",
            Code(text=command),
            Row(panels=[settings_table({run.id: [run]}), environment_table(run)]),
        ],
    )


def exponent_words(results: Mapping[str, Mapping[str, Any]]) -> str:
    """τ, α and γ with their intervals, or why there are none."""
    if "exponents" not in results:
        return str(results["criticality"]["reason"])
    found = results["exponents"]
    parts = []
    for symbol, name in (("τ", "size_exponent"), ("α", "duration_exponent"), ("γ", "mean_size_exponent")):
        low, high = found[f"{name}_interval"]
        parts.append(f"{symbol} = {number(found[name])} ({number(low)} to {number(high)})")
    return ", ".join(parts)
