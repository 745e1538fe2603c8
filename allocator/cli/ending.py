"""What SIGINT and SIGTERM mean for a run, depending on how far it is."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType

INTERRUPTED = 130
"""Exit code of a run that was asked to end."""
BREAKABLE = frozenset({"program", "solve", "prices", "whole units", "holding back"})
"""Stages of the solver: what it has by then is planned on."""
FINISHING = frozenset({"lots", "measure", "audit", "report", "write", "publish"})
"""Stages that follow a plan: they are seen through."""


class Ending:
    """Takes SIGINT and SIGTERM over while a plan is made.

    The first one, before there is any plan, ends the run; while the solver works, it ends the solver, and the best plan so far is published;
    while a plan is finished and written, it is noted. The second ends the run wherever it is; what was published before stays.

    Attributes
    ----------
    asked : bool
        Whether the run was asked to end.
    """

    def __init__(self, stage: Callable[[str], None], say: Callable[[str], None]) -> None:
        self.asked = False
        self._told, self._say, self._stage = stage, say, "read"
        self._before: dict[int, signal.Handlers | int | Callable[[int, FrameType | None], object] | None] = {}

    def __enter__(self) -> Ending:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._stage = name
        self._told(name)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._say("interrupted: nothing was published")
            raise SystemExit(INTERRUPTED)
        self.asked = True
        if self._stage in FINISHING:
            self._say("interrupted: the plan is finished and published first; once more to end without")
            return
        if self._stage in BREAKABLE:
            self._say("interrupted: the best plan so far is finished and published; once more to end without")
        raise KeyboardInterrupt
