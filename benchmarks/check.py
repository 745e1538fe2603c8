"""Two revisions side by side: ``python -m benchmarks.check BASE [--tiny] [--repeat N] [--tree FOLDER] [--json FILE]``. Exit code 5 on a regression.

Both plan the same made-up networks, in turns, with the same interpreter and packages. What does not depend on the machine is the gate: simplex
iterations, HiGHS's runs, rounds, passes, nodes, the size of the program, the gap at fixed work; time is a loose one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.machine import ROOT, describe, watch

COUNTER_BAR = 1.02
TIME_BAR = 1.5
GAP_SLACK = 1e-6
"""What a gap may grow by whatever it was: it is often 0."""
COUNTERS = ("iterations", "runs", "rounds", "passes", "nodes", "rows", "columns", "nonzeros", "gap")
Counts = dict[str, float]


@dataclass(frozen=True)
class Task:
    """A network planned by one engine, with work that does not depend on the machine: no deadline, one worker."""

    case: Case
    engine: str
    gap: float

    @property
    def name(self) -> str:
        """What it is called in the report."""
        return f"{self.case.name}, {self.engine}"


def _tasks(*cases: tuple[Case, float]) -> tuple[Task, ...]:
    # a gap that is not reached makes the priced engine do all of its improving, and no more
    return tuple(
        Task(case, engine, gap if engine == "whole" else 0.0) for case, gap in cases for engine in ("whole", "priced")
    )


TASKS = _tasks(
    (Case("10 items x 10 stores x 7 days", 10, 10, 7), 1e-6), (Case("100 items x 50 stores x 14 days", 100, 50), 0.005)
)
TINY = _tasks((Case("4 items x 3 stores x 4 days", 4, 3, 4), 1e-6))


@dataclass(frozen=True)
class Measured:
    """One run: what was counted (empty where the revision can't do it, ``why`` says so), CPU seconds of all its processes."""

    counts: Counts
    cpu: float
    why: str = ""


@dataclass(frozen=True)
class Finding:
    """One comparison: base, now, the most that is allowed, and whether it is past that."""

    task: str
    what: str
    base: float
    now: float
    most: float

    @property
    def past(self) -> bool:
        """Past its bar."""
        return self.now > self.most

    def __str__(self) -> str:
        word = "REGRESSION" if self.past else "good"
        return f"{word}: {self.task}: {self.what} {self.base:.6g} -> {self.now:.6g} (at most {self.most:.6g})"


def main(arguments: list[str] | None = None) -> int:
    """Compare; 0 when nothing is past its bar, 5 else, 2 when BASE is no revision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="revision to compare with, e.g. main or HEAD~5")
    parser.add_argument("--tiny", action="store_true", help="the smallest network only")
    parser.add_argument("--repeat", type=int, default=2, help="turns; time is the median of their ratios")
    parser.add_argument(
        "--tree", type=Path, default=ROOT, help="working tree that is compared with it (default: this one)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here too")
    chosen = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": describe(), "base": chosen.base, "tasks": {}}
    found: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="allocator-check-") as scratch:
        try:
            with checkout(chosen.base, Path(scratch) / "base") as base:
                for number, task in enumerate(TINY if chosen.tiny else TASKS):
                    turns = take_turns(task, (base, chosen.tree.resolve()), Path(scratch) / str(number), chosen.repeat)
                    result["tasks"][task.name] = [[one.counts | {"cpu": one.cpu} for one in turn] for turn in turns]
                    findings, words = compare(task.name, turns)
                    found += findings
                    for line in [str(finding) for finding in findings] + words:
                        print(line, flush=True)
        except subprocess.CalledProcessError as error:
            print(f"error: git knows no revision '{chosen.base}': {error.stderr.strip()}", file=sys.stderr)
            return 2
    past = [finding for finding in found if finding.past]
    result["findings"] = [str(finding) for finding in found]
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"{len(found)} compared, {len(past)} past their bar" + "".join(f"\n{finding}" for finding in past))
    return 5 if past else 0


@contextmanager
def checkout(revision: str, folder: Path) -> Iterator[Path]:
    """A revision's files in a folder of its own; gone at the end."""

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)

    git("worktree", "add", "--detach", str(folder), revision)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def take_turns(task: Task, trees: tuple[Path, Path], folder: Path, repeat: int) -> list[tuple[Measured, Measured]]:
    """Base and now, ``repeat`` times; who goes first changes."""
    folder.mkdir()
    network = task.case.write(folder / "network")
    turns = []
    for turn in range(repeat):
        order = (0, 1) if turn % 2 == 0 else (1, 0)
        pair = {k: run(task, trees[k], network, folder / f"{turn}-{k}") for k in order}
        turns.append((pair[0], pair[1]))
        if not (pair[0].counts and pair[1].counts):
            break  # there is nothing to compare: no more turns
    return turns


def run(task: Task, tree: Path, network: Path, folder: Path) -> Measured:
    """Plan a network with the packages of a working tree.

    Raises
    ------
    RuntimeError
        When the plan fails for any other reason than that the revision has no such engine.
    """
    folder.mkdir()
    out = folder / "plan"
    command = ["-m", "allocator", "plan", str(network), "-o", str(out), "--engine", task.engine, "--gap", str(task.gap)]
    if task.engine == "priced":
        if not (tree / "allocator" / "priced" / "engine.py").exists():
            return Measured({}, 0.0, "has no priced engine")
        command += ["--workers", "1"]
    done = watch(command, folder / "out", folder / "err", root=tree, at=tree)
    if done.code == 2 and task.engine in done.err:
        return Measured({}, 0.0, f"has no engine '{task.engine}' in its plan command")
    if done.code not in (0, 3):
        raise RuntimeError(f"{task.name} in {tree} ended with exit code {done.code}: {done.err.strip()[-500:]}")
    return Measured(counts(out), done.cpu)


def counts(plan: Path) -> Counts:
    """What a plan folder says that does not depend on the machine; counters that its revision did not keep are left out."""
    solver = json.loads((plan / "manifest.json").read_text("utf-8"))["solver"]
    log = solver.get("log")
    known = dict(solver) | {"gap": json.loads((plan / "certificate.json").read_text("utf-8"))["gap"]}
    if log is not None:
        known["passes"] = sum(event["event"] == "pass" for event in log)
    # the priced engine stacks no program: its size and nodes are 0 and say nothing
    told = [name for name in COUNTERS if solver["rows"] or name not in ("nodes", "rows", "columns", "nonzeros")]
    return {name: float(known[name]) for name in told if known.get(name) is not None}


def compare(task: str, turns: list[tuple[Measured, Measured]]) -> tuple[list[Finding], list[str]]:
    """Compare two revisions on one task.

    Parameters
    ----------
    task : str
    turns : list of (base, now)

    Returns
    -------
    list of Finding, list of str
        One finding for each counter that both have and one for the time; a word on each counter that can't be compared.
    """
    base, now = turns[0]
    for side, measured in (("the base", base), ("the working tree", now)):
        if not measured.counts:
            return [], [f"skipped: {task}: {side} {measured.why}"]
    found, words = [], []
    for name in COUNTERS:
        if name in base.counts and name in now.counts:
            # the least of all turns: a counter that varies between turns is no worse than its best
            before, after = (min(turn[k].counts[name] for turn in turns) for k in (0, 1))
            slack = GAP_SLACK if name == "gap" else 0.0
            found.append(Finding(task, name, before, after, COUNTER_BAR * max(before, 0.0) + slack))
        elif name in base.counts or name in now.counts:
            side = "the base" if name not in base.counts else "the working tree"
            words.append(f"skipped: {task}: {side} does not count {name}")
    ratio = statistics.median(pair[1].cpu / max(pair[0].cpu, 1e-3) for pair in turns)
    found.append(Finding(task, "CPU, times that of the base", 1.0, ratio, TIME_BAR))
    return found, words


if __name__ == "__main__":
    sys.exit(main())
