import numpy as np
import pytest

from phasescope.measures.delay import crossing, delay, generalization_step, memorization_step
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.fourier import embedding_spectrum, key_frequencies, table_spectrum
from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
from phasescope.measures.mirage import mirage
from phasescope.measures.representation import circularity, representation_quality
from phasescope.measures.sharpness import sharpness
from phasescope.measures.survival import kaplan_meier
from phasescope.measures.transitions import find_transitions
from phasescope.measures.verdict import verdict

P, KEY = 13, 3


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
    return {
        "Circularity": circularity(embedding, rng=rng),
        "Crossing": crossing(steps, test),
        "Delay": delay(memorized, generalized),
        "EmbeddingSpectrum": embedding_spectrum(embedding, rng=rng),
        "ExcludedLoss": excluded_loss(logits, rng.random((P, P)) < 0.5, rng=rng),
        "KeyFrequencies": key_frequencies(logits),
        "Mirage": mirage(steps, {"accuracy": test, "cross_entropy": 3 * (1 - test)}, n_items=1000),
        "PrincipalPlane": principal_plane(embedding, rng=rng),
        "RepresentationQuality": representation_quality(embedding, rng=rng),
        "RestrictedLoss": restricted_loss(logits, rng=rng),
        "Sharpness": sharpness(steps, test, n_items=1000),
        "SurvivalCurve": kaplan_meier([400, 450, 500, 600, 1500], [True, True, True, True, False]),
        "TableSpectrum": table_spectrum(logits),
        "Transition": find_transitions(steps, noisy, rng=rng, name="test/accuracy")[0],
        "Verdict": verdict(steps, train, test, chance=1 / P, n_test=1000),
    }
