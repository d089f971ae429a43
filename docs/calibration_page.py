"""The page docs/reference/calibration.md: how well the estimators do on systems whose answer is known."""

from __future__ import annotations

from typing import Any

from figures_page import results


def calibration() -> str:
    """Coverage of intervals, and size and power of decisions."""
    found = results("calibration")
    lines = [
        "# Calibration",
        "",
        "<!-- Written by docs/build_reference.py; edit the code instead. -->",
        "",
        "Systems whose answer is known, pushed through the very functions that everybody calls. `phasescope calibrate`",
        "makes these tables anew, with any number of data sets; the numbers here are those of",
        f"`benchmarks/results/calibration.json` (seed {found['seed']}, {found['cpu_seconds'] / 60:.0f} CPU-minutes).",
        "",
        "## Intervals",
        "",
        "Coverage is the share of all data sets whose 95 % interval holds the truth, with its own 95 % interval "
        "(Wilson); a data",
        "set on which the estimator gives no answer counts as not covered. Spread is the standard deviation of the "
        "estimates, the",
        "stated error the median of what they claimed.",
        "",
        "| system | quantity | truth | coverage | bias | spread | stated error | data sets | no answer |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found["estimates"]:
        lines.append(
            f"| **{row['case']}**: {row['system']} | {row['quantity']} | {row['truth']:.5g} | "
            f"{_percent(row['coverage'], row['coverage_interval'])} | {_number(row['bias'], '+.2g')} ± "
            f"{_number(row['bias_error'], '.1g')} | {_number(row['spread'], '.3g')} | "
            f"{_number(row['half_width'], '.3g')} | {row['n_trials']:,} | {row['n_without_answer'] or '–'} |"
        )
    lines += [
        "",
        "## Decisions",
        "",
        "The size of a decision is how often it is taken where it is false, its power how often where it is true.",
        "",
        "| system | decision | kind | share | asked for | data sets |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["decisions"]:
        asked = "–" if row["bound"] is None else f"{'≥' if row['is_true'] else '≤'} {100 * row['bound']:g} %"
        lines.append(
            f"| **{row['case']}**: {row['system']} | {row['decision']} | {'power' if row['is_true'] else 'size'} | "
            f"{_percent(row['share'], row['share_interval'])} | {asked} | {row['n_trials']:,} |"
        )
    return "\n".join(lines) + "\n"


def _percent(share: float, interval: list[float]) -> str:
    return f"{100 * share:.1f} % [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def _number(value: Any, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"
