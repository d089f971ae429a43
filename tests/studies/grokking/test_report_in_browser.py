"""The grokking report in a real browser, offline: every figure is drawn with room to be read."""

import pytest

from phasescope.studies.grokking.report import write_report

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("width", [1200, 390])
def test_every_figure_of_the_report_is_drawn(grokking_store, tmp_path, open_report, width):
    run_ids = grokking_store([300, 350, None])
    run_ids += grokking_store([500], bench="T1", role="circuit", model="transformer")
    browser = open_report(write_report(grokking_store.root, run_ids, tmp_path / "report.html"), width=width)
    plots = browser.execute_script(
        "return [...document.querySelectorAll('.plot')].map(plot => ({id: plot.id, "
        "marks: plot.querySelectorAll('.scatterlayer path, .heatmaplayer image, .barlayer path').length, "
        "sides: [plot._fullLayout.xaxis._length, plot._fullLayout.yaxis._length]}))"
    )
    assert len(plots) >= 20
    assert [plot["id"] for plot in plots if plot["marks"] == 0] == []
    assert [plot["id"] for plot in plots if min(plot["sides"]) < 100] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
