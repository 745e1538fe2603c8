"""What a run tells a monitoring system: a file in OpenMetrics text, and the closing event whatever the ending."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from allocator.cli.ending import INTERRUPTED
from allocator.files import replacing

if TYPE_CHECKING:
    from allocator.cli.say import Voice
    from allocator.plan.plan import Plan

HELD = 4
Sample = tuple[Mapping[str, str], float]


class Metrics:
    """Figures of one run for a file; without a path nothing is written.

    Parameters
    ----------
    path : Path or None
    network : str
        Label of every figure.
    """

    def __init__(self, path: Path | None, network: str) -> None:
        self._path, self._network = path, network
        self._began = time.monotonic()
        self._families: list[tuple[str, str, list[Sample]]] = []

    def plan(self, plan: Plan) -> None:
        """Take down what a plan comes to."""
        paper, kpis = plan.certificate, plan.tables["kpis"]
        mine = kpis[kpis["scope"] == "network"]
        self._add("plan_value", "value of the plan, in the network's currency", [({}, paper["value"])])
        self._add(
            "plan_bound_value", "no plan is worth more", [({}, None if paper["bound"] is None else -paper["bound"])]
        )
        self._add("plan_gap_ratio", "proven distance from the best plan", [({}, paper["gap"])])
        self._add("plan_exceptions", "limits that had to give", [({}, len(plan.tables["exceptions"]))])
        self._add(
            "plan_rows", "rows of each table", [({"table": name}, len(table)) for name, table in plan.tables.items()]
        )
        figures = zip(mine["kpi"].astype(str), mine["unit"].astype(str), mine["value"], strict=True)
        self._add(
            "plan_kpi", "figures of docs/kpis.md", [({"kpi": kpi, "unit": unit}, value) for kpi, unit, value in figures]
        )
        stages = plan.manifest["timings"].items()
        self._add("stage_seconds", "wall clock of each stage", [({"stage": name}, seconds) for name, seconds in stages])

    def write(self, code: int) -> None:
        """Write the file beside its place and move it there; it is never half a file.

        Raises
        ------
        OSError
        """
        if self._path is None:
            return
        self._add("run_exit_code", "exit code of the last run", [({}, code)])
        self._add("run_seconds", "wall clock of the last run", [({}, time.monotonic() - self._began)])
        self._add("run_finished_timestamp_seconds", "when the last run ended", [({}, time.time())])
        with replacing(self._path) as fresh:
            fresh.write_text("".join([*self._lines(), "# EOF\n"]), encoding="utf-8")

    def _add(self, name: str, about: str, samples: Iterable[tuple[Mapping[str, str], Any]]) -> None:
        known = [(labels, float(value)) for labels, value in samples if value is not None and math.isfinite(value)]
        self._families.append((f"allocator_{name}", about, known))

    def _lines(self) -> Iterator[str]:
        for name, about, samples in self._families:
            yield f"# TYPE {name} gauge\n# HELP {name} {escaped(about)}.\n"
            for labels, value in samples:
                shown = {"network": self._network, **labels}
                inside = ",".join(f'{label}="{escaped(text)}"' for label, text in shown.items())
                yield f"{name}{{{inside}}} {value:.12g}\n"


def escaped(text: str) -> str:
    """Escape a text as OpenMetrics asks, and keep it on its line."""
    plain = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return "".join(c if c.isprintable() else "?" for c in plain)


@contextmanager
def closing(voice: Voice, metrics: Metrics) -> Iterator[None]:
    """Tell the exit code of a run that ends without a plan, as an event and in the metrics file."""
    try:
        yield
    except BaseException as error:
        code = exit_code(error)
        voice.event("finish", status="failed", error=str(error).splitlines()[:1], exit_code=code)
        if code != HELD:  # the run that holds the output writes its own
            with suppress(OSError):
                metrics.write(code)
        raise


def exit_code(error: BaseException) -> int:
    """Exit code that an ending stands for."""
    from allocator.plan.publish import NotAPlanError, OutputHeldError
    from allocator.priced.cluster import ClusterError

    if isinstance(error, click.ClickException | click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, OutputHeldError):
        return HELD
    if isinstance(error, NotAPlanError | ClusterError):
        return 2
    return INTERRUPTED if isinstance(error, KeyboardInterrupt | SystemExit) else 1
