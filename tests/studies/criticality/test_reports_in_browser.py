"""The reports of sandpile and branching in a real browser, offline: every figure is drawn with room to be read."""

import pytest

from phasescope.studies.criticality.branching import BranchingSettings, branching_study
from phasescope.studies.criticality.report_branching import write_branching_report
from phasescope.studies.criticality.report_sandpile import write_sandpile_report
from phasescope.studies.criticality.sandpile import SandpileSettings, sandpile_study

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


def sandpile_report(tmp_path):
    found = sandpile_study(tmp_path, SandpileSettings(size=24, grains=20_000), n_bootstrap=100)
    return write_sandpile_report(tmp_path, found.run_id, tmp_path / "report.html"), 6


def branching_report(tmp_path):
    settings = BranchingSettings(ratio=0.9, bins=20_000, trees=20_000)
    found = branching_study(tmp_path, settings, n_bootstrap=100)
    return write_branching_report(tmp_path, found.run_id, tmp_path / "report.html"), 8


@pytest.mark.parametrize("make", [sandpile_report, branching_report])
@pytest.mark.parametrize("width", [1200, 390])
def test_every_figure_of_the_report_is_drawn(make, tmp_path, open_report, width):
    path, n_figures = make(tmp_path)
    browser = open_report(path, width=width)
    plots = browser.execute_script(
        "return [...document.querySelectorAll('.plot')].map(plot => ({id: plot.id, "
        "marks: plot.querySelectorAll('.scatterlayer path, .heatmaplayer image').length, "
        "sides: [plot._fullLayout.xaxis._length, plot._fullLayout.yaxis._length]}))"
    )
    assert len(plots) >= n_figures
    assert [plot["id"] for plot in plots if plot["marks"] == 0] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
