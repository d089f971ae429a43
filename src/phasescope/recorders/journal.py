"""Rows of a run on their way from the device to the store: logged numbers wait, and are fetched with the readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from phasescope.recorders.logged import not_finite
from phasescope.recorders.norms import to_host
from phasescope.recorders.optimizer_step import Detail, Row, summarize
from phasescope.recorders.parameters import WatchedParameter
from phasescope.recorders.sink import Sink

_MOST_WAITING = 1000  # steps of logged tensors left on an accelerator before they are fetched in any case


class Journal:
    """Gathers what was logged at each step, joins it with what was read, and notes when a series stops being finite."""

    def __init__(self, sink: Sink, detail: Detail) -> None:
        self._sink = sink
        self._detail: Detail = detail
        self._logged: dict[int, dict[str, float | Tensor]] = {}  # step → series → number, or where it is
        self._n_tensors = 0
        self._not_finite: set[str] = set()  # series that are not finite now

    def log(self, step: int, values: Mapping[str, float | Tensor]) -> None:
        """Keep the values of a step; of several for one series the last counts."""
        self._logged.setdefault(step, {}).update(values)
        self._n_tensors += sum(isinstance(value, Tensor) for value in values.values())

    def write_if_free(self) -> None:
        """Write what was logged if no device has to be waited for, or if too much is waiting."""
        if self._n_tensors == 0 or len(self._logged) >= _MOST_WAITING:
            self.write()

    def write(
        self,
        step: int = 0,
        parameters: Sequence[WatchedParameter] = (),
        readings: Mapping[str, Mapping[str, Tensor]] | None = None,
    ) -> None:
        """Fetch all that was logged and read, in one transfer per device, and hand it to the store.

        Args:
            step: Step that the readings belong to.
            parameters: The parameters watched at it.
            readings: Scalars by kind and by name of the parameter.
        """
        logged, self._logged, self._n_tensors = self._logged, {}, 0
        readings = readings or {}
        tensors = [value for row in logged.values() for value in row.values() if isinstance(value, Tensor)]
        tensors += [scalar for found in readings.values() for scalar in found.values()]
        numbers = iter(to_host(tensors).tolist())
        rows = {
            at: _logged_row({name: next(numbers) if isinstance(v, Tensor) else v for name, v in values.items()})
            for at, values in logged.items()
        }
        if readings:
            fetched = {kind: {name: next(numbers) for name in found} for kind, found in readings.items()}
            read = summarize(parameters, fetched, detail=self._detail)
            row = rows.setdefault(step, Row())
            row.values |= read.values
            row.not_finite |= read.not_finite
        for at in sorted(rows):
            self._sink.append(at, rows[at].values)
            self._note(at, rows[at])

    def _note(self, step: int, row: Row) -> None:
        for series, message in row.not_finite.items():
            if series not in self._not_finite:
                self._sink.event(step, "non_finite", message)
        self._not_finite -= row.values.keys()
        self._not_finite |= row.not_finite.keys()


def _logged_row(values: dict[str, float]) -> Row:
    words = {series: not_finite(value) for series, value in values.items()}
    return Row(values, {series: f"{series} is {word}" for series, word in words.items() if word is not None})
