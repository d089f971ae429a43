"""The sandpile study end to end: what is recorded is what was measured, and the report is made from the record alone.

Only this file sees: results that do not survive the store, a report that needs the live objects, and a setting that
silently means nothing to a model.
"""

import numpy as np
import pytest

from phasescope.store.runs import open_run
from phasescope.studies.criticality.report_sandpile import command, write_sandpile_report
from phasescope.studies.criticality.sandpile import MODELS, SandpileSettings, sandpile_study
from phasescope.synthetic.sandpile_group import identity, is_recurrent


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    store = tmp_path_factory.mktemp("runs")
    settings = SandpileSettings(size=16, grains=20_000)
    seen = []
    found = sandpile_study(store, settings, seed=1, n_bootstrap=100, watch=lambda n, sizes: seen.append(n))
    return store, found, seen


def test_the_mean_is_the_exact_one(studied):
    _, found, _ = studied
    low, high = found.mean_topplings_interval
    error = (high - low) / 3.92
    assert abs(found.mean_topplings - 11.3382146) < 4 * error
    assert SandpileSettings(size=16).exact_mean == pytest.approx(11.3382146)


def test_everything_is_in_the_store(studied):
    store, found, seen = studied
    run = open_run(store, found.run_id)
    assert run.status == "finished"
    assert {"sandpile", "criticality", "power_law", "published", "omitted"} <= set(run.results())
    sizes = run.array("avalanches/sizes")
    np.testing.assert_array_equal(sizes, found.reading.avalanches.sizes)
    assert sizes.sum() / 20_000 == pytest.approx(found.mean_topplings)
    assert is_recurrent(run.array("sandpile/heights"))
    np.testing.assert_array_equal(run.array("sandpile/identity"), identity((16, 16)))
    assert seen[-1] == 20_000
    means = run.series("sandpile/mean_topplings")
    assert means.values[-1] == pytest.approx(found.mean_topplings)
    assert (np.diff(run.series("sandpile/largest_avalanche").values) >= 0).all()


def test_the_same_seed_gives_the_same_avalanches(studied, tmp_path):
    _, found, _ = studied
    again = sandpile_study(tmp_path, SandpileSettings(size=16, grains=20_000), seed=1, n_bootstrap=100)
    np.testing.assert_array_equal(again.reading.avalanches.sizes, found.reading.avalanches.sizes)
    assert again.reading.power_law.to_dict() == found.reading.power_law.to_dict()


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_is_studied_and_reported(model, tmp_path):
    found = sandpile_study(tmp_path, SandpileSettings(model=model, size=20, grains=3_000), n_bootstrap=100)
    path = write_sandpile_report(tmp_path, found.run_id, tmp_path / "report.html")
    text = path.read_text()
    assert found.reading.criticality.verdict.lower() in text.lower()
    assert f"phasescope sandpile --{'model ' + model + ' --' if model != 'btw' else ''}size 20 --grains 3000" in text


def test_a_pile_of_one_site_has_too_little_to_read(tmp_path):
    found = sandpile_study(tmp_path, SandpileSettings(size=1, grains=50), n_bootstrap=100)
    assert found.mean_topplings == pytest.approx(0.25, abs=0.05)
    assert found.reading.criticality.verdict == "too little data"
    assert found.reading.exponents is None
    write_sandpile_report(tmp_path, found.run_id, tmp_path / "report.html")


def test_the_command_in_the_report_makes_the_run_again(studied):
    store, found, _ = studied
    assert command(open_run(store, found.run_id)) == "phasescope sandpile --size 16 --grains 20000 --seed 1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "btv"}, "btw"),
        ({"model": "manna", "dissipation": 1}, "dissipation means nothing to the manna model"),
        ({"model": "directed", "dimension": 3}, "dimension means nothing"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SandpileSettings(**options)
