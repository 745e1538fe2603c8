"""Two masters on the same items: ``python -m benchmarks.masters [--case stress|large|tiny ...] [--rounds N] [--json FILE] [--page]``.

The proximal bundle (:mod:`allocator.priced.master`) against stabilised column generation by linear programs (:mod:`benchmarks.smoothed`), both over
the same groups of items, from no prices, with two fresh workers each. What counts is how near their bound is to the best bound that either found.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import page
from benchmarks.cases import LARGE, STRESS, TINY, Case
from benchmarks.machine import ROOT, describe

CASES = {"tiny": TINY[1], "stress": STRESS, "large": LARGE}
TARGETS = (0.01, 0.005, 0.001)
ENOUGH = 1e-4
"""Promised gain, relative to the bound, at which a master has no more to say."""
ALPHAS = (0.5, 0.9)
PAGE = ROOT / "docs" / "priced-masters.md"
HEAD = """# Which master proposes the prices

The priced engine needs somebody who makes the next prices out of all answers so far. Two were built and measured on the same items, groups
and workers, both from no prices:

- **the proximal bundle** (`allocator/priced/master.py`): all answers of each group are kept; the next prices are the best by their model, minus what
  going away from the best prices so far costs. No linear program: projected gradients on the weights of the answers.
- **columns** (`benchmarks/smoothed.py`): stabilised column generation. A restricted linear program mixes each group's answers, HiGHS solves it from its last
  basis, its duals are smoothed with the best prices so far (Wentges; the weight falls while those stay the best). Prices have a
  ceiling, the price of overdrawing.

**The bundle is kept.** Columns' first prices lie at their ceiling wherever something is overdrawn, because the restricted program has nothing else to offer
yet: for many rounds its bound is worse than that of no prices at all. The bundle's first steps are short by design. The tables show rounds and
seconds until the bound is within 1 %, 0.5 % and 0.1 % of the best bound that either found, and what went into the master itself and into the items.
"""


@dataclass(frozen=True)
class Round:
    """One round: best bound so far, what the master promises, seconds so far of the items (wall clock of asking them) and of the master."""

    bound: float
    promise: float
    items: float
    master: float


Ask = Callable[[Any], Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and with ``--page`` write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=list(CASES), action="append", help="default: stress and large")
    parser.add_argument("--rounds", type=int, default=40, help="most rounds of each master")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--page", action="store_true", help="write docs/priced-masters.md")
    chosen = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": describe(), "date": dt.date.today().isoformat(), "cases": {}}
    lines: list[str] = []
    for name in chosen.case or ["stress", "large"]:
        case = CASES[name]
        found = contest(case, chosen.rounds, chosen.workers)
        result["cases"][case.name] = {who: [asdict(one) for one in rounds] for who, rounds in found.items()}
        lines += ["", f"### {case.name}", "", *table(found)]
    print("\n".join(lines))
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if chosen.page:
        machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
        head = [f"`python -m benchmarks.masters --page` on {result['date']}, {chosen.workers} workers; {machine}."]
        page.write("masters", "\n".join(head + lines) + "\n", PAGE, HEAD)
    return 0


def contest(case: Case, rounds: int, workers: int) -> dict[str, list[Round]]:
    """Every master's rounds on one case."""
    from allocator.network import build_network
    from allocator.priced.engine import build_source
    from allocator.priced.sample import cut
    from allocator.priced.source import write_source
    from allocator.tables import read_tables

    with tempfile.TemporaryDirectory() as scratch:
        network = build_network(read_tables(case.write(Path(scratch) / "network")))
        source, shards = build_source(network), cut(network)
        folder = Path(scratch) / "source"
        write_source(source, folder)
        sides: dict[str, Callable[[Any], list[Round]]] = {"bundle": lambda crew: bundle(crew, source.limits, rounds)}
        for alpha in ALPHAS:
            sides[f"columns, smoothed {alpha:g}"] = lambda crew, a=alpha: columns(crew, source.limits, rounds, a)
        found = {}
        for who, side in sides.items():
            print(f"{case.name}: {who}", file=sys.stderr, flush=True)
            found[who] = _with_crew(side, folder, shards, workers)
    return found


def _with_crew(side: Callable[[Any], list[Round]], folder: Path, shards: Any, workers: int) -> list[Round]:
    """Run one master with fresh workers; stamping and cold starts fall into its first round."""
    from allocator.priced.local import LocalCrew

    with LocalCrew(folder, shards, workers) as crew:
        return side(crew)


def bundle(crew: Any, limits: Any, most: int) -> list[Round]:
    """Rounds of the bundle, as :class:`allocator.priced.rounds.Climb` runs them."""
    from allocator.priced.rounds import Climb, fresh

    groups = len(crew.shards)
    climb = Climb(crew, limits, list(range(groups)), np.ones(limits.count), fresh(groups, limits.count))
    found: list[Round] = []
    items = master = 0.0
    for _ in range(most):
        answer, seconds = _ask(crew, climb.next)
        items += seconds
        began = time.perf_counter()
        climb.take(answer)
        master += time.perf_counter() - began
        found.append(Round(climb.state.bound, climb.promise, items, master))
        if climb.done(ENOUGH):
            break
    return found


def columns(crew: Any, limits: Any, most: int, alpha: float) -> list[Round]:
    """Rounds of column generation."""
    from benchmarks.smoothed import Smoothed

    finite = np.isfinite(limits.limit)
    master = Smoothed(len(crew.shards), limits.limit, limits.highest, alpha)
    found: list[Round] = []
    items = 0.0
    for _ in range(most):
        price = master.next
        answer, seconds = _ask(crew, price)
        items += seconds
        bound = float(answer.bound.sum() - price[finite] @ limits.limit[finite]) + limits.constant
        master.take(bound, answer.cost, answer.use)
        found.append(Round(master.bound, master.promise + limits.constant, items, master.seconds))
        if found[-1].promise - master.bound <= ENOUGH * max(abs(master.bound), 1.0):
            break
    return found


def _ask(crew: Any, price: Any) -> tuple[Any, float]:
    from allocator.priced.rounds import ask

    began = time.perf_counter()
    answer = ask(crew, list(range(len(crew.shards))), price, np.inf, "all")
    return answer, time.perf_counter() - began


def table(found: dict[str, list[Round]]) -> list[str]:
    """Rounds and seconds to each target, and the totals."""
    best = max(rounds[-1].bound for rounds in found.values())
    heads = [
        "master",
        *(f"to {100 * target:g} %" for target in TARGETS),
        "rounds",
        "items, s",
        "master, s",
        "last bound off by",
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    for who, rounds in found.items():
        cells = [who, *(_reached(rounds, best, target) for target in TARGETS)]
        last = rounds[-1]
        cells += [str(len(rounds)), f"{last.items:.1f}", f"{last.master:.2f}", f"{100 * off(last.bound, best):.4f} %"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _reached(rounds: list[Round], best: float, target: float) -> str:
    for number, one in enumerate(rounds, 1):
        if off(one.bound, best) <= target:
            return f"{number} rounds, {one.items + one.master:.1f} s"
    return "never"


def off(bound: float, best: float) -> float:
    """How far a bound is below the best, relative."""
    return (best - bound) / max(abs(best), 1.0)


if __name__ == "__main__":
    sys.exit(main())
