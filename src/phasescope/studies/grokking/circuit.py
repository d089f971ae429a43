"""The circuit of a run over training: Fourier and representation measures of its recorded parameter snapshots."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from phasescope.measures.clock_and_pizza import (
    DistanceIrrelevance,
    GradientSymmetricity,
    distance_irrelevance,
    gradient_symmetricity,
)
from phasescope.measures.embedding_plane import principal_plane
from phasescope.measures.fourier import embedding_spectrum, key_frequencies, table_spectrum
from phasescope.measures.fourier_losses import excluded_loss, restricted_loss
from phasescope.measures.representation import circularity, representation_quality
from phasescope.results import Result
from phasescope.store.runs import RecordingWriter, Run
from phasescope.training.ensemble import run_data
from phasescope.training.models import EmbeddingMLP, Transformer
from phasescope.training.settings import RunSettings, TrainingSettings

R = TypeVar("R", bound=Result)


def snapshot_steps(run: Run) -> list[int]:
    """Steps at which the parameters of the run were kept, ascending."""
    first = next((name for name in run.array_names() if name.startswith("params/")), None)
    return run.array_steps(first) if first else []


def snapshot(run: Run, step: int) -> dict[str, NDArray[np.float64]]:
    """Parameters of the run at a kept step, by name."""
    names = [name for name in run.array_names() if name.startswith("params/")]
    return {name.removeprefix("params/"): run.array(name, step) for name in names}


class TrainedNetwork:
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
    circuits = {step: TrainedNetwork(training, settings, snapshot(run, step)) for step in snapshot_steps(run)}
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
    keys = _where_defined(key_frequencies, logits, direction=direction)
    if keys is None:
        recording.write_event(index, max(circuits), "not_measured", f"the circuit is not defined for p = {p}")
        return
    sums = {"keys": keys.keys, "labels": labels, "direction": direction} if len(keys.keys) else None
    plane = _with_null(principal_plane, last.embedding)

    def irrelevance(logits: NDArray[Any]) -> DistanceIrrelevance | None:
        if training.labels == "random":  # it reads the logit of the operation's own answer
            return None
        return _where_defined(distance_irrelevance, logits, direction=direction)

    results: dict[str, Result | None] = {
        "key_frequencies": keys,
        "embedding_spectrum": _with_null(embedding_spectrum, last.embedding),
        "principal_plane": plane,
        "representation_quality": _with_null(representation_quality, last.embedding),
        "circularity": _with_null(circularity, last.embedding),
        "distance_irrelevance": irrelevance(logits),
        "gradient_symmetricity": _symmetricity(last, rng),
    }
    if sums is not None:
        results["restricted_loss"] = _where_defined(restricted_loss, logits, rng=rng, **sums)
        results["excluded_loss"] = _where_defined(excluded_loss, logits, train, rng=rng, **sums)
    for name, result in results.items():
        if result is not None:
            recording.write_result(index, name, result.to_dict())
    missing = ", ".join(name for name, result in results.items() if result is None)
    if missing:
        recording.write_event(index, max(circuits), "not_measured", f"not defined for p = {p}: {missing}")
    for step, circuit in circuits.items():
        logits = circuit.logits()
        spectrum = _where_defined(embedding_spectrum, circuit.embedding)
        quality = _where_defined(representation_quality, circuit.embedding)
        table = _where_defined(table_spectrum, logits, direction=direction)
        round_ = _where_defined(circularity, circuit.embedding)
        distance = irrelevance(logits)
        values: dict[str, float | None] = {
            "fourier/gini_embedding": spectrum.estimate if spectrum else None,
            "fourier/gini_logits": table.gini if table else None,
            "fourier/key_share": float(table.share[keys.keys].sum()) if table else None,
            "representation/circularity": round_.estimate if round_ else None,
            "representation/rqi": quality.estimate if quality else None,
            "representation/phase_rqi": quality.phase if quality else None,
            "representation/gradient_symmetricity": _symmetricity(circuit, rng).estimate,
            "representation/distance_irrelevance": distance.estimate if distance else None,
        }
        if sums is not None:
            restricted = _where_defined(restricted_loss, logits, by_key=False, **sums)
            excluded = _where_defined(excluded_loss, logits, train, by_key=False, **sums)
            values["fourier/restricted_loss"] = restricted.estimate if restricted else None
            values["fourier/excluded_loss"] = excluded.estimate if excluded else None
        recording.append(index, step, {name: value for name, value in values.items() if value is not None})
        if spectrum is not None:
            recording.write_array(index, "fourier/embedding_power", step, spectrum.power)
        if plane is not None:
            seen = _where_defined(principal_plane, circuit.embedding, frequency=plane.frequency)
            if seen is not None:
                recording.write_array(index, "representation/plane", step, seen.coordinates)


# Bands of the Gaussian null by measure and shape of the embedding: they depend on nothing else, so a process draws each
# of them once, from a stream that the shape names.
_BANDS: dict[tuple[str, tuple[int, ...]], dict[str, Any]] = {}


def _with_null(measure: Callable[..., R], embedding: NDArray[Any]) -> R | None:
    """The measure of an embedding with its null band, or `None` where it is not defined."""
    key = measure.__name__, embedding.shape
    if key in _BANDS:
        result = _where_defined(measure, embedding)
        return None if result is None else dataclasses.replace(result, **_BANDS[key])
    result = _where_defined(measure, embedding, rng=np.random.default_rng(embedding.shape))
    if result is not None:
        names = [field.name for field in dataclasses.fields(result) if "null" in field.name]
        _BANDS[key] = {name: getattr(result, name) for name in names}
    return result


def _where_defined(measure: Callable[..., R], *args: Any, **options: Any) -> R | None:
    """The result, or `None` where the measure says that it is not defined for what it got (an even or tiny p)."""
    try:
        return measure(*args, **options)
    except ValueError:
        return None


def _symmetricity(circuit: TrainedNetwork, rng: np.random.Generator) -> GradientSymmetricity:
    return gradient_symmetricity(circuit.logits_of_embeddings, circuit.embedding, circuit.second_embedding, rng=rng)
