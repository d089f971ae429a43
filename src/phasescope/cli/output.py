"""What all verbs share: where results go, and the options every verb has.

People read tables and progress bars on standard error; with `--json` exactly one JSON document goes to standard output.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from phasescope.results import plain

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

SCHEMA = 1  # version of the JSON documents; raised when a key changes its meaning or goes


def json_option(function: F) -> F:
    """`--json`: one JSON document on standard output and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document for machines.")(function)


def seed_option(function: F) -> F:
    """`--seed`: start of all randomness of the verb, recorded with what it makes."""
    return click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed.")(function)


def idle_seed_option(function: F) -> F:
    """`--seed` of a verb without randomness: accepted, so that scripts can give it to every verb."""
    return click.option(
        "--seed", type=click.IntRange(min=0), expose_value=False, help="Accepted as everywhere; nothing here is random."
    )(function)


def store_option(function: F) -> F:
    """`--store`: the directory that holds the recordings."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Directory of the recordings.",
    )(function)


def report_options(function: F) -> F:
    """`--report` and `--no-report`: where the report of a study goes, if anywhere."""
    where = click.option(
        "--report", "report_path", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the report."
    )
    return where(click.option("--no-report", is_flag=True, help="Record only.")(function))


def echo_json(document: dict[str, Any]) -> None:
    """Print the document, with the schema version first and non-finite numbers as null."""
    click.echo(json.dumps({"schema": SCHEMA} | plain(document), indent=2, allow_nan=False))


def console() -> Console:
    """Rich console on standard error; plain text when that is not a terminal or NO_COLOR is set."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)
