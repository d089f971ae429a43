"""The circuit of a run over training: Fourier and representation measures of its recorded parameter snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from phasescope.measures.clock_and_pizza import distance_irrelevance, gradient_symmetricity
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.fourier import embedding_spectrum, key_frequencies, table_spectrum
from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
from phasescope.measures.representation import circularity, representation_quality
from phasescope.store.runs import RecordingWriter, Run
from phasescope.training.ensemble import run_data
from phasescope.training.models import EmbeddingMLP, Transformer
from phasescope.training.settings import RunSettings, TrainingSettings

FloatArray = NDArray[np.float64]


def snapshot_steps(run: Run) -> list[int]:
    """Steps at which the parameters of the run were kept, ascending."""
    first = next((name for name in run.array_names() if name.startswith("params/")), None)
    return run.array_steps(first) if first else []


def snapshot(run: Run, step: int) -> dict[str, NDArray[np.float64]]:
    """Parameters of the run at a kept step, by name."""
    names = [name for name in run.array_names() if name.startswith("params/")]
    return {name.removeprefix("params/"): run.array(name, step) for name in names}


class Circuit:
    """One run's network at one step, seen through its full table of logits.

    Args:
        training: Settings the run shares with its ensemble.
        run: Its own settings.
        parameters: Parameters by name, without a run axis.
    """

    def __init__(self, training: TrainingSettings, run: RunSettings, parameters: Mapping[str, NDArray[Any]]) -> None:
        self.task = training.build_task()
        model = training.build_model()
        assert isinstance(model, (EmbeddingMLP, Transformer))
        self.model = model
        self._temperature = run.temperature
        self._parameters = {name: torch.from_numpy(np.array(value)).unsqueeze(0) for name, value in parameters.items()}

    @property
    def embedding(self) -> NDArray[Any]:
        """Embedding of the first operand, `(p, d)`."""
        name = "embedding" if isinstance(self.model, Transformer) else "left_embedding"
        return self._parameters[name][0, : self.model.modulus].numpy()

    @property
    def second_embedding(self) -> NDArray[Any]:
        """Embedding of the second operand, `(p, d)`: the same as the first where the model shares them."""
        name = "embedding" if isinstance(self.model, Transformer) else "right_embedding"
        return self._parameters[name][0, : self.model.modulus].numpy()

    @torch.no_grad()
    def logits(self) -> NDArray[Any]:
        """Logits of all p² pairs, `(p, p, p)`."""
        p = self.model.modulus
        left, right = (torch.from_numpy(rows).unsqueeze(0) for rows in np.divmod(np.arange(p * p), p))
        logits = self.model.logits(self._parameters, left, right) / self._temperature
        return logits.view(p, p, p).numpy()

    def logits_of_embeddings(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Logits `(n, p)` from embedding vectors of the two operands, each `(n, d)`."""
        return self.model.logits_of_embeddings(self._parameters, left, right) / self._temperature


def record_circuit(
    recording: RecordingWriter,
    index: int,
    run: Run,
    training: TrainingSettings,
    settings: RunSettings,
    *,
    rng: np.random.Generator,
) -> None:
    """Measure every snapshot of a run and record the series, planes and spectra, with nulls at the last snapshot.

    Key frequencies are those of the final network and are applied at every step; so is the plane of the embedding. An
    operation that depends on neither a + b nor a − b alone has no such frequencies, and nothing is recorded.

    Args:
        recording: Where to write.
        index: Position of the run in the recording.
        run: The same run, opened for reading.
        training: Settings the run shares with its ensemble.
        settings: Its own settings.
        rng: Source of randomness for nulls and sampled triples.
    """
    task = training.build_task()
    direction = task.direction
    if direction is None:
        return
    circuits = {step: Circuit(training, settings, snapshot(run, step)) for step in snapshot_steps(run)}
    # A run that overflowed is measured up to there: only its last snapshots are not finite.
    while circuits and not np.isfinite(logits := circuits[max(circuits)].logits()).all():
        del circuits[max(circuits)]
    if not circuits:
        return
    last = circuits[max(circuits)]
    data = run_data(task, training, settings)
    p = task.modulus
    train = data.subsets["train"].reshape(p, p)
    labels = data.labels.reshape(p, p)
    keys = key_frequencies(logits, direction=direction)
    plane = principal_plane(last.embedding, rng=rng)
    results = {
        "key_frequencies": keys,
        "embedding_spectrum": embedding_spectrum(last.embedding, rng=rng),
        "principal_plane": plane,
        "representation_quality": representation_quality(last.embedding, rng=rng),
        "circularity": circularity(last.embedding, rng=rng),
        "distance_irrelevance": distance_irrelevance(logits),
        "gradient_symmetricity": _symmetricity(last, rng),
    }
    if len(keys.keys):
        results |= {
            "restricted_loss": restricted_loss(logits, keys=keys.keys, labels=labels, direction=direction, rng=rng),
            "excluded_loss": excluded_loss(logits, train, keys=keys.keys, labels=labels, direction=direction, rng=rng),
        }
    for name, result in results.items():
        recording.write_result(index, name, result.to_dict())
    for step, circuit in circuits.items():
        logits = circuit.logits()
        table = table_spectrum(logits, direction=direction)
        spectrum = embedding_spectrum(circuit.embedding)
        quality = representation_quality(circuit.embedding)
        values = {
            "fourier/gini_embedding": spectrum.estimate,
            "fourier/gini_logits": table.gini,
            "fourier/key_share": float(table.share[keys.keys].sum()),
            "representation/circularity": circularity(circuit.embedding).estimate,
            "representation/rqi": quality.estimate,
            "representation/phase_rqi": quality.phase,
            "representation/gradient_symmetricity": _symmetricity(circuit, rng).estimate,
            "representation/distance_irrelevance": distance_irrelevance(logits).estimate,
        }
        if len(keys.keys):
            restricted = restricted_loss(logits, keys=keys.keys, labels=labels, direction=direction)
            excluded = excluded_loss(logits, train, keys=keys.keys, labels=labels, direction=direction)
            values |= {
                "fourier/restricted_loss": restricted.estimate,
                "fourier/excluded_loss": excluded.estimate,
            }
        recording.append(index, step, {name: value for name, value in values.items() if value is not None})
        recording.write_array(index, "fourier/embedding_power", step, spectrum.power)
        seen = principal_plane(circuit.embedding, frequency=plane.frequency)
        recording.write_array(index, "representation/plane", step, seen.coordinates)


def _symmetricity(circuit: Circuit, rng: np.random.Generator) -> Any:
    return gradient_symmetricity(circuit.logits_of_embeddings, circuit.embedding, circuit.second_embedding, rng=rng)
