"""What a run tells on stderr: a line a stage on a terminal, JSON lines with ``--log json``, nothing otherwise."""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
import time
import uuid
from types import TracebackType
from typing import Any

from allocator.options import STAGES


def _finite(value: Any) -> Any:
    """JSON knows no infinity: what is not known yet is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Voice:
    """Progress of one run; a context manager."""

    def __init__(self, log: str | None) -> None:
        self.json = log == "json"
        self.live = not self.json and sys.stderr.isatty()
        self.run = uuid.uuid4().hex[:12]
        self.began = time.monotonic()
        self.current = ""
        self._status: Any = None

    def __enter__(self) -> Voice:
        if self.live:
            from rich.console import Console

            self._status = Console(stderr=True).status("starting")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def event(self, event: str, **facts: Any) -> None:
        """Write a JSON event, in ``--log json`` only."""
        if self.json:
            now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
            known = {name: _finite(value) for name, value in facts.items()}
            line = {"time": now, "run": self.run, "event": event, **known}
            print(json.dumps(line, default=str, allow_nan=False), file=sys.stderr, flush=True)  # noqa: T201

    def stage(self, name: str) -> None:
        """A stage begins."""
        self.current = STAGES.get(name, name)
        self.event("stage", stage=name)
        self._show(self.current)

    def progress(self, event: dict[str, float]) -> None:
        """The solver's bound and best plan so far."""
        best, bound = event["objective"], event["bound"]
        gap = (best - bound) / max(abs(best), 1.0)
        self.event("gap", objective=best, bound=bound, gap=gap, nodes=int(event["nodes"]), seconds=event["seconds"])
        if abs(best) < 1e100:
            self._show(f"{self.current}: value {-best:,.0f}, at most {-bound:,.0f}, gap {100 * gap:.3f} %")
        elif abs(bound) < 1e100:
            self._show(f"{self.current}: no plan yet, value at most {-bound:,.0f}")

    def told(self, name: str, facts: dict[str, Any]) -> None:
        """A round or a pass of the priced engine: a line each on a terminal, which stays."""
        self.event(name, **facts)
        if self._status is None:
            return
        if name == "round":
            gap = (facts["promise"] - facts["bound"]) / max(abs(facts["bound"]), 1.0)
            what = "of the sample" if facts["phase"] == "sample" else "of all"
            line = (
                f"round {facts['number']}: value {what} at most {-facts['bound']:,.0f}, {100 * gap:.3f} % of that may still fall, "
                f"{facts['tight']} resources with a price"
            )
        else:
            line = f"{facts['kind']}: {facts['items']:,} items, {facts['overdrawn']} resources overdrawn before"
            if facts["gap"] is not None:
                line += f", value {-facts['cost']:,.0f}, gap {100 * facts['gap']:.3f} %"
        self._status.console.print(f"{line}  ({facts['seconds']:.1f} s)".replace("[", "\\["), highlight=False)

    def warn(self, text: str) -> None:
        """A line that stays, whoever listens."""
        self.event("warning", text=text)
        if not self.json:
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    def say(self, text: str) -> None:
        """What is going on, for a terminal only."""
        self._show(text)

    def _show(self, text: str) -> None:
        if self._status is not None:
            self._status.update(f"{text}  [{time.monotonic() - self.began:.0f} s]".replace("[", "\\["))
