"""Write the generated pages of docs/reference from the code and from benchmarks/results.

python docs/build_reference.py            writes the pages
python docs/build_reference.py --check    fails if a page is not what the code would write
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
from calibration_page import calibration
from figures_page import figures
from store_schema_page import store_schema

FOLDER = Path(__file__).parent / "reference"
GENERATED = "<!-- Written by docs/build_reference.py; edit the code instead. -->"


def command_line() -> str:
    """`--help` of every verb."""
    from phasescope.cli.main import command

    lines = ["# Command line", "", GENERATED, ""]
    lines += ["With `--json` a verb prints one JSON document on standard output and nothing else. Exit codes: 0 done,"]
    lines += ["1 failed, 2 wrong usage.", ""]

    def page(verb: click.Command, context: click.Context) -> None:
        lines.extend([f"## `{context.command_path}`", "", "```", verb.get_help(context), "```", ""])
        if isinstance(verb, click.Group):
            for name in verb.list_commands(context):
                child = verb.get_command(context, name)
                assert child is not None
                page(child, click.Context(child, info_name=name, parent=context, terminal_width=100))

    page(command, click.Context(command, info_name="phasescope", terminal_width=100))
    return "\n".join(lines)


def benches() -> str:
    """The table of benches."""
    from phasescope.studies.grokking.benches import BENCHES

    lines = ["# Benches", "", GENERATED, ""]
    lines += ["AdamW with decoupled weight decay on everything, β = (0.9, 0.98), full batch, float32.", ""]
    lines += [
        "| name | what it is | task | model | fraction | lr | decay | steps |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for bench in BENCHES.values():
        t = bench.training
        if t.model == "transformer":
            model = f"transformer, width {t.width}, {t.n_heads} heads, feed-forward {t.mlp_width}"
        else:
            model = f"{'x²' if t.activation == 'square' else 'ReLU'}, {t.width} units"
            model += f" behind {t.embedding_dim}-dimensional embeddings" if t.embedding_dim else ""
        lines.append(
            f"| {bench.name} | {bench.summary} | {t.operation} mod {t.modulus} | {model} | {bench.fraction} | "
            f"{bench.learning_rate} | {bench.weight_decay} | {t.steps} |"
        )
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "benches.md": benches,
    "calibration.md": calibration,
    "cli.md": command_line,
    "figures.md": figures,
    "store-schema.md": store_schema,
}


def main() -> None:
    """Write or check all pages."""
    check = "--check" in sys.argv[1:]
    for name, build in PAGES.items():
        path, text = FOLDER / name, build()
        if check and (not path.exists() or path.read_text() != text):
            sys.exit(f"{path.name} is out of date; run: python docs/build_reference.py")
        path.write_text(text)


if __name__ == "__main__":
    main()
