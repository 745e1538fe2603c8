"""A worker process: one line of JSON on stdin says what is played on, every further line asks for a play; plays go out as lines on stdout.

The process ends when its stdin closes, so no worker outlives its parent.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from allocator.backtest.player import Player, Setting
from allocator.tables.tables import Tables


def main() -> None:
    """Play what is asked for until stdin closes."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        line = sys.stdin.readline()
        if not line:
            return
        first = json.loads(line)
        tables = Tables.load(Path(first["folder"]))
        if tables.input_hash != first["input_hash"]:
            raise RuntimeError("the network read back is not the one that was checked")
        with Player(tables, Setting(**first["setting"])) as player:
            _say({"event": "ready"})
            for line in sys.stdin:
                job = json.loads(line)
                _say({"event": "done", **player.play(job["policy"], job["replication"])})
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("ALLOCATOR_DEBUG"):
            raise
        lines = str(error).strip().splitlines()
        _say({"event": "failed", "error": f"{type(error).__name__}: {lines[0] if lines else ''}"})
        sys.exit(1)


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _stopped(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
