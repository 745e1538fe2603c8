"""Cases, peers and bars side by side: ``python -m benchmarks.run [--quick | --tiny | --scale] [--only TEXT] [--json FILE]``.

Prints JSON on stdout and the bars on stderr; exit code 5 when a bar is not met. Full runs and ``--scale`` write their part of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import bars, page
from benchmarks.cases import FULL, QUICK, SCALE, TINY, Case
from benchmarks.contest import contest
from benchmarks.machine import ROOT, describe, environment

HELP_BAR = 0.4


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="small cases, ratios only; the page is left alone")
    size.add_argument(
        "--tiny", action="store_true", help="the smallest cases, for a smoke test; the page is left alone"
    )
    size.add_argument("--scale", action="store_true", help="the growth cases, up to a million item-sites; an hour")
    parser.add_argument("--only", metavar="TEXT", help="cases whose name holds this; the page is left alone")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    chosen = parser.parse_args()
    cases = TINY if chosen.tiny else QUICK if chosen.quick else SCALE if chosen.scale else FULL
    cases = tuple(case for case in cases if chosen.only is None or chosen.only in case.name)
    if not cases:
        parser.error(f"no case's name holds '{chosen.only}'")
    result = measure(cases, helped=not chosen.scale)
    text = json.dumps(result, indent=1, default=float)
    print(text)
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(text + "\n", encoding="utf-8")
    for line in page.bars(result["bars"]):
        print(line, file=sys.stderr)
    if chosen.scale and not chosen.only:
        page.write("scale", page.part("Growth", "make bench-scale", result))
    elif not (chosen.quick or chosen.tiny or chosen.only):
        page.write("full", page.part("Side by side", "make bench", result))
    return 0 if all(bar["met"] for bar in result["bars"]) else 5


def measure(cases: tuple[Case, ...], helped: bool = True) -> dict[str, Any]:
    """Measure cases; figures, machine, bars."""
    began = time.monotonic()
    result: dict[str, Any] = {"machine": describe(), "date": dt.date.today().isoformat(), "cases": {}, "bars": []}
    if helped:
        result["bars"].append(bars.bar("allocator --help, seconds", HELP_BAR, _help(), most=True))
    with tempfile.TemporaryDirectory() as scratch:
        for number, case in enumerate(cases):
            found = _case(case, Path(scratch) / str(number))
            result["cases"][case.name] = found
            result["bars"] += bars.of_case(case.name, case.role, found)
    growth = [(case.items, result["cases"][case.name]["rows"]["priced"]) for case in cases if case.role == "growth"]
    if len(growth) > 1:
        result["bars"] += bars.of_growth(growth[0], growth[-1])
    result["minutes"] = (time.monotonic() - began) / 60.0
    return result


def _case(case: Case, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    network = case.write(folder / "network")
    found: dict[str, Any] = {}
    if case.role == "building":
        print(f"{case.name}: building, ours and plain Pyomo in one process", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "benchmarks.building", str(network)]
        run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
        found["building"] = json.loads(run.stdout)
    return found | {"rows": contest(case, network, folder)}


def _help() -> float:
    """Median seconds of ten ``allocator --help``."""
    taken = []
    for _ in range(10):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "allocator", "--help"], env=environment(), capture_output=True, check=True
        )
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
