"""The file stands alone, forbids everything it does not need, and shows hostile text as text.

What only these tests see: a string that ends a script element early, a second copy of Plotly.js, an address to load.
What a browser makes of it is in `test_in_browser.py`.
"""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasescope.errors import StoreError
from phasescope.figures.curves import Axes, Curve, draw_curves
from phasescope.reports.document import Code, Document, Listing, Panel, Row, Section, Tile, script_json
from phasescope.reports.tables import Table

HOSTILE = "</script><script>alert(1)</script>"


class Page(HTMLParser):
    """Elements with their attributes, and the text inside scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data):
        if self._inside:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)

    def handle_endtag(self, tag):
        self._inside = False


def document(text="plain"):
    curve = Curve(name=text, steps=[1.0, 10.0, 100.0], values=[0.0, 0.5, 1.0], run=text)
    panel = Panel(figure=draw_curves([curve], axes=Axes(value_label=text), title=text, summary=text, caveats=(text,)))
    table = Table(columns=(text,), rows=[(text,)], caption=text)
    blocks = [text, panel, Row(panels=[panel, table]), table, Listing(items=[text]), Code(text=text)]
    return Document(
        title=text,
        verdict=text,
        kicker=text,
        lead=[text],
        tiles=[Tile(value=text, label=text, note=text)],
        sections=[Section(title=text, blocks=blocks)],
        footer=text,
    )


def executable(page):
    return [(attributes, text) for attributes, text in page.scripts if attributes.get("type") != "application/json"]


@pytest.mark.parametrize(
    "text", ["plain", HOSTILE, "<!--", '"><img src=x onerror=alert(1)>', "</style><b>", "{nonce}{x}"]
)
def test_no_text_becomes_an_element(text):
    plain, page = Page(document().to_html()), Page(document(text).to_html())
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert len(executable(page)) == 2


def test_the_policy_allows_scripts_with_the_nonce_alone():
    page = Page(document().to_html())
    [policy] = [found["content"] for _, found in page.elements if found.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    nonce = re.fullmatch(r"'nonce-([\w+/=]{40,})'", rules["script-src"])[1]
    assert all(attributes["nonce"] == nonce for attributes, _ in executable(page))
    assert "unsafe-inline" not in rules["script-src"] + rules["img-src"]
    assert "connect-src" not in rules


def test_the_nonce_depends_on_the_content_and_on_nothing_else():
    first, again, other = document().to_html(), document().to_html(), document("other").to_html()
    assert first == again
    nonces = [re.search(r"nonce-([^']+)'", text)[1] for text in (first, other)]
    assert nonces[0] != nonces[1]


def test_nothing_is_loaded_from_anywhere():
    page = Page(document().to_html())
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action")
    ]
    assert all(address.startswith(("#", "data:text/csv")) for address in addresses)


def test_plotly_is_carried_once():
    text = document().to_html()
    assert text.count("plotly.js v") == 1
    assert 4_000_000 < len(text) < 6_000_000


def test_shared_plotly_lies_beside_the_report(tmp_path):
    path = document().write(tmp_path / "sub" / "report.html", shared_js=True)
    assert path.stat().st_size < 200_000
    assert (path.parent / "plotly.min.js").stat().st_size > 4_000_000
    page = Page(path.read_text(encoding="utf-8"))
    assert [attributes.get("src") for attributes, _ in executable(page)] == ["plotly.min.js", None]


@given(st.text())
def test_json_in_a_script_element_says_the_same_and_cannot_end_it(text):
    safe = script_json(json.dumps({text: text}, ensure_ascii=False))
    assert not set(safe) & set("<>&\u2028\u2029")
    assert json.loads(safe) == {text: text}


def test_figure_data_arrives_whole():
    page = Page(document(HOSTILE).to_html())
    data = [json.loads(text) for attributes, text in page.scripts if attributes.get("type") == "application/json"]
    assert len(data) == 2
    assert data[0]["data"][0]["y"] == [0, 0.5, 1] or data[0]["data"][0]["y"]["bdata"]
    assert data[0]["layout"]["xaxis"]["type"] == "log"


def test_every_figure_has_a_name_a_summary_a_caveat_and_its_data():
    text = document("Text of this figure.").to_html()
    page = Page(text)
    plots = [attributes for tag, attributes in page.elements if tag == "div" and attributes.get("class") == "plot"]
    assert [plot["id"] for plot in plots] == ["figure-1", "figure-2"]
    assert all(plot["role"] == "img" and plot["aria-label"] == "Text of this figure." for plot in plots)
    assert text.count("<b>Caveat.</b> Text of this figure.") == 2
    downloads = [attributes["download"] for tag, attributes in page.elements if tag == "a" and "download" in attributes]
    assert downloads == ["text-of-this-figure.csv"] * 2


def test_landmarks_and_headings_lead_through_the_page():
    page = Page(document().to_html())
    tags = [tag for tag, _ in page.elements]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert tags.count(landmark) == 1
    assert ("html", {"lang": "en"}) in page.elements
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {
        attributes["href"][1:] for tag, attributes in page.elements if tag == "a" and attributes["href"][0] == "#"
    } <= ids


def test_a_report_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the report to"):
        document().write(tmp_path / "file" / "report.html")
