"""`phasescope doctor`: is everything here that phasescope needs, and does it work?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from phasescope.cli.output import console, echo_json, json_option, seed_option, store_option


@click.command
@store_option
@seed_option
@json_option
@click.pass_context
def command(ctx: click.Context, store: Path, seed: int, as_json: bool) -> None:
    """Print versions, threads, devices and disk, and check that measures and store work.

    Exits with 1 if something that phasescope needs does not work.
    """
    from phasescope.cli.checkup import examine

    sections, findings = examine(store, seed)
    failed = [finding for finding in findings if finding.level == "failed"]
    if as_json:
        echo_json(
            {
                "ok": not failed,
                **sections,
                "findings": [{"level": one.level, "message": one.message} for one in findings],
            }
        )
    else:
        _print(sections, findings)
    if failed:
        ctx.exit(1)


def _print(sections: dict[str, dict[str, Any]], findings: list[Any]) -> None:
    from phasescope.cli.tables import cell, table

    out = console()
    for title, values in sections.items():
        out.print(cell(title, "bold"))
        out.print(table(("", ""), values.items()))
    styles = {"ok": "green", "note": "yellow", "failed": "red"}
    for one in findings:
        out.print(cell(f"{one.level:<7}{one.message}", styles[one.level]))
