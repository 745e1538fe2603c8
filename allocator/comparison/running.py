"""Runs in parallel processes, a bounded number at a time."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from allocator.comparison.worker import pack
from allocator.engine.process import child_environment
from allocator.plan.publish import digests
from allocator.run import Options
from allocator.tables.tables import Tables

Tell = Callable[[str, dict[str, Any]], None]
Events = Queue[tuple[str, dict[str, Any] | None]]
"""What runs tell: a run's label and an event of the worker, None when its process has ended."""


class RunFailedError(RuntimeError):
    """A case could not be planned; what the others gave is kept."""


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
        When a run fails; the others are finished first and their plans stay.
    """
    waiting, running, failed = list(jobs), dict[str, Run](), list[str]()
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
                failed.append(f"{label}: {run.error or 'its process ended'}")
                tell("failed", {"case": label, "error": run.error})
    finally:
        for run in running.values():
            run.close()
    if failed:
        raise RunFailedError("; ".join(failed))


class Run:
    """One run in a process of its own, begun at once.

    Attributes
    ----------
    done : bool
        The plan is published.
    error : str
        What the worker said when it failed; blank when it said nothing.
    process : subprocess.Popen
    """

    def __init__(self, job: Job, options: Options, events: Events) -> None:
        self.error, self.done = "", False
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
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from allocator.comparison.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            text=True,
            start_new_session=True,
        )
        with contextlib.suppress(BrokenPipeError):
            self._pipe("stdin").write(json.dumps(request, default=str) + "\n")
            self._pipe("stdin").flush()
        threading.Thread(target=self._listen, args=(job.label, events), daemon=True).start()

    def _pipe(self, name: str) -> Any:
        return getattr(self.process, name)

    def _listen(self, label: str, events: Events) -> None:
        for line in self._pipe("stdout"):
            event = json.loads(line)
            if event["event"] == "failed":
                self.error = str(event.get("error"))
                continue
            self.done |= event["event"] == "done"
            events.put((label, event))
        events.put((label, None))

    def close(self) -> None:
        """End the process, whatever it is doing, and take its input away."""
        if self.process.poll() is None:
            if not self.done:
                self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for name in ("stdin", "stdout"):
            with contextlib.suppress(OSError, ValueError):
                self._pipe(name).close()
        shutil.rmtree(self.folder, ignore_errors=True)
