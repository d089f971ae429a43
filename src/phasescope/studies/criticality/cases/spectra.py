"""Random matrices: are noise, spikes of a known strength and Pareto entries told apart and measured?"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from phasescope.measures.eigenvalue_tail_index import eigenvalue_tail_index
from phasescope.measures.layer_spectra import layer_spectra
from phasescope.measures.matrix_spectrum import matrix_spectrum
from phasescope.studies.criticality.calibration import DecisionCase, EstimateCase, Estimates
from phasescope.synthetic.random_matrices import gaussian_matrix, pareto_matrix, spiked_matrix

N_ROWS, N_COLUMNS = 100, 400
THRESHOLD = (N_ROWS / N_COLUMNS) ** 0.5  # √c, below which a spike leaves no trace
LEVEL = 0.05
NETWORK = {"embedding": (500, 48), "attention": (144, 48), "projection": (48, 48), "up": (192, 48), "down": (48, 192)}
N_BLOCKS = 4
Z = 1.959963984540054


def _tail_index(mu: float, size: int, rng: np.random.Generator) -> Estimates:
    found = eigenvalue_tail_index(pareto_matrix(size, size, tail_index=mu, rng=rng), rng=rng)
    return {"α": (found.estimate, *found.interval)}


def _spike_strength(strength: float, rng: np.random.Generator) -> Estimates:
    found = matrix_spectrum(spiked_matrix(N_ROWS, N_COLUMNS, strengths=[strength], rng=rng), rng=rng)
    if found.n_spikes == 0:
        raise ValueError("no eigenvalue lies beyond the edge, so there is no strength")
    theta, error = float(found.spike_strengths[0]), float(found.spike_errors[0])
    return {"θ": (theta, theta - Z * error, theta + Z * error)}


def _entries(law: str, rng: np.random.Generator) -> NDArray[np.float64]:
    if law == "normal":
        return gaussian_matrix(N_ROWS, N_COLUMNS, rng=rng)
    if law == "uniform":
        return rng.uniform(-1, 1, (N_ROWS, N_COLUMNS))
    return rng.standard_normal((N_ROWS, N_COLUMNS)) * (rng.random((N_ROWS, N_COLUMNS)) < 0.5)


def _reaches_beyond(law: str, rng: np.random.Generator) -> bool:
    return matrix_spectrum(_entries(law, rng), level=LEVEL, rng=rng).n_spikes > 0


def _has_a_spike(strength: float, rng: np.random.Generator) -> bool:
    weight = spiked_matrix(N_ROWS, N_COLUMNS, strengths=[strength], rng=rng)
    return matrix_spectrum(weight, level=LEVEL, rng=rng).n_spikes > 0


def _network_is_not_noise(rng: np.random.Generator) -> bool:
    """Whether any layer of a transformer with Kaiming's uniform weights is said to differ from noise."""
    layers = {
        f"{block}.{name}": rng.uniform(-1, 1, shape) / shape[1] ** 0.5
        for block in range(N_BLOCKS)
        for name, shape in NETWORK.items()
        if block == 0 or name != "embedding"
    }
    return layer_spectra(layers, level=LEVEL, rng=rng).n_unlike_noise > 0


CASES = (
    *(
        EstimateCase(
            name=f"spectra, Pareto entries, μ = {mu:g}",
            system=f"400 × 400 Pareto entries of index {mu:g}; α = 1 + μ/2 of the eigenvalues",
            truths={"α": 1 + mu / 2},
            estimate=partial(_tail_index, mu, 400),
        )
        for mu in (0.8, 1.2)
    ),
    *(
        EstimateCase(
            name=f"spectra, spike of {ratio:g} thresholds",
            system=f"{N_ROWS} × {N_COLUMNS} normal entries with a spike θ = {ratio:g} √c",
            truths={"θ": ratio * THRESHOLD},
            estimate=partial(_spike_strength, ratio * THRESHOLD),
        )
        for ratio in (3.0, 6.0)
    ),
    *(
        DecisionCase(
            name=f"spectra, {law} entries",
            system=f"{N_ROWS} × {N_COLUMNS} independent {law} entries",
            decision="an eigenvalue lies beyond the edge",
            is_true=False,
            bound=LEVEL,
            decide=partial(_reaches_beyond, law),
            trials=2_000,
        )
        for law in ("normal", "uniform", "half dropped")
    ),
    DecisionCase(
        name="spectra, untrained transformer",
        system=f"{1 + N_BLOCKS * (len(NETWORK) - 1)} layers of uniform entries, tested together",
        decision="a layer differs from noise",
        is_true=False,
        bound=LEVEL,
        decide=_network_is_not_noise,
        trials=1_000,
    ),
    *(
        DecisionCase(
            name=f"spectra, power at {ratio:g} thresholds",
            system=f"{N_ROWS} × {N_COLUMNS} normal entries with a spike θ = {ratio:g} √c",
            decision="an eigenvalue lies beyond the edge",
            is_true=True,
            decide=partial(_has_a_spike, ratio * THRESHOLD),
            trials=1_000,
        )
        for ratio in (1.0, 1.5, 2.0, 3.0)
    ),
)
