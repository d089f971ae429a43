"""One self-contained HTML file out of sections: prose, tables, figures with their text and their data.

The file loads nothing: Plotly.js comes from the installed package, once, and a strict content security policy forbids
the rest. Its only scripts carry a nonce that is the hash of the whole content, so a string inside the content can never
know it. Figures travel as JSON in data blocks, with every character escaped that could end one.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

import phasescope
from phasescope.errors import StoreError
from phasescope.figures.theme import Parts, parts
from phasescope.reports.tables import Table, table_of

SHARED_SCRIPT = "plotly.min.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A figure with what stands beside it; title, summary and caveats are taken from the figure."""

    figure: go.Figure
    table: Table | None = None  # offered as CSV; the figure's points when not given
    digest: Table | None = None  # shown in the page in place of some rows of the table
    height: int | None = None  # in CSS pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels or tables that stand side by side where there is room."""

    panels: Sequence[Panel | Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what belongs below it: paragraphs (`str`), `Panel`, `Row`, `Table`, in any order."""

    title: str
    blocks: Sequence[str | Panel | Row | Table | Listing | Code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A bulleted list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A block of text in a fixed-width face, a command for example."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A number worth a glance: its value, what it is, and how sure it is."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report: what it is about, the verdict in one sentence, the numbers worth a glance, and the sections."""

    title: str
    verdict: str
    kicker: str = "phasescope report"
    lead: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
    footer: str = ""

    def write(self, path: Path | str, *, shared_js: bool = False) -> Path:
        """Write the report.

        Args:
            path: The HTML file; its folder is made when missing.
            shared_js: Write Plotly.js once beside the file, for many reports in one folder, rather than into it.

        Returns:
            The path written.

        Raises:
            StoreError: If the file cannot be written.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if shared_js:
                (path.parent / SHARED_SCRIPT).write_text(get_plotlyjs(), encoding="utf-8")
            path.write_text(self.to_html(shared_js=shared_js), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot write the report to {path}: {error.strerror or error}") from error
        return path

    def to_html(self, *, shared_js: bool = False) -> str:
        """The whole file as text; the same document gives the same bytes."""
        writer = _Writer()
        main = "\n".join(writer.section(number, section) for number, section in enumerate(self.sections, start=1))
        contents = "".join(
            f'<li><a href="#section-{number}">{html.escape(section.title)}</a></li>'
            for number, section in enumerate(self.sections, start=1)
        )
        texts = {
            "title": html.escape(self.title),
            "kicker": html.escape(self.kicker),
            "verdict": _prose(self.verdict),
            "lead": "".join(f"<p>{_prose(text)}</p>" for text in self.lead),
            "tiles": _tiles(self.tiles),
            "contents": contents,
            "main": main,
            "data": "\n".join(writer.data),
            "footer": html.escape(self.footer),
            "version": html.escape(phasescope.__version__),
        }
        nonce = base64.b64encode(hashlib.sha256(repr(texts).encode("utf-8", "replace")).digest()).decode("ascii")
        if shared_js:
            plotly = f'<script nonce="{nonce}" src="{SHARED_SCRIPT}"></script>'
        else:
            plotly = f'<script nonce="{nonce}">{get_plotlyjs()}</script>'
        return _PAGE.format(nonce=nonce, plotly=plotly, style=_asset("report.css"), script=_asset("report.js"), **texts)


class _Writer:
    """Turns blocks into HTML and collects the figures' data."""

    def __init__(self) -> None:
        self.data: list[str] = []

    def section(self, number: int, section: Section) -> str:
        body = "\n".join(self.block(block) for block in section.blocks)
        return (
            f'<section id="section-{number}" aria-labelledby="heading-{number}">'
            f'<h2 id="heading-{number}">{html.escape(section.title)}</h2>\n{body}\n</section>'
        )

    def block(self, block: str | Panel | Row | Table | Listing | Code) -> str:
        if isinstance(block, str):
            return f"<p>{_prose(block)}</p>"
        if isinstance(block, Panel):
            return self.panel(block)
        if isinstance(block, Row):
            kind = "row thirds" if len(block.panels) == 3 else "row"
            return f'<div class="{kind}">{"".join(self.block(panel) for panel in block.panels)}</div>'
        if isinstance(block, Listing):
            return f"<ul>{''.join(f'<li>{_prose(item)}</li>' for item in block.items)}</ul>"
        if isinstance(block, Code):
            return f'<pre tabindex="0"><code>{html.escape(block.text)}</code></pre>'
        return f'<div class="scroll" tabindex="0">{block.to_html()}</div>'

    def panel(self, panel: Panel) -> str:
        figure, name = parts(panel.figure), f"figure-{len(self.data) + 1}"
        self.data.append(
            f'<script type="application/json" id="{name}-data">{script_json(figure.plot.to_json())}</script>'
        )
        table = panel.table or table_of(panel.figure)
        heading = "Caveat" if len(figure.caveats) == 1 else "Caveats"
        caveats = _prose("; ".join(caveat.rstrip(".") for caveat in figure.caveats))
        note = f'<p class="caveat"><b>{heading}.</b> {caveats}.</p>' if caveats else ""
        return (
            f'<figure aria-labelledby="{name}-title">'
            f'<h3 id="{name}-title">{html.escape(figure.title)}</h3>'
            f'<div class="plot" id="{name}" role="img" aria-label="{html.escape(figure.summary)}"'
            f' style="height:{_css_height(panel, figure)}"></div>'
            f"<figcaption><p>{_prose(figure.summary)}</p>{note}"
            f"<details><summary>Data</summary>"
            f'<div class="scroll" tabindex="0">{(panel.digest or table).to_html(max_rows=24)}</div>'
            f'<p><a download="{_slug(figure.title) or name}.csv" href="{table.to_data_uri()}">'
            f"All {len(table.rows):,} rows as CSV</a></p>"
            f"</details></figcaption></figure>"
        )


def _css_height(panel: Panel, figure: Parts) -> str:
    """A height given for a panel shrinks with a narrow window, so that a square plot stays one."""
    return f"{figure.height}px" if panel.height is None else f"min({panel.height}px, 100vw)"


def script_json(text: str) -> str:
    r"""JSON that is safe inside a script element: no `<`, `>`, `&` or line separator survives, only `\u` escapes."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _tiles(tiles: Sequence[Tile]) -> str:
    if not tiles:
        return ""
    cells = "".join(
        f"<div><dt>{html.escape(tile.label)}</dt><dd>{html.escape(tile.value)}"
        f"{f'<small>{_prose(tile.note)}</small>' if tile.note else ''}</dd></div>"
        for tile in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _prose(text: str) -> str:
    """Text in HTML, escaped; a percent sign stays on the line of its number."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", html.escape(text))


def _slug(title: str) -> str:
    words = "".join(character if character.isascii() and character.isalnum() else " " for character in title).split()
    return "-".join(words).lower()[:60]


def _asset(name: str) -> str:
    return (files("phasescope.reports") / name).read_text(encoding="utf-8")


_PAGE = _asset("report.html")
