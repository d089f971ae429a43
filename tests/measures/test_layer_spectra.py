"""Only this sees a network of noise that is said to have learned, because many layers were looked at."""

import numpy as np
import pytest
import torch

from phasescope.measures.layer_spectra import holm, layer_spectra
from phasescope.synthetic.random_matrices import gaussian_matrix, spiked_matrix


def test_holm_is_the_textbook_procedure():
    """Literal transcription: walk up the sorted p-values and stop at the first above level / (m − rank)."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.random(rng.integers(1, 12)) ** 3
        for level in (0.01, 0.05, 0.2):
            rejected = np.zeros(p.size, dtype=bool)
            for rank, index in enumerate(np.argsort(p)):
                if p[index] > level / (p.size - rank):
                    break
                rejected[index] = True
            assert ((holm(p) <= level) == rejected).all()


def test_networks_of_noise_are_noise_in_every_layer():
    rng = np.random.default_rng(0)
    alarms, alone = 0, 0
    for _ in range(40):
        found = layer_spectra({str(i): gaussian_matrix(20, 40, rng=rng) for i in range(24)}, level=0.05, rng=rng)
        alarms += found.n_unlike_noise > 0
        alone += (found.p_values < 0.05).any()
    assert alarms <= 6
    assert alone >= 20


def test_the_layer_with_a_spike_is_named_and_the_rest_is_noise():
    rng = np.random.default_rng(0)
    layers = [(f"noise {i}", gaussian_matrix(30, 60, rng=rng)) for i in range(10)]
    layers.insert(4, ("learned", spiked_matrix(30, 60, strengths=[6.0], rng=rng)))
    found = layer_spectra(iter(layers), rng=rng)
    assert found.n_unlike_noise == 1
    assert found.n_spikes.tolist() == [0] * 4 + [1] + [0] * 6
    assert [name for name, verdict in zip(found.names, found.verdicts, strict=True) if "spike" in verdict] == [
        "learned"
    ]
    assert "10 layers" in str(found)


NETWORKS = {
    "perceptron": lambda: torch.nn.Sequential(
        torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU(), torch.nn.Linear(128, 40)
    ),
    "convolutions": lambda: torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3), torch.nn.Conv2d(16, 32, 3), torch.nn.Conv1d(16, 24, 5), torch.nn.Linear(64, 10)
    ),
    "transformer": lambda: torch.nn.Sequential(
        torch.nn.Embedding(500, 48),
        torch.nn.TransformerEncoderLayer(48, 4, 192),
        torch.nn.TransformerDecoderLayer(48, 4, 96),
    ),
    "recurrent": lambda: torch.nn.Sequential(torch.nn.LSTM(32, 48), torch.nn.GRU(48, 48)),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_layer_of_a_network_as_torch_initializes_it_is_noise(kind):
    """Kaiming and Xavier draw uniform entries, which would hardly ever reach the Tracy–Widom edge of Gaussian ones."""
    torch.manual_seed(0)
    networks = [layer_spectra(NETWORKS[kind]().named_parameters(), rng=np.random.default_rng(0)) for _ in range(8)]
    layers = [verdict for network in networks for verdict in network.verdicts]
    # At level .01 for all layers of a network together: one network in a hundred has a layer that is not.
    assert sum(network.n_unlike_noise > 0 for network in networks) <= 1
    assert layers.count("Marchenko–Pastur, no tail") >= len(layers) - 1
    assert all(network.n_heavy_tailed == 0 for network in networks)
    assert 0.25 < np.median(np.concatenate([network.p_values for network in networks])) < 0.75


def test_a_model_is_taken_as_it_is_and_its_vectors_are_left_out():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(8, 32, 3), torch.nn.LayerNorm(32), torch.nn.Linear(32, 40))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter)
    found = layer_spectra(model.named_parameters(), rng=np.random.default_rng(0))
    assert found.names == ("0.weight", "2.weight")
    assert found.spectra[0].shape == (32, 72)
    assert "4 weights have no spectrum" in found.caveats[0]
    assert found.verdicts == ("Marchenko–Pastur, no tail",) * 2


def test_bad_weights_are_named():
    with pytest.raises(ValueError, match="bad: weight has 1 NaN"):
        layer_spectra({"bad": np.array([[1, np.nan], [0, 1]])}, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="no matrix among 2 weights"):
        layer_spectra({"bias": np.ones(4), "zero": np.zeros((4, 4))}, rng=np.random.default_rng(0))
