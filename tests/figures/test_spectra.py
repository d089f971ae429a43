"""What the figures of spectra show is the noise that was fitted, what lies beyond it, and which layers differ."""

import dataclasses

import numpy as np
import pytest

from phasescope import figures
from phasescope.figures import layer_spectra as figure_of_layers
from phasescope.measures.layer_spectra import layer_spectra
from phasescope.measures.matrix_spectrum import matrix_spectrum
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix


def named(figure, name):
    [trace] = [trace for trace in figure.data if trace.name == name and trace.showlegend is not False]
    return trace


def test_the_density_of_noise_has_the_share_of_the_bulk_and_ends_at_the_edge(results):
    result = results["MatrixSpectrum"]
    law = named(figures.draw(result), "Marchenko–Pastur")
    assert np.trapezoid(law.y, law.x) == pytest.approx((200 - result.n_spikes) / 200, abs=2e-3)
    assert (law.x[0], law.x[-1]) == pytest.approx((result.lower_edge, result.upper_edge), rel=1e-3)


def test_the_bars_are_a_density_of_all_eigenvalues(results):
    result = results["MatrixSpectrum"]
    [bars] = [trace for trace in figures.draw(result).data if trace.type == "bar"]
    end = bars.x[-1] + bars.width / 2
    assert np.sum(bars.y) * bars.width == pytest.approx(np.mean(result.eigenvalues <= end))
    assert end > result.threshold


def test_spikes_and_tail_are_those_of_the_result(results):
    result = results["MatrixSpectrum"]
    figure = figures.draw(result)
    spikes = named(figure, "beyond the edge")
    assert list(spikes.x) == result.eigenvalues[-result.n_spikes :].tolist()
    assert spikes.customdata[-1][0] == result.spike_strengths[0]
    assert spikes.y[-1] == pytest.approx(1 / 200)
    tail = named(figure, f"power law, α = {result.tail.estimate:.3g}: {result.tail.verdict}")
    slope = np.diff(np.log(tail.y)) / np.diff(np.log(tail.x))
    np.testing.assert_allclose(slope, 1 - result.tail.estimate)
    assert tail.y[0] == pytest.approx(result.tail.law.n_tail / 200)
    assert result.verdict in figure.layout.meta["summary"]
    assert "Power law beyond the edge" in figure.layout.meta["summary"]


def test_a_matrix_without_bulk_has_one_panel():
    rng = np.random.default_rng(0)
    low = matrix_spectrum(rng.standard_normal((50, 2)) @ rng.standard_normal((2, 80)), rng=rng)
    figure = figures.draw(low)
    assert [trace.name for trace in figure.data] == ["eigenvalues"]
    assert tuple(figure.layout.yaxis2.domain) == (0, 1)


def test_a_pole_of_the_density_leaves_room_for_the_rest():
    rng = np.random.default_rng(0)
    figure = figures.draw(matrix_spectrum(gaussian_matrix(150, 150, rng=rng), rng=rng))
    assert figure.layout.yaxis.range[1] < 10


def test_every_layer_has_a_row_and_its_kind(results):
    result = results["LayerSpectra"]
    figure = figures.draw(result)
    assert list(figure.layout.yaxis.ticktext) == ["noise", "spiked", "levy", "low rank"]
    noise = named(figure, "largest, as noise")
    assert list(noise.y) == [0]
    assert noise.x[0] == pytest.approx(result.spectra[0].eigenvalues[-1] / result.spectra[0].upper_edge)
    others = [y for trace in figure.data if trace.name.startswith("beyond") for y in trace.y]
    assert others.count(1) == result.n_spikes[1] == 1
    assert others.count(2) == result.n_spikes[2] > 20
    assert f"Of 4 layers {result.n_unlike_noise} have something" in figure.layout.meta["summary"]


def test_too_many_layers_are_cut_to_those_least_like_noise(monkeypatch):
    monkeypatch.setattr(figure_of_layers, "MOST_LAYERS", 2)
    rng = np.random.default_rng(0)
    layers = {f"noise {i}": gaussian_matrix(30, 40, rng=rng) for i in range(4)}
    layers["levy"] = pareto_matrix(60, 60, tail_index=1.0, rng=rng)
    figure = figures.draw(layer_spectra(layers, n_bootstrap=100, rng=rng))
    assert figure.layout.yaxis.ticktext[1] == "levy"
    assert len(figure.layout.yaxis.ticktext) == 2
    assert "The 2 least like noise are drawn." in figure.layout.meta["summary"]


def test_an_index_has_its_interval_and_its_dependence_on_the_tail(results):
    result = results["EigenvalueTailIndex"]
    figure = figures.draw(result)
    bar = named(figure, "95 %, resampled matrices")
    assert (bar.x[0], bar.y[0]) == (0.05, result.estimate)
    assert bar.y[0] + bar.error_y.array[0] == pytest.approx(result.interval[1])
    assert bar.y[0] - bar.error_y.arrayminus[0] == pytest.approx(result.interval[0])
    assert list(named(figure, "α by length of the tail").y) == result.indices.tolist()


def test_common_directions_stand_out_of_the_null(results):
    result = results["GradientSpectrum"]
    figure = figures.draw(result)
    assert list(named(figure, "common directions").y) == result.eigenvalues[-1:].tolist()
    [reach] = [shape for shape in figure.layout.shapes if shape.name == "largest of the null"]
    assert (reach.y0, reach.y1) == (result.null_largest.min(), result.null_largest.max())
    few = dataclasses.replace(result, marchenko_pastur_edge=None, n_outliers=0)
    assert not [trace for trace in figures.draw(few).data if "edge" in trace.name or "common" in trace.name]
