"""Every result is drawn from its type, live or out of the store, and drawing needs none of the measures' code."""

import json
import subprocess
import sys

import plotly.graph_objects as go
import pytest

from phasescope import figures
from phasescope.measures.delay import crossing
from phasescope.results import Result


def test_every_type_in_the_table_is_tried_here(results):
    assert set(results) == set(figures._DRAWERS)


@pytest.mark.parametrize("name", sorted(figures._DRAWERS))
def test_a_result_and_what_the_store_keeps_of_it_give_the_same_figure(name, results):
    live = figures.draw(results[name])
    stored = figures.draw(json.loads(json.dumps(results[name].to_dict())))
    assert isinstance(live, go.Figure)
    assert live.to_dict()["layout"] == stored.to_dict()["layout"]
    assert json.loads(live.to_json()) == json.loads(stored.to_json())


@pytest.mark.parametrize("name", sorted(figures._DRAWERS))
def test_every_figure_has_title_summary_data_and_named_axes(name, results):
    figure = figures.draw(results[name])
    assert figure.layout.title.text
    assert figure.layout.meta["summary"].endswith(".")
    assert len(figure.layout.meta["summary"]) > 20
    assert figure.data
    assert figure.layout.xaxis.title.text or figure.layout.yaxis.title.text
    assert all(trace.type != "scattergl" for trace in figure.data)


@pytest.mark.parametrize("name", sorted(figures._DRAWERS))
def test_caveats_are_printed(name, results):
    figure = figures.draw(results[name])
    printed = [note.text for note in figure.layout.annotations if note.name == "caveats"]
    assert bool(printed) == bool(figure.layout.meta["caveats"])
    if name != "Mirage":
        assert tuple(figure.layout.meta["caveats"]) == results[name].caveats


def test_a_result_without_a_figure_is_named():
    with pytest.raises(TypeError, match="results of type Result have no figure; those that have one: AvalancheE"):
        figures.draw(Result())


def test_a_censored_crossing_says_so():
    summary = figures.draw(crossing([1, 10, 100], [0.0, 0.1, 0.2])).layout.meta["summary"]
    assert summary == "The curve did not reach 0.99 by step 100 (censored)."


def test_drawing_loads_no_torch():
    code = "import sys, phasescope.figures as f; f.draw({'type': 'Delay', 'estimate': None, 'lower_bound': None, "
    code += "'memorization_step': None, 'memorization_step_interval': None, 'generalization_step': None, "
    code += "'generalization_step_interval': None}); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
