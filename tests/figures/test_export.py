"""Saving: the ending says the format, and what is missing is named in one line."""

import os
import sys

import pytest

from phasescope import figures
from phasescope.errors import MissingExtraError, PhasescopeError
from phasescope.figures.theme import blank, finish


@pytest.fixture
def figure():
    figure = blank()
    figure.add_scatter(x=[1, 2], y=[3, 4], name="line")
    return finish(figure, title="A line", summary="It rises.")


def test_another_ending_is_refused(figure, tmp_path):
    with pytest.raises(ValueError, match=r"one of \.png, \.svg, \.pdf; 'a\.bmp' ends otherwise"):
        figures.save(figure, tmp_path / "a.bmp")


def test_missing_kaleido_is_named_in_one_line(figure, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(MissingExtraError) as caught:
        figures.save(figure, tmp_path / "a.png")
    assert "pip install 'phasescope[export]'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_browser_is_named_in_one_line(figure, tmp_path, monkeypatch):
    pytest.importorskip("kaleido")

    def no_browser(*_, **__):
        raise RuntimeError("\n\nKaleido requires Google Chrome to be installed.\n\nEither download …")

    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", no_browser)
    with pytest.raises(PhasescopeError) as caught:
        figures.save(figure, tmp_path / "a.png")
    assert "needs Chrome or Chromium" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_trouble_is_passed_on_in_one_line(figure, tmp_path, monkeypatch):
    pytest.importorskip("kaleido")

    def broken(*_, **__):
        raise ValueError("no such\nthing")

    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", broken)
    with pytest.raises(PhasescopeError, match=r"a\.svg could not be drawn: no such thing"):
        figures.save(figure, tmp_path / "a.svg")


def test_an_unwritable_place_is_named(figure, tmp_path, monkeypatch):
    pytest.importorskip("kaleido")
    monkeypatch.setattr("plotly.graph_objects.Figure.to_image", lambda *_, **__: b"image")
    with pytest.raises(PhasescopeError, match="cannot write"):
        figures.save(figure, tmp_path / "missing" / "a.png")


@pytest.mark.browser
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF")])
def test_an_image_is_written(figure, tmp_path, ending, start):
    pytest.importorskip("kaleido")
    try:
        path = figures.save(figure, tmp_path / f"a.{ending}")
    except PhasescopeError as error:
        if os.environ.get("PHASESCOPE_REQUIRE_BROWSER"):
            raise
        pytest.skip(str(error))
    assert path.read_bytes().startswith(start)
