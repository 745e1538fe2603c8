"""Plays in parallel processes, each with a solver of one thread; what is finished is kept at once."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

from allocator.backtest.player import Player, Setting
from allocator.children import Child
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
        _spread(first, jobs, min(workers, len(jobs)), keep, tell)


def _spread(first: dict[str, Any], jobs: Sequence[Job], workers: int, keep: Keep, tell: Tell) -> None:
    events: Queue[tuple[int, dict[str, Any] | None]] = Queue()
    waiting = list(jobs)

    def hear(number: int, event: dict[str, Any] | None) -> None:
        events.put((number, event))

    crew = [Child("allocator.backtest.worker", partial(hear, number)) for number in range(workers)]
    busy: dict[int, Job] = {}
    error = ""
    try:
        for worker in crew:
            worker.say(first)
        alive = workers
        while alive and (waiting or busy or not error):
            number, event = events.get()
            if event is None:
                busy.pop(number, None)
                error = error or "a worker's process ended"
                alive -= 1
                if not busy:
                    break
                waiting = []
                continue
            if event["event"] == "failed":
                error, waiting = error or str(event.get("error")), []
                continue  # its process ends by it
            if event["event"] == "done":
                busy.pop(number)
                keep.add({name: event[name] for name in ("policy", "replication", "seconds", "sample")})
                tell("play", {name: event[name] for name in ("policy", "replication", "seconds")})
            if waiting:
                busy[number] = waiting.pop(0)
                crew[number].say({"policy": busy[number][0], "replication": busy[number][1]})
            elif not busy:
                break
    finally:
        for worker in crew:
            worker.close()
    if error:
        raise PlayFailedError(error)
