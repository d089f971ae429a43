"""Calibration: systems whose answer is known, pushed through the functions that everybody calls.

An estimator is judged by bias, spread and the coverage of its interval; a decision by how often it is taken where it is
false (its size) and where it is true (its power). Data sets on which an estimator gives no answer count as not covered.
"""

from __future__ import annotations

import itertools
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from phasescope.errors import PhasescopeError, unknown_name
from phasescope.measures.wilson import wilson_interval
from phasescope.results import Result
from phasescope.training.engine import Send, run_units

Estimates = Mapping[str, tuple[float, float, float]]  # by quantity: estimate, and both ends of its 95 % interval
CHUNK_S = 2.0  # of work between two messages of a process
N_SHARES = 8  # pieces per process that a case is cut into, so that all processes end at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateCase:
    """Estimators on data from a system whose truth is known."""

    name: str  # unique among all cases
    system: str  # what is drawn, in one clause
    truths: Mapping[str, float]  # by quantity, for example {"τ": 4 / 3}
    estimate: Callable[[np.random.Generator], Estimates]  # of one fresh data set; ValueError where there is no answer
    trials: int = 1_000  # of the published page


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCase:
    """A decision on data of which it is known whether it is right."""

    name: str  # unique among all cases
    system: str
    decision: str  # what a yes says, for example "crackling-noise relation rejected"
    is_true: bool  # whether yes is right: its share is then a power, otherwise a size
    bound: float | None = None  # the size stated for the test, or the power asked for
    decide: Callable[[np.random.Generator], bool]
    trials: int = 100


Case = EstimateCase | DecisionCase


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow(Result):
    """How one quantity of a case was estimated."""

    case: str
    system: str
    quantity: str
    truth: float
    coverage: float  # share of all data sets whose interval holds the truth
    coverage_interval: tuple[float, float]  # 95 %, Wilson
    bias: float  # mean of the estimates less the truth
    bias_error: float  # its standard error
    spread: float  # standard deviation of the estimates
    half_width: float  # median of half the interval, over 1.96: the error that was stated
    n_trials: int
    n_without_answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow(Result):
    """How often a decision was taken."""

    case: str
    system: str
    decision: str
    is_true: bool
    share: float  # a power where the decision is right, a size where it is wrong
    share_interval: tuple[float, float]  # 95 %, Wilson
    bound: float | None
    n_trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Result):
    """Every row, and what it took."""

    estimates: tuple[EstimateRow, ...]
    decisions: tuple[DecisionRow, ...]
    seed: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Unit:
    """Some trials of one case, named so that a spawned process finds it."""

    case: str
    start: int
    stop: int
    seed: int


def calibrate(
    names: Sequence[str] | None = None,
    *,
    trials: int | None = None,
    n_processes: int = 0,
    seed: int = 0,
    on_progress: Callable[[str, int], None] | None = None,
) -> Calibration:
    """Run known systems through the estimators and count.

    Args:
        names: Cases, or beginnings of their names; all by default.
        trials: Data sets of each case; by default what the published page took, which is hours of processor time.
        n_processes: Processes at work at the same time; 0 works in this one. The numbers do not depend on it.
        seed: Trial i of a case has a random stream of its own, named by seed, case and i.
        on_progress: Called with the name of a case and how many more of its trials are done.

    Returns:
        One row per quantity and per decision, in the order of the cases.

    Raises:
        ValueError: If a name begins no case, or `trials` is below 2.
        PhasescopeError: If an estimator raised anything but a ValueError.
    """
    from phasescope.studies.criticality.cases import all_cases

    if trials is not None and trials < 2:
        raise ValueError(f"trials must be at least 2, so that there is a spread; got {trials}")
    cases = _chosen(all_cases(), names)
    started = time.perf_counter()
    found: dict[str, list[tuple[int, object]]] = {name: [] for name in cases}
    spent = 0.0

    def hear(unit: _Unit, message: tuple[list[tuple[int, object]], float]) -> None:
        nonlocal spent
        rows, seconds = message
        found[unit.case].extend(rows)
        spent += seconds
        if on_progress is not None:
            on_progress(unit.case, len(rows))

    units = [
        unit
        for name, case in cases.items()
        for unit in _units(name, case.trials if trials is None else trials, seed, max(n_processes, 1))
    ]
    failed = [one for one in run_units(_work, units, n_processes=n_processes, on_message=hear) if one.error]
    if failed:
        raise PhasescopeError(f"{failed[0].unit.case}: {failed[0].error}")
    estimates: list[EstimateRow] = []
    decisions: list[DecisionRow] = []
    for name, case in cases.items():
        answers = [answer for _, answer in sorted(found[name], key=lambda row: row[0])]
        if isinstance(case, EstimateCase):
            estimates += _estimate_rows(case, answers)
        else:
            decisions.append(_decision_row(case, answers))
    return Calibration(
        estimates=tuple(estimates),
        decisions=tuple(decisions),
        seed=seed,
        cpu_seconds=spent if spent > 0 else time.perf_counter() - started,
    )


def _chosen(cases: Mapping[str, Case], names: Sequence[str] | None) -> dict[str, Case]:
    if not names:
        return dict(cases)
    for name in names:
        if not any(one.startswith(name) for one in cases):
            raise ValueError(unknown_name("case", name, {one.partition(",")[0] for one in cases}))
    return {one: case for one, case in cases.items() if any(one.startswith(name) for name in names)}


def _units(name: str, trials: int, seed: int, n_processes: int) -> list[_Unit]:
    edges = np.linspace(0, trials, min(trials, N_SHARES * n_processes) + 1).astype(int)
    return [_Unit(name, int(a), int(b), seed) for a, b in itertools.pairwise(edges)]


def _work(unit: _Unit, send: Send) -> None:
    """Do the trials of one unit and send what they gave every few seconds."""
    from phasescope.studies.criticality.cases import all_cases

    case = all_cases()[unit.case]
    rows: list[tuple[int, object]] = []
    told = began = time.process_time()
    for trial in range(unit.start, unit.stop):
        rng = np.random.default_rng([unit.seed, zlib.crc32(unit.case.encode()), trial])
        answer: object = None
        try:
            answer = dict(case.estimate(rng)) if isinstance(case, EstimateCase) else bool(case.decide(rng))
        except ValueError:
            if isinstance(case, DecisionCase):
                raise  # a decision that cannot be taken is for the case to define
        rows.append((trial, answer))
        if time.process_time() - told > CHUNK_S:
            told = time.process_time()
            send((rows, told - began))
            rows, began = [], told
    send((rows, time.process_time() - began))


def _estimate_rows(case: EstimateCase, answers: Sequence[object]) -> list[EstimateRow]:
    rows = []
    n = len(answers)
    for quantity, truth in case.truths.items():
        given = [answer[quantity] for answer in answers if isinstance(answer, dict) and quantity in answer]
        values, low, high = np.array(given, dtype=np.float64).reshape(-1, 3).T
        n_covered = int(np.count_nonzero((low <= truth) & (truth <= high)))
        spread = float(values.std(ddof=1)) if values.size > 1 else np.nan
        rows.append(
            EstimateRow(
                case=case.name,
                system=case.system,
                quantity=quantity,
                truth=truth,
                coverage=n_covered / n,
                coverage_interval=_interval(n_covered / n, n),
                bias=float(values.mean()) - truth if values.size else np.nan,
                bias_error=spread / np.sqrt(max(values.size, 1)),
                spread=spread,
                half_width=_stated_error(low, high),
                n_trials=n,
                n_without_answer=n - values.size,
            )
        )
    return rows


def _stated_error(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    return float(np.median(0.5 * (high - low))) / float(ndtri(0.975)) if low.size else np.nan


def _decision_row(case: DecisionCase, answers: Sequence[object]) -> DecisionRow:
    n, n_yes = len(answers), sum(answer is True for answer in answers)
    return DecisionRow(
        case=case.name,
        system=case.system,
        decision=case.decision,
        is_true=case.is_true,
        share=n_yes / n,
        share_interval=_interval(n_yes / n, n),
        bound=case.bound,
        n_trials=n,
    )


def _interval(share: float, n: int) -> tuple[float, float]:
    low, high = wilson_interval(share, n).tolist()
    return low, high
