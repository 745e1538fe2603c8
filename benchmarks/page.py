"""docs/benchmarks.md: a part for each command, each replaced by its own run only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.contest import NAMES
from benchmarks.machine import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
PHASES = ("read", "compile", "stamp", "model", "solve", "lots", "audit", "write", "rest")
HEAD = """# Benchmarks

Made by `make bench` and `make bench-scale`; every part says when, where and by which command it was measured. All who plan a case do so in
one run, one after the other, each in a process of its own.

- **Plain Pyomo** instantiates the same laws with numbers, item by item, and hands the model to HiGHS through Pyomo's own interface
  (`tests/program/plain.py`).
- **linopy** is given the finished rows and columns as arrays and states them, then hands them to HiGHS through its own interface. The
  coefficients are made by our compiling and stamping; whoever writes the laws in linopy has that work on top.
- **HiGHS alone** gets the ready matrix: the floor. Its interior point runs without crossover; threads and all else are its defaults.
- **Ours** is `allocator plan` from process start to process end, with lots, audit, report and published tables.

Columns: seconds of wall clock by phase (`stamp` holds compiling too where they are not told apart; the priced engine stamps in its first round,
which counts to `solve`; `model` is stating the model and handing it to HiGHS; `rest` is start-up, the rules engine's plan, and measuring),
of the whole process, CPU seconds of all its processes, the most memory they held together (shared pages counted in each). Values are costs, less is better.
`time limit`: ran into the limit in brackets and was ended.
"""


def write(part: str, text: str, page: Path = PAGE, head: str = HEAD) -> None:
    """Put one part's text in its place below the head; other parts stay."""
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    parts = dict(re.findall(r"<!-- part (\w+) -->\n(.*?)<!-- end -->", old, re.DOTALL))
    parts[part] = text
    body = "".join(f"\n<!-- part {name} -->\n{parts[name]}<!-- end -->\n" for name in sorted(parts))
    page.write_text(head + body, encoding="utf-8")


def part(title: str, command: str, result: dict[str, Any]) -> str:
    """One part: machine, bars, a table for each case."""
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    lines = [f"## {title}", "", f"`{command}` on {result['date']}, {result['minutes']:.0f} minutes; {machine}.", ""]
    lines += bars(result["bars"])
    for name, case in result["cases"].items():
        lines += ["", f"### {name[0].upper() + name[1:]}", ""]
        if "building" in case:
            lines += [building(case["building"]), ""]
        lines += table(case["rows"])
    return "\n".join(lines) + "\n"


def bars(found: list[dict[str, Any]]) -> list[str]:
    """The bars as a table."""
    lines = ["| bar | limit | found | met |", "|---|---|---|---|"]
    for bar in found:
        shown = "not measured" if bar["found"] is None else f"{bar['found']:.3g}"
        note = f" ({bar['note']})" if bar["note"] else ""
        limit = f"at {bar['at']} {bar['limit']:g}"
        lines.append(f"| {bar['bar']}{note} | {limit} | {shown} | {'yes' if bar['met'] else '**no**'} |")
    return lines


def building(found: dict[str, Any]) -> str:
    """One sentence on building the program."""
    phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in found["phases_cpu_seconds"].items())
    return (
        f"Building {found['columns']:,} columns, {found['rows']:,} rows, {found['nonzeros']:,} non-zeros in one process: ours "
        f"{found['ours']['cpu']:.2f} s of CPU ({phases}), plain Pyomo {found['pyomo']['cpu']:.1f} s: {found['ratio']:.1f} times."
    )


def table(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Everybody's row."""
    heads = ("who", *PHASES, "process", "CPU", "MiB", "value", "bound", "gap", "end")
    lines = [f"| {' | '.join(heads)} |", "|---" + "|--:" * (len(heads) - 2) + "|---|"]
    for name, row in rows.items():
        lines.append(f"| {' | '.join([NAMES[name], *_cells(row)])} |")
    for name, row in rows.items():
        found = row.get("linear")
        if found:
            at = "never" if found["seconds"] is None else f"after {found['seconds']:.1f} s of the engine"
            lines += [
                "",
                f"{NAMES[name][0].upper() + NAMES[name][1:]}: linear plan within every limit {_money(found['cost'])}, gap {_share(found['gap'])}; "
                f"a plan within the asked gap of the bound {at}; {row['solver'].get('rounds', 0)} rounds, "
                f"{row['solver']['iterations']:,} simplex iterations; outside HiGHS {_share(row['outside_workers'])} of the workers' CPU, "
                f"{_share(row['outside_share'])} of all"
                f"{'; the plan was then solved once more whole' if row['solver'].get('polished') else ''}.",
            ]
    return lines


def _cells(row: dict[str, Any]) -> list[str]:
    phases = row.get("phases", {})
    cells = [f"{phases[phase]:.2f}" if phase in phases else "" for phase in PHASES]
    cells += [f"{row[name]:.1f}" if name in row else "" for name in ("seconds", "cpu")]
    cells += [f"{row['peak_mib']:,}" if "peak_mib" in row else ""]
    cells += [_money(row.get("value")), _money(row.get("bound")), _share(row.get("gap"))]
    end = row["status"].lower()
    return [*cells, f"{end} ({row['limit']:.0f} s)" if end == "time limit" and "limit" in row else end]


def _money(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.3f} %"
