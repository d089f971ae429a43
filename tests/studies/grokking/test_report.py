"""The report holds every section its runs can fill, in order, and stays whole where they cannot."""

import re

import pytest

from phasescope.studies.grokking.recorded import read
from phasescope.studies.grokking.report import compose, write_report
from phasescope.studies.grokking.report_tables import command


def titles(text):
    return re.findall(r'<h2 id="heading-\d+">(.*?)</h2>', text)


def test_a_full_study_with_a_transformer_beside_it(grokking_store, tmp_path):
    run_ids = grokking_store([300, 350, 400]) + grokking_store([500], bench="T1", role="circuit", model="transformer")
    text = write_report(grokking_store.root, run_ids, tmp_path / "report.html").read_text(encoding="utf-8")
    assert titles(text) == [
        "Memorize, wait, generalize",
        "The transitions, located",
        "When: the spread over seeds",
        "The embedding becomes a circle",
        "Fourier power over training",
        "Restricted and excluded loss",
        "Is the sharpness a mirage?",
        "Weight norm and logit scale",
        "Every network",
        "Caveats",
        "How to reproduce",
    ]
    assert "<h1>Learning a + b mod 23</h1>" in text
    verdict = text.partition('<p class="verdict">')[2].partition("</p>")[0]
    assert verdict.startswith("All 3 networks memorized by step ")
    assert verdict.endswith("×: grokking.")
    assert "phasescope grok --bench F1 --seeds 3 --seed 0 --circuit T1 --threads 1 --device cpu" in text
    assert all(run_id in text for run_id in run_ids)
    assert "a one-layer transformer (width 64) was trained on a + b mod 23" in text


def test_the_transition_is_shaded_on_both_time_axes(grokking_store):
    document = compose(read(grokking_store.root, grokking_store([300, 320])))
    rows = [block for block in document.sections[0].blocks if not isinstance(block, str)]
    figures = [panel.figure for panel in rows[0].panels]
    assert [figure.layout.xaxis.type for figure in figures] == ["log", None]
    for figure in figures:
        rectangle = figure.layout.shapes[0]
        assert rectangle.x0 < 300 < 320 < rectangle.x1


def test_the_circle_is_shown_before_in_and_after_the_transition(grokking_store):
    document = compose(read(grokking_store.root, grokking_store([300])))
    [section] = [section for section in document.sections if section.title == "The embedding becomes a circle"]
    figures = [panel.figure for panel in section.blocks[1].panels]
    words = [figure.layout.title.text.split(":")[0] for figure in figures]
    assert words == ["When memorized", "In the transition", "At the end"]
    shown = [float(re.search(r"circularity ([\d.]+)", figure.layout.meta["summary"])[1]) for figure in figures]
    assert shown[0] < 0.5 < shown[2] <= 1
    assert len({tuple(figure.layout.xaxis.range) for figure in figures}) == 1


def test_mirrored_rows_are_apart_from_the_headline(grokking_store):
    document = compose(read(grokking_store.root, grokking_store([300])))
    accuracy, *_, mirrored = [block for block in document.sections[0].blocks if not isinstance(block, str)]
    assert {trace.name for trace in accuracy.panels[0].figure.data} == {"train", "unmirrored test"}
    assert {trace.name for trace in mirrored.figure.data} == {"unmirrored test", "mirrored test"}


def test_networks_that_never_generalize_are_censored_in_the_picture(grokking_store, tmp_path):
    run_ids = grokking_store([None, None, 400])
    text = write_report(grokking_store.root, run_ids, tmp_path / "report.html").read_text(encoding="utf-8")
    verdict = text.partition('<p class="verdict">')[2].partition("</p>")[0]
    assert verdict.startswith("Of 3 networks, 2 only memorized and 1 grokked")
    assert "not generalized (censored)" in text
    assert "not reached" in text


def test_runs_that_were_never_judged_still_get_a_report(grokking_store, tmp_path):
    run_ids = grokking_store([300, 320], judge=False, fail=True)
    text = write_report(grokking_store.root, run_ids, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "recorded no verdict: 1 failed, 1 finished." in text
    assert "Seed 0 is failed at step" in text or "seed 0 is failed at step" in text
    assert "Memorize, wait, generalize" in titles(text)
    assert "The transitions, located" not in titles(text)


def test_a_circuit_alone_is_reported_as_the_study(grokking_store, tmp_path):
    run_ids = grokking_store([500], bench="T1", role="circuit", model="transformer")
    text = write_report(grokking_store.root, run_ids, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The network memorized at step" in text


def test_what_differs_from_the_bench_is_in_the_command(grokking_store):
    runs = read(grokking_store.root, grokking_store([300, 320], bench="F2"))
    assert "--modulus 23" in command(runs)
    assert "--steps 2500" in command(runs)
    assert "--lr" not in command(runs)


def test_caveats_that_differ_in_numbers_only_are_told_once(grokking_store, tmp_path):
    run_ids = grokking_store([300, 350, 400])
    text = write_report(grokking_store.root, run_ids, tmp_path / "report.html").read_text(encoding="utf-8")
    section = text.partition('aria-labelledby="heading-10"')[2].partition("</section>")[0]
    sentences = re.findall(r"<li>(.*?)</li>", section)
    assert len(sentences) >= 3
    shapes = [re.sub(r"[\d.]+( to [\d.]+)?", "#", sentence.partition(" (")[0]) for sentence in sentences]
    assert len(shapes) == len(set(shapes))


def test_no_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one run"):
        write_report(tmp_path, [], tmp_path / "report.html")
