"""The `phasescope` command: a group whose verbs are imported when called, so `--help` costs milliseconds."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from phasescope import __version__
from phasescope.errors import PhasescopeError, unknown_name

# Verb → one line of help. The verb `x` lives in `phasescope.cli.x` as a click command named `command`.
VERBS = {
    "branching": "Simulate a branching process, whole and subsampled; measure its ratio and its avalanches.",
    "calibrate": "Push systems whose answer is known through the estimators; print coverage, size and power.",
    "doctor": "Versions, threads, devices, disk, and a self-check.",
    "grok": "Train networks that memorize, wait, and generalize; write the report.",
    "report": "Write the report of recorded runs as one HTML file.",
    "runs": "List, show, compare and export recorded runs.",
    "sandpile": "Drive a sandpile, watch its avalanches, judge them; write the report.",
    "transitions": "Find transitions in a recorded run or in anybody's log.",
}


class LazyGroup(click.Group):
    """Knows its verbs by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs, in alphabetical order."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb; `None` when there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"phasescope.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Answer an unknown verb with the nearest known ones."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(unknown_name("verb", args[0], VERBS), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table above, importing none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl(sorted(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; trouble the user can mend becomes one sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except PhasescopeError as error:
            if ctx.params["traceback"]:
                raise
            _complain(error)
            ctx.exit(error.exit_code)
        except ValueError as error:
            if ctx.params["traceback"]:
                raise
            _complain(error)
            ctx.exit(2)
        except BrokenPipeError:  # the reader of a pipe has left: click's affair
            raise
        except (OSError, MemoryError) as error:
            if ctx.params["traceback"]:
                raise
            _complain(error)
            ctx.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="phasescope")
@click.option("--traceback", is_flag=True, help="Show where an error came from.")
def command(traceback: bool) -> None:
    """An instrument for emergence in neural networks.

    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


def _complain(error: Exception) -> None:
    from phasescope.cli.tables import printable

    click.echo(f"phasescope: {printable(str(error)) or type(error).__name__}", err=True)


def main() -> None:
    """Entry point of the console script."""
    command.main(args=sys.argv[1:], prog_name="phasescope")


if __name__ == "__main__":
    main()
