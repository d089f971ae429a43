"""The documentation runs: every Python block, every docstring example, every link; generated pages are current."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import phasescope

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCK.search(page.read_text())], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for block in BLOCK.findall(page.read_text()):
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_of_a_page_is_dead(page):
    dead = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not dead


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_an_example_runs(example, tmp_path):
    subprocess.run([sys.executable, str(example)], cwd=tmp_path, check=True, capture_output=True, timeout=120)


def modules():
    return [info.name for info in pkgutil.walk_packages(phasescope.__path__, "phasescope.") if ".cli" not in info.name]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, extraglobs={"np": np}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_the_generated_pages_are_current():
    subprocess.run([sys.executable, str(ROOT / "docs" / "build_reference.py"), "--check"], check=True)


def test_the_calibration_tables_quote_the_benchmark():
    script = ROOT / "benchmarks" / "accuracy" / "transitions.py"
    printed = subprocess.run(
        [sys.executable, str(script), "--table"], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() in (ROOT / "docs" / "concepts" / "transitions.md").read_text()
