"""Runs in parallel processes, a bounded number at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

from allocator.children import Child
from allocator.comparison.worker import pack
from allocator.memory import MemoryLimitError
from allocator.plan.publish import digests
from allocator.run import Options
from allocator.tables.tables import Tables

Tell = Callable[[str, dict[str, Any]], None]
Events = Queue[tuple[str, dict[str, Any] | None]]
"""What runs tell: a run's label and an event of the worker, None when its process has ended."""


class RunFailedError(RuntimeError):
    """A case could not be planned; what the others gave is kept."""


class RunTooLargeError(RunFailedError):
    """Every case that could not be planned would have taken more than its share of the memory."""


@dataclass(frozen=True)
class Job:
    """One run: a network to plan and the plan folder to publish.

    Attributes
    ----------
    label : str
        The case it is for.
    tables : Tables
    target : Path
        The plan folder.
    start : Path or None
        What the base case's run left to start from.
    leave : Path or None
        Where this run leaves the same.
    """

    label: str
    tables: Tables
    target: Path
    start: Path | None = None
    leave: Path | None = None


def whole(folder: Path) -> bool:
    """Whether a plan folder is there and every file is as its manifest states."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return bool(manifest["files"] == digests(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def run_jobs(jobs: Sequence[Job], options: Options, workers: int, tell: Tell) -> None:
    """Run every job, at most `workers` at a time, each with a solver of one thread.

    Raises
    ------
    RunFailedError
        When a run fails (`RunTooLargeError` where only memory was too little); the others are finished first and their plans stay.
    """
    waiting, running, failed = list(jobs), dict[str, Run](), list[Run]()
    events: Events = Queue()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[job.label] = Run(job, options, events)
                tell("run", {"case": job.label})
            label, event = events.get()
            if event is not None:
                tell(event.pop("event"), {"case": label, **event})
                continue
            run = running.pop(label)
            run.close()
            if not run.done:
                failed.append(run)
                tell("failed", {"case": label, "error": run.error})
    finally:
        for run in running.values():
            run.close()
    if failed:
        large = all(run.error.startswith(MemoryLimitError.__name__) for run in failed)
        words = "; ".join(f"{run.label}: {run.error or 'its process ended'}" for run in failed)
        raise (RunTooLargeError if large else RunFailedError)(words)


class Run:
    """One run in a process of its own, begun at once.

    Attributes
    ----------
    label : str
    done : bool
        The plan is published.
    error : str
        What the worker said when it failed; blank when it said nothing.
    """

    def __init__(self, job: Job, options: Options, events: Events) -> None:
        self.label, self.error, self.done = job.label, "", False
        self.folder = job.target.parent / f".{job.target.name}.input"
        shutil.rmtree(self.folder, ignore_errors=True)
        pack(job.tables, self.folder)
        request = {
            "folder": str(self.folder),
            "target": str(job.target),
            "start": None if job.start is None else str(job.start),
            "leave": None if job.leave is None else str(job.leave),
            "options": asdict(options),
            "input_hash": job.tables.input_hash,
        }
        self._child = Child("allocator.comparison.worker", partial(self._hear, job.label, events))
        self._child.say(request)

    @property
    def process(self) -> subprocess.Popen[str]:
        """The process that runs it."""
        return self._child.process

    def _hear(self, label: str, events: Events, event: dict[str, Any] | None) -> None:
        if event is not None and event["event"] == "failed":
            self.error = str(event.get("error"))
            return
        self.done |= event is not None and event["event"] == "done"
        events.put((label, event))

    def close(self) -> None:
        """End the process, whatever it is doing, and take its input away."""
        self._child.close(self.done)
        shutil.rmtree(self.folder, ignore_errors=True)
