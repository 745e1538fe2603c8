"""One run in a process of its own: a job comes as a line of JSON on stdin, events go out as lines on stdout.

The process ends when its stdin closes, so no run outlives its parent.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pyarrow.parquet as pq

from allocator.children import telling
from allocator.engine.start import Start, write_start
from allocator.plan.plan import CHANGES
from allocator.run import Options, Watch, solve
from allocator.tables.tables import Tables

FACTS = "scenario.json"


def pack(tables: Tables, folder: Path) -> None:
    """Write a resolved network for a worker."""
    tables.write(folder / "network")
    facts = {"scenario": list(tables.scenario), "notes": list(tables.notes)}
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    if tables.changes is not None:
        pq.write_table(tables.changes, folder / CHANGES)


def unpack(folder: Path) -> Tables:
    """Read back what `pack` wrote."""
    tables = Tables.load(folder / "network")
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if not (folder / CHANGES).is_file():
        return tables
    notes = tuple(note for note in facts["notes"] if note not in tables.notes)
    return tables.under(tuple(facts["scenario"]), pq.read_table(folder / CHANGES), notes)


def main() -> None:
    """Run one job."""
    with telling(default=str) as tell:
        job = json.loads(sys.stdin.readline())
        threading.Thread(target=_watch_parent, daemon=True).start()
        tables = unpack(Path(job["folder"]))
        if tables.input_hash != job["input_hash"]:
            raise RuntimeError("the network read back is not the one that was checked")
        watch = Watch(
            lambda name: tell("stage", stage=name),
            lambda event: tell("gap", **event),
            lambda n, facts: tell(n, **facts),
        )
        paths = {name: Path(job[name]) for name in ("start", "leave") if job[name]}
        plan = solve(tables, Options(**(job["options"] | paths)), watch)
        if "leave" in paths and not paths["leave"].is_file():
            write_start(Start(), paths["leave"])  # the rules engine leaves nothing to start from
        tell("stage", stage="write")
        plan.write(job["target"])
        tell("done", exit_code=plan.exit_code)


def _watch_parent() -> None:
    while sys.stdin.readline():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
