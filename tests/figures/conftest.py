import dataclasses

import numpy as np
import pytest

from phasescope.measures.avalanche_exponents import avalanche_exponents
from phasescope.measures.avalanche_scan import avalanche_scan
from phasescope.measures.avalanches import avalanches_of_signal
from phasescope.measures.branching import branching_ratio
from phasescope.measures.criticality import SurrogateComparison, criticality
from phasescope.measures.cut_off_growth import cut_off_growth
from phasescope.measures.delay import crossing, delay, generalization_step, memorization_step
from phasescope.measures.eigenvalue_tail_index import eigenvalue_tail_index
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.exponent_difference import exponent_difference
from phasescope.measures.fourier import embedding_spectrum, key_frequencies, table_spectrum
from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
from phasescope.measures.gradient_spectrum import gradient_spectrum
from phasescope.measures.layer_spectra import layer_spectra
from phasescope.measures.matrix_spectrum import matrix_spectrum
from phasescope.measures.mirage import mirage
from phasescope.measures.power_law import fit_power_law
from phasescope.measures.representation import circularity, representation_quality
from phasescope.measures.shape_collapse import shape_collapse
from phasescope.measures.sharpness import sharpness
from phasescope.measures.simple_scaling import simple_scaling
from phasescope.measures.surrogates import ornstein_uhlenbeck
from phasescope.measures.survival import kaplan_meier
from phasescope.measures.transitions import find_transitions
from phasescope.measures.verdict import verdict
from phasescope.studies.criticality.calibration import Calibration, DecisionRow, EstimateRow
from phasescope.studies.criticality.neural_sandpile import neural_sandpile_study
from phasescope.synthetic.branching import branching_process
from phasescope.synthetic.directed_sandpile import directed_sandpile
from phasescope.synthetic.galton_watson import galton_watson
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix, spiked_matrix

P, KEY = 13, 3
CALIBRATION = Calibration(
    estimates=(
        EstimateRow(
            case="trees",
            system="critical trees",
            quantity="τ",
            truth=1.5,
            coverage=0.94,
            coverage_interval=(0.92, 0.955),
            bias=0.001,
            bias_error=0.002,
            spread=0.05,
            half_width=0.05,
            n_trials=500,
            n_without_answer=0,
        ),
    ),
    decisions=tuple(
        DecisionRow(
            case=case,
            system=case,
            decision="called critical",
            is_true=is_true,
            share=share,
            share_interval=(share - 0.02, share + 0.02),
            bound=None,
            n_trials=100,
        )
        for case, is_true, share in (("noise", False, 0.03), ("trees", True, 0.9))
    ),
    seed=0,
    cpu_seconds=10.0,
)


def rise(steps, midpoint, width):
    return 1 / (1 + (midpoint / np.maximum(steps, 1e-9)) ** (2 * np.log10(9) / width))


@pytest.fixture(scope="session")
def results():
    """One result of every type that has a figure, from the measures themselves."""
    rng = np.random.default_rng(0)
    steps = np.unique(np.geomspace(1, 3000, 90).round())
    train = rise(steps, 20, 0.4)
    test = 1 / P + (1 - 1 / P) * rise(steps, 400, 0.25)
    noisy = test + 0.01 * rng.standard_normal(test.size)
    residues = np.arange(P)
    angle = 2 * np.pi * KEY * residues / P
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    embedding = np.hstack([circle, 0.1 * rng.standard_normal((P, 6))])
    total = (residues[:, None, None] + residues[None, :, None] - residues) % P
    logits = 6 * np.cos(2 * np.pi * KEY * total / P) + 0.3 * rng.standard_normal((P, P, P))
    memorized, generalized = memorization_step(steps, train), generalization_step(steps, test)
    tail = rng.pareto(1.5, 400) + 1
    other = np.random.default_rng(1)
    trees = galton_watson(2_000, profiles=True, rng=other)
    exponents = avalanche_exponents(trees)
    noise = ornstein_uhlenbeck(40_000, correlation_time=400, rng=other)
    walks = {n: directed_sandpile(n, n_grains=20_000, rng=other).sizes for n in (8, 16, 32, 64)}
    comparison = SurrogateComparison(
        kind="time-shuffled",
        estimate=8.0,
        p_value=0.05,
        statistics=np.vstack([np.full(4, 3.0), other.standard_normal((19, 4))]),
        silence_variations=np.ones(20),
        n_surrogates=19,
        n_without_avalanches=0,
        n_fitted=5,
        n_alike=0,
    )
    judged = dataclasses.replace(criticality(trees, rng=other), surrogates=(comparison,))
    matrices = np.random.default_rng(2)
    levy = pareto_matrix(400, 400, tail_index=1.0, rng=matrices)
    common = matrices.standard_normal((20, 500)) + matrices.standard_normal((20, 1)) * matrices.standard_normal(500)
    spiked = spiked_matrix(200, 400, strengths=np.geomspace(2, 60, 12), rng=matrices)
    layers = {
        "noise": gaussian_matrix(40, 60, rng=matrices),
        "spiked": spiked_matrix(40, 60, strengths=[5.0], rng=matrices),
        "levy": levy,
        "low rank": np.outer(np.arange(1.0, 9.0), np.arange(1.0, 7.0)),
        "bias": np.zeros(40),
    }
    return {
        "AvalancheExponents": exponents,
        "AvalancheScan": avalanche_scan(noise, thresholds=(0.0, 1.0, 9.0), bin_sizes=(1, 4)),
        "Avalanches": avalanches_of_signal(noise, threshold=0.5),
        "BranchingRatio": branching_ratio(branching_process(ratio=0.9, drive=5.0, n_bins=3_000, rng=other)),
        "Calibration": CALIBRATION,
        "Circularity": circularity(embedding, rng=rng),
        "CracklingRelation": exponents.crackling,
        "Criticality": judged,
        "Crossing": crossing(steps, test),
        "CutOffGrowth": cut_off_growth(walks),
        "Delay": delay(memorized, generalized),
        "EigenvalueTailIndex": eigenvalue_tail_index(levy, n_resamples=20, rng=matrices),
        "EmbeddingSpectrum": embedding_spectrum(embedding, rng=rng),
        "ExcludedLoss": excluded_loss(logits, rng.random((P, P)) < 0.5, rng=rng),
        "ExponentDifference": exponent_difference(tail, rng.pareto(2.0, 300) + 1, n_bootstrap=100, rng=rng),
        "GradientSpectrum": gradient_spectrum(common, rng=matrices),
        "KeyFrequencies": key_frequencies(logits),
        "LayerSpectra": layer_spectra(layers, n_bootstrap=100, rng=matrices),
        "MatrixSpectrum": matrix_spectrum(spiked, n_bootstrap=100, rng=matrices),
        "Mirage": mirage(steps, {"accuracy": test, "cross_entropy": 3 * (1 - test)}, n_items=1000),
        "NeuralSandpileStudy": neural_sandpile_study([20, 100], n_seeds=2, n_drives=4_000),
        "PowerLaw": fit_power_law(np.minimum(tail, 30), censored=tail > 30, n_bootstrap=100, rng=rng),
        "PrincipalPlane": principal_plane(embedding, rng=rng),
        "RepresentationQuality": representation_quality(embedding, rng=rng),
        "RestrictedLoss": restricted_loss(logits, rng=rng),
        "ShapeCollapse": shape_collapse(trees, durations=(8, 100)),
        "Sharpness": sharpness(steps, test, n_items=1000),
        "SimpleScaling": simple_scaling(walks),
        "SurrogateComparison": comparison,
        "SurvivalCurve": kaplan_meier([400, 450, 500, 600, 1500], [True, True, True, True, False]),
        "TableSpectrum": table_spectrum(logits),
        "Transition": find_transitions(steps, noisy, rng=rng, name="test/accuracy")[0],
        "Verdict": verdict(steps, train, test, chance=1 / P, n_test=1000),
    }
