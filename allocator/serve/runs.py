"""Runs asked for on the page: a queue, one at a time, each in a child process that ends with its run, on cancel, or with the server."""

from __future__ import annotations

import math
import shutil
import signal
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from typing import Any

from allocator.comparison.cases import key_of
from allocator.comparison.running import Events, Job, Run, whole
from allocator.engine.problem import relative_gap
from allocator.options import STAGES, Options
from allocator.tables.tables import Tables

KEPT = 100
"""Runs remembered after they ended."""
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
LIVE = (WAITING, RUNNING)
_STOP = "\0stop"  # no label holds a NUL: it would be no name of a scenario


@dataclass(frozen=True)
class State:
    """A run as it stands.

    Attributes
    ----------
    number : int
        Which run it is.
    label : str
        Network and scenarios.
    target : Path
        The plan folder it publishes.
    state : str
        waiting, running, done, failed or cancelled.
    doing : str
        What it is at, in words.
    value, bound, gap : float or None
        The best plan known and what no plan is worth more than, [currency]; the relative gap between them.
    round : int or None
        Of the priced engine.
    began, ended : float or None
        By the monotonic clock, [s].
    error : str
        What went wrong, and the mend.
    reused : bool
        The same input and options were planned before, so that plan is the answer.
    """

    number: int
    label: str
    target: Path
    state: str = WAITING
    doing: str = "waits for the run before it"
    value: float | None = None
    bound: float | None = None
    gap: float | None = None
    round: int | None = None
    began: float | None = None
    ended: float | None = None
    error: str = ""
    reused: bool = False

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.state in LIVE

    @property
    def seconds(self) -> float:
        """How long it has run."""
        if self.began is None:
            return 0.0
        return (time.monotonic() if self.ended is None else self.ended) - self.began


@dataclass
class _Waiting:
    job: Job
    options: Options


@dataclass
class Runs:
    """The queue. Use as a context manager: at the end the running child is ended and those waiting never begin.

    Parameters
    ----------
    folder : Path
        Where plans are published, each under its label and a hash of its input, options and code.
    """

    folder: Path
    _states: dict[int, State] = field(default_factory=dict)
    _jobs: dict[int, _Waiting] = field(default_factory=dict)
    _queue: Queue[int | None] = field(default_factory=Queue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _current: tuple[int, Events] | None = None
    _closing: bool = False

    def __enter__(self) -> Runs:
        self._thread = threading.Thread(target=self._work, name="runs", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closing = True
            numbers = [state.number for state in self._states.values() if state.live]
        for number in numbers:
            self.cancel(number)
        self._queue.put(None)
        self._thread.join()

    def add(self, label: str, tables: Tables, options: Options) -> State:
        """Ask for a run; one with the same input and options that is there, or under way, is the answer."""
        key = key_of(tables, options)
        target = self.folder / f"{_plain(label)}.{key[:12]}"
        with self._lock:
            for state in self._states.values():
                if state.target == target and state.live:
                    return state
            number = max(self._states, default=0) + 1
            state = State(number, label, target)
            self._states[number] = state
            for old in [s.number for s in self._states.values() if not s.live][:-KEPT]:
                del self._states[old]
            if whole(target):
                return self._set(number, state=DONE, doing="planned before", reused=True)
            self._jobs[number] = _Waiting(Job(label, tables, target), options)
        self._queue.put(number)
        return state

    def all(self) -> list[State]:
        """Every run of this server, the last asked for first."""
        with self._lock:
            return sorted(self._states.values(), key=lambda state: -state.number)

    def get(self, number: int) -> State | None:
        """One run."""
        with self._lock:
            return self._states.get(number)

    def cancel(self, number: int) -> None:
        """End a run: its process if it runs, its place in the queue if it waits. A run that has ended stays as it is."""
        with self._lock:
            state = self._states.get(number)
            if state is None or not state.live:
                return
            self._jobs.pop(number, None)
            if self._current is not None and self._current[0] == number:
                self._set(number, doing="being cancelled")
                self._current[1].put((_STOP, None))
            else:
                self._set(number, state=CANCELLED, doing="cancelled before it began")

    def _work(self) -> None:
        while (number := self._queue.get()) is not None:
            with self._lock:
                waiting = self._jobs.pop(number, None)
                if waiting is None or self._closing:
                    continue
                events: Events = Queue()
                self._current = (number, events)
                self._set(number, state=RUNNING, doing="starting", began=time.monotonic())
            try:
                ended = self._run(number, waiting, events)
            except Exception as error:  # a full disk, say: told on the run's page, and the queue goes on
                mend = "mend that and run it again"
                ended = {"state": FAILED, "doing": "failed", "error": f"{type(error).__name__}: {error}; {mend}"}
            with self._lock:
                self._current = None
                self._set(number, ended=time.monotonic(), **ended)

    def _run(self, number: int, waiting: _Waiting, events: Events) -> dict[str, Any]:
        """Plan in a child process until it is done, dead or cancelled; return what is then to be told."""
        target = waiting.job.target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)  # what an interrupted or damaged run left under this very key
        run = Run(waiting.job, waiting.options, events)
        try:
            while True:
                label, event = events.get()
                if label == _STOP:
                    return {"state": CANCELLED, "doing": "cancelled; nothing was published"}
                if event is None:
                    break
                with self._lock:
                    self._set(number, **_told(event))
        finally:
            run.close()
        if run.done:
            return {"state": DONE, "doing": "done"}
        return {"state": FAILED, "doing": "failed", "error": _death(run)}

    def _set(self, number: int, **facts: Any) -> State:
        self._states[number] = replace(self._states[number], **facts)
        return self._states[number]


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """What an event of the worker changes in a state."""
    kind = event["event"]
    if kind == "stage":
        return {"doing": STAGES.get(event["stage"], event["stage"])}
    if kind == "gap":
        return _between(event["objective"], event["bound"])
    if kind == "round":
        return _between(event["promise"], event["bound"]) | {"round": int(event["number"])}
    if kind == "pass" and event.get("gap") is not None:
        return {"value": _finite(-event["cost"]), "gap": _finite(event["gap"])}
    return {}


def _between(objective: float, bound: float) -> dict[str, Any]:
    known = abs(objective) < 1e100 and abs(bound) < 1e100
    return {
        "value": _finite(-objective),
        "bound": _finite(-bound),
        "gap": _finite(relative_gap(objective, bound)) if known else None,
    }


def _finite(figure: float) -> float | None:
    return figure if math.isfinite(figure) and abs(figure) < 1e100 else None


def _death(run: Run) -> str:
    """Say why a run has no plan, and what to do."""
    if run.error:
        return f"{run.error}; plan it from the command line with ALLOCATOR_DEBUG=1 to see where"
    code = run.process.poll() or 0
    if code == -signal.SIGKILL:
        return "the process was killed, most likely for memory; give it more, or plan fewer items"
    return f"the process ended unexpectedly (exit code {code}); plan it from the command line to see what it says"


def _plain(label: str) -> str:
    """A label as the name of a folder: what is not a letter, a figure or + - _ becomes a hyphen."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "+-_=") else "-" for letter in label)
    return kept.strip("-")[:80] or "plan"
