"""A worker process: one line of JSON on stdin says what is played on, every further line asks for a play; plays go out as lines on stdout.

The process ends when its stdin closes, so no worker outlives its parent.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from allocator.backtest.player import Player, Setting
from allocator.children import telling
from allocator.tables.tables import Tables


def main() -> None:
    """Play what is asked for until stdin closes."""
    with telling() as tell:
        line = sys.stdin.readline()
        if not line:
            return
        first = json.loads(line)
        tables = Tables.load(Path(first["folder"]))
        if tables.input_hash != first["input_hash"]:
            raise RuntimeError("the network read back is not the one that was checked")
        with Player(tables, Setting(**first["setting"])) as player:
            tell("ready")
            for line in sys.stdin:
                job = json.loads(line)
                tell("done", **player.play(job["policy"], job["replication"]))
