"""Plays in parallel processes, each with a solver of one thread; what is finished is kept at once."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from queue import Queue
from typing import Any

from allocator.backtest.player import Player, Setting
from allocator.engine.process import child_environment
from allocator.files import replacing
from allocator.history import History
from allocator.tables import Tables

Job = tuple[str, int]
"""Policy and replication."""
Tell = Callable[[str, dict[str, Any]], None]


class PlayFailedError(RuntimeError):
    """A play could not be finished; what others gave is kept."""


class Keep:
    """Plays that are finished, and where they are kept.

    Attributes
    ----------
    plays : dict
        (policy, replication) -> what the play gave.
    folder : Path or None
        Where each is written as it comes.
    """

    def __init__(self, folder: Path | None, resume: bool) -> None:
        self.folder = folder
        self.plays: dict[Job, dict[str, Any]] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if resume:
                for path in sorted(folder.glob("*.json")):
                    with contextlib.suppress(ValueError, KeyError, OSError):
                        made = json.loads(path.read_text(encoding="utf-8"))
                        self.plays[str(made["policy"]), int(made["replication"])] = made

    def add(self, made: dict[str, Any]) -> None:
        """Keep a play."""
        job = (str(made["policy"]), int(made["replication"]))
        self.plays[job] = made
        if self.folder is not None:
            with replacing(self.folder / f"{job[0]}-{job[1]}.json") as path:
                path.write_text(json.dumps(made), encoding="utf-8")


def run_plays(
    tables: Tables, setting: Setting, history: History | None, jobs: Sequence[Job], workers: int, keep: Keep, tell: Tell
) -> None:
    """Play every job, in this process or in several.

    Parameters
    ----------
    tables : Tables
    setting : Setting
    history : History or None
        Already read; workers read the file again.
    jobs : sequence of (policy, replication)
    workers : int
        Processes; 1 plays here.
    keep : Keep
        Takes each play as it is finished.
    tell : callable
        ``tell("play", facts)`` when one is finished.

    Raises
    ------
    PlayFailedError
        When a worker fails; the plays of the others until then are kept.
    """
    if workers <= 1 or len(jobs) <= 1:
        with Player(tables, setting, history) as player:
            for policy, replication in jobs:
                keep.add(made := player.play(policy, replication))
                tell("play", {name: made[name] for name in ("policy", "replication", "seconds")})
        return
    with tempfile.TemporaryDirectory(prefix="allocator-backtest-") as folder:
        tables.write(folder)
        first = {"folder": folder, "input_hash": tables.input_hash, "setting": asdict(setting)}
        _spread(json.dumps(first), jobs, min(workers, len(jobs)), keep, tell)


def _spread(first: str, jobs: Sequence[Job], workers: int, keep: Keep, tell: Tell) -> None:
    events: Queue[tuple[int, dict[str, Any] | None]] = Queue()
    waiting = list(jobs)
    crew = [_Worker(number, first, events) for number in range(workers)]
    busy: dict[int, Job] = {}
    error = ""
    try:
        alive = workers
        while alive and (waiting or busy or not error):
            number, event = events.get()
            if event is None or event["event"] == "failed":
                busy.pop(number, None)
                error = error or str((event or {}).get("error", "a worker's process ended"))
                alive -= 1
                if not busy:
                    break
                waiting = []
                continue
            if event["event"] == "done":
                busy.pop(number)
                keep.add({name: event[name] for name in ("policy", "replication", "seconds", "sample")})
                tell("play", {name: event[name] for name in ("policy", "replication", "seconds")})
            if waiting:
                busy[number] = waiting.pop(0)
                crew[number].ask(busy[number])
            elif not busy:
                break
    finally:
        for worker in crew:
            worker.close()
    if error:
        raise PlayFailedError(error)


class _Worker:
    """One worker process and the thread that listens to it."""

    def __init__(self, number: int, first: str, events: Queue[tuple[int, dict[str, Any] | None]]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from allocator.backtest.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            text=True,
            start_new_session=True,
        )
        self._write(first)
        threading.Thread(target=self._listen, args=(number, events), daemon=True).start()

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def _listen(self, number: int, events: Queue[tuple[int, dict[str, Any] | None]]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            events.put((number, event))
            if event["event"] == "failed":
                return
        events.put((number, None))

    def ask(self, job: Job) -> None:
        """Ask for a play."""
        self._write(json.dumps({"policy": job[0], "replication": job[1]}))

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
