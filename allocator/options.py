"""How a run is asked for, and who is told what happens in it."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENGINES = ("auto", "whole", "priced", "rules")
STAGES = {
    "read": "reading tables",
    "network": "coding the network",
    "rules": "planning by rules of thumb, for comparison",
    "baseline": "measuring that plan",
    "program": "building the program",
    "solve": "solving",
    "prices": "pricing limits",
    "whole units": "settling whole units",
    "lots": "assigning lots",
    "measure": "measuring",
    "audit": "auditing",
    "holding back": "pricing what is held back",
    "report": "drawing the report",
    "write": "writing the plan",
}
"""What each stage of a run is called for people."""


@dataclass(frozen=True)
class Options:
    """How to plan.

    Attributes
    ----------
    engine : str
        ``auto``, ``whole``, ``priced`` or ``rules``.
    gap : float or None
        Relative gap to prove; None: exactly if the network is small, else to half a percent.
    deadline : float or None
        Seconds of wall clock for the whole run.
    rule : str
        Fair-share rule of the rules engine: A, B, C or D.
    workers : int or None
        Worker processes (or actors) of the priced engine; None: as many as there are cores.
    cluster : str or None
        Address of a Ray cluster for the priced engine (``auto``: the one of this machine).
    shared : Path or None
        Folder that all machines of the cluster see; None: this machine's temporary files.
    checkpoint : Path or None
        Folder where the priced engine keeps each round.
    resume : bool
        Go on from the rounds kept there.
    start : Path or None
        What a like network's run left to start from; results depend on it within the gap.
    leave : Path or None
        File in which to leave that for others.
    memory : int or None
        Most memory of this process and those it starts, together; None: no limit. [bytes]
    """

    engine: str = "auto"
    gap: float | None = None
    deadline: float | None = None
    rule: str = "A"
    workers: int | None = None
    cluster: str | None = None
    shared: Path | None = None
    checkpoint: Path | None = None
    resume: bool = False
    start: Path | None = None
    leave: Path | None = None
    memory: int | None = None

    @property
    def hands(self) -> int:
        """Number of workers."""
        if self.workers is not None:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def answering(self) -> dict[str, Any]:
        """Options that may change the plan."""
        found = {"engine": self.engine, "gap": self.gap, "rule": self.rule, "workers": self.hands}
        if self.start is not None and self.start.is_file():
            found["start"] = hashlib.sha256(self.start.read_bytes()).hexdigest()
        return found if self.memory is None else found | {"memory": self.memory}


@dataclass(frozen=True)
class Watch:
    """Who is told what happens.

    Attributes
    ----------
    stage : callable
        ``stage(name)`` when a stage begins.
    progress : callable or None
        ``progress(facts)`` while a MIP runs: bound, objective, nodes, seconds.
    event : callable
        ``event(name, facts)``: ``round`` and ``pass`` of the priced engine.
    yields : bool
        A KeyboardInterrupt while the solver works ends the solver, and the best plan so far is finished; otherwise it ends the run.
    """

    stage: Callable[[str], None] = lambda name: None
    progress: Callable[[dict[str, float]], None] | None = None
    event: Callable[[str, dict[str, Any]], None] = lambda name, facts: None
    yields: bool = False


class Clock:
    """Wall clock of a run: its stages, and what is left of the deadline."""

    RESERVE = 0.1
    """Least share of the deadline kept for lots, audit and writing."""
    AFTER = 4.0
    """What follows the solver, in times of what the plan of the rules engine took to assemble and measure."""

    def __init__(self, began: float, deadline: float | None, watch: Watch) -> None:
        self.began, self.deadline, self.watch = began, deadline, watch
        self.interrupted = False
        self.marks: list[tuple[str, float]] = [("read", began)]

    def stage(self, name: str) -> None:
        """Begin a stage."""
        from allocator.memory import give_back

        give_back()
        self.marks.append((name, time.monotonic()))
        self.watch.stage(name)

    @property
    def until(self) -> float:
        """``time.monotonic()`` by which the solver must be done."""
        if self.deadline is None:
            return math.inf
        taken = self.timings()
        # the input is published again with the plan, which takes about as long as reading it
        after = self.AFTER * taken.get("baseline", 0.0) + taken.get("read", 0.0)
        return self.began + self.deadline - max(self.RESERVE * self.deadline, min(after, 0.6 * self.deadline))

    def left(self) -> float:
        """Seconds left for the solver."""
        return max(self.until - time.monotonic(), 0.1)

    def timings(self) -> dict[str, float]:
        """Seconds of each stage."""
        ends = [at for _, at in self.marks[1:]] + [time.monotonic()]
        out: dict[str, float] = {}
        for (name, at), end in zip(self.marks, ends, strict=True):
            out[name] = round(out.get(name, 0.0) + end - at, 4)
        return out
