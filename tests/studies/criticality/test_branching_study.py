"""The branching study end to end: the ratio whole and in part, the trees, and a report from the record alone.

Only this file sees: sampled records that are estimated from the whole one, and a ratio without a stationary state.
"""

import numpy as np
import pytest

from phasescope.store.runs import open_run
from phasescope.studies.criticality.branching import BranchingSettings, branching_study
from phasescope.studies.criticality.report_branching import command, write_branching_report


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    store = tmp_path_factory.mktemp("runs")
    settings = BranchingSettings(ratio=0.95, bins=60_000, sampling=(1.0, 0.05), trees=5_000)
    return store, branching_study(store, settings, seed=2, n_bootstrap=100)


def test_the_ratio_is_found_whole_and_in_part_where_the_first_lag_is_wrong(studied):
    _, found = studied
    whole, part = found.sampled
    assert whole.result.interval[0] < 0.95 < whole.result.interval[1]
    assert part.result.interval[0] < 0.95 < part.result.interval[1]
    assert part.result.naive < 0.5
    assert part.result.naive == pytest.approx(part.expected_naive, abs=0.05)
    assert part.expected_naive == pytest.approx(0.95 * 0.05 / (0.05 + 0.95 * (1 - 0.95**2)))


def test_trees_and_exact_laws_are_in_the_store(studied):
    store, found = studied
    run = open_run(store, found.run_id)
    sizes = run.array("avalanches/sizes")
    law = run.array("exact/size_probability")
    assert law[0, 1] == pytest.approx(np.exp(-0.95))
    assert (sizes == 1).mean() == pytest.approx(law[0, 1], abs=0.03)
    items = run.results()["sampled"]["items"]
    assert [one["share"] for one in items] == [1.0, 0.05]
    assert items[1]["result"]["estimate"] == found.sampled[1].result.estimate


def test_the_report_is_made_from_the_record(studied, tmp_path):
    store, found = studied
    text = write_branching_report(store, found.run_id, tmp_path / "report.html").read_text()
    assert "covers the true m = 0.95 at 2 of 2 degrees of sampling" in text
    words = "phasescope branching --ratio 0.95 --bins 60000 --sampling 1.0 --sampling 0.05 --trees 5000 --seed 2"
    assert command(open_run(store, found.run_id)) == words


@pytest.mark.parametrize("ratio", [1.0, 1.05, 1.4])
def test_without_a_stationary_state_only_trees_are_read(ratio, tmp_path):
    settings = BranchingSettings(ratio=ratio, trees=1_000, max_generations=400)
    found = branching_study(tmp_path, settings, n_bootstrap=100)
    assert found.sampled == ()
    text = write_branching_report(tmp_path, found.run_id, tmp_path / "report.html").read_text()
    assert "there is no stationary activity" in text


def test_bad_shares_are_refused():
    with pytest.raises(ValueError, match="share of events seen"):
        BranchingSettings(sampling=(0.0,))
    with pytest.raises(ValueError, match="named once"):
        BranchingSettings(sampling=(0.1, 0.1))
