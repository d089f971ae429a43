"""A report in a real browser, offline: every figure is drawn, nothing is said on the console, nothing hostile runs.

Only here would a script that the policy forbids, a figure that Plotly.js refuses, or a request be seen; the
console and the requests are looked at by `open_report`.
"""

import pytest

from phasescope.reports.run_report import write_run_report

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("shared_js", [False, True])
def test_a_report_of_a_hostile_run_is_drawn_and_harmless(hostile_store, tmp_path, open_report, shared_js):
    root, run_id = hostile_store
    browser = open_report(write_run_report(root, [run_id], tmp_path / "report.html", shared_js=shared_js))
    plots = browser.execute_script(
        "return [...document.querySelectorAll('.plot')].map(plot => [plot.querySelectorAll('svg.main-svg').length, "
        "plot.querySelectorAll('.scatterlayer path.js-line').length, plot.textContent])"
    )
    assert len(plots) == 8
    assert all(surfaces >= 1 for surfaces, _, _ in plots)
    assert [lines for _, lines, _ in plots] == [1, 1, 1, 1, 1, 1, 0, 0]  # the last series has no finite value
    assert "</script><script>alert(1)</script>" in plots[0][2]
    assert "WebGL" not in "".join(text for _, _, text in plots)
    assert not browser.execute_script(
        "return document.querySelectorAll('.plot a[href*=javascript], main script').length"
    )


def test_the_policy_forbids_what_slips_in(hostile_store, tmp_path, open_report):
    root, run_id = hostile_store
    browser = open_report(write_run_report(root, [run_id], tmp_path / "report.html"))
    ran = browser.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.slipped = 1';"
        "document.body.append(script); const image = document.createElement('div');"
        "image.innerHTML = '<img src=x onerror=\"window.slipped = 2\">'; document.body.append(image);"
        "return new Promise(done => setTimeout(() => done(window.slipped ?? null), 300))"
    )
    assert ran is None


@pytest.mark.parametrize("width", [1200, 360])
def test_nothing_is_wider_than_the_window(hostile_store, tmp_path, open_report, width):
    root, run_id = hostile_store
    browser = open_report(write_run_report(root, [run_id], tmp_path / "report.html"), width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(
        "return [...document.querySelectorAll('.plot')].every("
        "plot => plot.querySelector('svg.main-svg').getBoundingClientRect().width <= plot.clientWidth + 1)"
    )
