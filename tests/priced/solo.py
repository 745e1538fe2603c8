"""A crew of one in the test's own process: the same desk and the same words, without the seconds that a process takes to start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from allocator import run
from allocator.engine import frames
from allocator.priced import engine
from allocator.priced.crew import Arrays, Crew
from allocator.priced.desk import Desk
from allocator.priced.engine import Setting
from allocator.priced.local import Hands
from allocator.priced.source import Source, write_source


class SoloCrew(Crew):
    """Desks of this process; orders and answers pass through the same bytes as a pipe's."""

    def __init__(self, source: Path, shards: Sequence[NDArray[np.int64]], workers: int) -> None:
        super().__init__(shards, workers)
        self._desks = [Desk(source) for _ in range(self.workers)]
        self._answers: list[tuple[int, dict[str, Any] | None, Arrays]] = []

    def _send(self, worker: int, order: dict[str, Any], arrays: Arrays) -> None:
        facts, found = self._desks[worker].do(json.loads(json.dumps(order)), frames.unpack(frames.pack(arrays)))
        self._answers.append((worker, facts, {name: np.asarray(value) for name, value in found.items()}))

    def _next(self, timeout: float) -> tuple[int, dict[str, Any] | None, Arrays] | None:
        return self._answers.pop(0)

    def _end(self, worker: int) -> None:
        raise AssertionError("a desk of this process can't be ended")

    def close(self) -> None:
        self._desks.clear()


@contextmanager
def solo(source: Source, shards: list[NDArray[np.int64]], setting: Setting) -> Iterator[Crew]:
    """Stands for :func:`allocator.priced.engine.staffed`."""
    with TemporaryDirectory() as scratch:
        write_source(source, Path(scratch))
        with SoloCrew(Path(scratch), shards, setting.workers) as crew:
            yield crew


def stay_in_process(patch: pytest.MonkeyPatch) -> None:
    """Plan from prices in the test's own process, and start no workers ahead."""
    patch.setattr(engine, "staffed", solo)
    patch.setattr(run, "hands", lambda network, options: Hands(0))
