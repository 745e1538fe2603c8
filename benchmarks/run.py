"""Every bar, side by side in one run: ``python -m benchmarks.run [--quick] [--json FILE]``. Exit code 5 when a bar is missed."""

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

from benchmarks.cases import BAR, DEMO, FULL, QUICK, Case, tiny
from benchmarks.machine import ROOT, describe, environment
from benchmarks.planning import plan

BUILD_BAR, OUTSIDE_BAR, HELP_BAR = 20.0, 0.35, 0.4
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> int:
    """Measure, print JSON, write the page (full runs only)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small cases, ratios only; the page is left alone")
    parser.add_argument("--tiny", action="store_true", help="the smallest case, for a smoke test")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    chosen = parser.parse_args()
    cases = tiny() if chosen.tiny else QUICK if chosen.quick else FULL
    full = not (chosen.quick or chosen.tiny)
    result: dict[str, Any] = {"machine": describe(), "date": dt.date.today().isoformat(), "cases": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for number, case in enumerate(cases):
            result["cases"][case.name] = _case(case, Path(scratch) / str(number))
    result["help_seconds"] = _help()
    result["bars"] = _bars(result, full)
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.json:
        chosen.json.write_text(text + "\n")
    if full:
        PAGE.write_text(page(result), encoding="utf-8")
    return 0 if all(bar["met"] for bar in result["bars"]) else 5


def _case(case: Case, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    network = case.write(folder / "network")
    print(f"building {case.name}, ours and plain Pyomo", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks.building", str(network)]
    run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    found: dict[str, Any] = {"building": json.loads(run.stdout)}
    if case.plan:
        print(f"planning {case.name}", file=sys.stderr)
        found["plan"] = plan(network, folder)
    return found


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


def _bars(result: dict[str, Any], full: bool) -> list[dict[str, Any]]:
    bars = [{"bar": "allocator --help, seconds", "limit": HELP_BAR, "found": result["help_seconds"]}]
    bars[0]["met"] = result["help_seconds"] <= HELP_BAR
    if full:
        case = result["cases"][BAR.name]
        ratio, share = case["building"]["ratio"], case["plan"]["outside_share"]
        bars.append(
            {
                "bar": "building against plain Pyomo, times faster",
                "limit": BUILD_BAR,
                "found": ratio,
                "met": ratio >= BUILD_BAR,
            }
        )
        bars.append(
            {
                "bar": "share of the process outside HiGHS",
                "limit": OUTSIDE_BAR,
                "found": share,
                "met": share <= OUTSIDE_BAR,
            }
        )
    return bars


def page(result: dict[str, Any]) -> str:
    """The figures as docs/benchmarks.md."""
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    lines = [
        "# Benchmarks",
        "",
        f"`python -m benchmarks.run` on {result['date']}; {machine}.",
        "",
        "| bar | limit | found | met |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {b['bar']} | {b['limit']:g} | {b['found']:.3g} | {'yes' if b['met'] else 'no'} |" for b in result["bars"]
    ]
    heads = (
        "case",
        "columns",
        "ours, CPU s",
        "plain Pyomo, CPU s",
        "times",
        "whole process, s",
        "in HiGHS, s",
        "outside",
    )
    heads += ("proven gap", "peak MiB")
    lines += ["", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, case in result["cases"].items():
        b, p = case["building"], case.get("plan", {})
        tail = (
            f"{p['seconds']:.1f} | {p['highs_seconds']:.1f} | {100 * p['outside_share']:.0f} % | {p['gap']:.2e} | {p['peak_mib']:.0f}"
            if p
            else " | | | | "
        )
        lines.append(
            f"| {name} | {b['columns']:,} | {b['ours']['cpu']:.2f} | {b['pyomo']['cpu']:.1f} | {b['ratio']:.1f} | {tail} |"
        )
    lines += [
        "",
        f"Demo: `{DEMO.name}`. Plain Pyomo builds the same laws with numbers, item by item, in the same process. ",
        "Lots and reading have their own: `python -m benchmarks.lots` and `python -m benchmarks.reading`.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
