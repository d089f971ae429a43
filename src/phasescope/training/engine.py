"""Local engine: units of work on long-lived processes of one thread each, with their progress streamed back.

A worker that dies, for whatever reason, costs its own unit only; another takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from phasescope.errors import PhasescopeError
from phasescope.training.threads import keep_freed_memory, pin_threads, pinned_threads

# What numerical libraries read once, when they are loaded: PyTorch's own setting does not reach NumPy's BLAS.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

Send = Callable[[Any], None]
Work = Callable[[Any, Send], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a unit ended: `error` is one sentence, empty when it finished; `traceback` says where a defect arose."""

    unit: Any
    error: str = ""
    traceback: str = ""


class _Worker:
    """A spawned process with a pipe, and the unit it is busy with."""

    def __init__(self, work: Work, n_threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, n_threads, theirs, os.getpid()), daemon=True)
        with _environment(dict.fromkeys(THREAD_VARIABLES, str(n_threads))), _interrupts_ignored():
            self.process.start()
        theirs.close()
        self.unit: Any = None

    def give(self, unit: Any) -> None:
        self.unit = unit
        self.pipe.send(unit)

    def stop(self) -> None:
        self.pipe.close()
        self.process.join(timeout=5)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while: a spawned process inherits them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl-C is for the parent alone: a process started meanwhile ignores it, and ends when its pipe does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_units(
    work: Work,
    units: Sequence[Any],
    *,
    n_processes: int,
    n_threads: int = 1,
    on_message: Callable[[Any, Any], None] | None = None,
) -> list[Outcome]:
    """Do all units and return how each ended, in their order.

    Args:
        work: Module-level function of a unit and a `send` function; what it sends reaches `on_message`.
        units: What to do, one picklable value each.
        n_processes: Processes at work at the same time; 0 does the units one after another in this process.
        n_threads: Threads of each process, in PyTorch and in the libraries under NumPy and SciPy.
        on_message: Called with the unit and each message it sends.
    """
    if n_processes < 0:
        raise ValueError(f"the number of processes must not be negative, and {n_processes} arrived")
    told = on_message or (lambda unit, message: None)
    if n_processes == 0:
        with pinned_threads(n_threads):
            return [_do(work, unit, partial(told, unit)) for unit in units]
    outcomes: dict[int, Outcome] = {}
    waiting = list(enumerate(units))[::-1]
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.unit is not None for worker in workers):
            workers = [worker for worker in workers if worker.unit is not None or worker.process.is_alive()]
            idle = next((worker for worker in workers if worker.unit is None), None)
            if waiting and (idle is not None or len(workers) < n_processes):
                if idle is None:
                    idle = _Worker(work, n_threads)
                    workers.append(idle)
                idle.give(waiting.pop())
                continue
            for pipe in wait([worker.pipe for worker in workers if worker.unit is not None]):
                worker = next(worker for worker in workers if worker.pipe is pipe)
                index, unit = worker.unit
                try:
                    kind, content = worker.pipe.recv()
                except (EOFError, OSError):
                    worker.stop()
                    workers.remove(worker)
                    outcomes[index] = Outcome(unit, f"its process ended with exit code {worker.process.exitcode}")
                    continue
                if kind == "message":
                    told(unit, content)
                else:
                    outcomes[index] = Outcome(unit, *content)
                    worker.unit = None
    finally:
        for worker in workers:
            worker.stop()
    return [outcomes[index] for index in range(len(units))]


def _do(work: Work, unit: Any, send: Send) -> Outcome:
    """Do one unit; what goes wrong becomes its error, so that the others go on."""
    try:
        work(unit, send)
    except PhasescopeError as error:
        return Outcome(unit, str(error))
    except Exception as error:
        return Outcome(unit, f"{type(error).__name__}: {error}", traceback.format_exc())
    return Outcome(unit)


def _serve(work: Work, n_threads: int, pipe: Connection, parent: int) -> None:
    """Body of a worker: do what comes through the pipe until the other end closes or the parent is gone."""
    pin_threads(n_threads)
    keep_freed_memory()

    def send(message: Any) -> None:
        if os.getppid() != parent:  # the parent was killed: nobody listens, what is recorded is safe
            os._exit(1)
        try:
            pipe.send(("message", message))
        except OSError as error:  # the parent was stopped and has closed its end: stop as it did
            raise KeyboardInterrupt from error

    try:
        while True:
            _, unit = pipe.recv()
            outcome = _do(work, unit, send)
            pipe.send(("done", (outcome.error, outcome.traceback)))
    except (EOFError, OSError, KeyboardInterrupt):
        return
