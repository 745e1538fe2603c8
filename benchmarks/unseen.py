"""What a plan against K outlooks is worth on outlooks that it has not seen: ``python -m benchmarks.unseen``.

Few outlooks make plans that promise more than they keep, as they are fitted to what was drawn. Played backtests differ too much by luck to tell how much a
larger K adds; here mornings of one play are planned with each K, by several seeds, the shipments of the days decided alike are fixed, and
the rest is left to a linear program over many other outlooks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from allocator.backtest import Setting
from allocator.backtest.decision import Decision
from allocator.backtest.play import play
from allocator.backtest.player import Player
from allocator.backtest.policies import POLICIES, Desk
from allocator.backtest.solving import whole_until
from allocator.engine.outlooks import read_decided
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem, solve_whole
from allocator.network import build_network
from allocator.network.network import Decided
from allocator.program.stack import build_program
from allocator.tables import Tables
from benchmarks.backtests import WEEK, iowa

UNSEEN_SEED = 777
"""Of the outlooks that no plan sees."""


def mornings(tables: Tables, setting: Setting, days: Sequence[int], replication: int) -> dict[int, Tables]:
    """The network as our policy sees it on some days of a play.

    Parameters
    ----------
    tables : Tables
    setting : Setting
        Played to the last of the days only.
    days : sequence of int
    replication : int

    Returns
    -------
    dict
        Day -> network that begins then.
    """
    ours, found = POLICIES["outlooks"], dict[int, Tables]()

    def decide(desk: Desk, seen: Tables, day: int) -> Decision:
        if day in days:
            found[day] = seen
        return ours.decide(desk, seen, day)

    with Player(tables, replace(setting, days=max(days) + 1)) as player:
        play(player.desk, replace(ours, decide=decide), player.path(replication), player.lens(ours, replication))
    return found


def drawn_anew(tables: Tables, outlooks: int, seed: int) -> Tables:
    """The same network with other outlooks."""
    return tables.replace(settings=tables.settings.model_copy(update={"outlooks": outlooks, "seed": seed}))


def planned(tables: Tables, solver: Solver, limits: Limits) -> tuple[float, Decided]:
    """What a plan against the network's outlooks promises [currency], and the shipments it decides for all of them."""
    network = build_network(tables)
    program = whole_until(build_program(network), network, 1)
    solution = solve_whole(network, program, solver, limits)
    # a class that is short of what was decided by a rounding sends what there is
    return -solution.objective, replace(read_decided(program, solution.x), exact=False)


def worth(tables: Tables, decided: Decided, solver: Solver) -> float:
    """Mean over the network's outlooks of what can be earned when these shipments are decided. [currency]"""
    network = replace(build_network(tables), decided=decided)
    return -solver.solve(as_problem(build_program(network)).relaxed, Limits()).objective


def measured(
    seen: dict[int, Tables], counts: Sequence[int], seeds: int, unseen: int, limits: Limits, solver: Solver
) -> pd.DataFrame:
    """One row a day and K: promised and kept (mean over seeds, and what seeds differ by), seconds a plan."""
    rows = []
    for day, tables in seen.items():
        fresh = drawn_anew(tables, unseen, UNSEEN_SEED)
        for count in counts:
            promised, kept, took = [], [], []
            for seed in range(seeds):
                began = time.monotonic()
                promise, decided = planned(drawn_anew(tables, count, seed), solver, limits)
                took.append(time.monotonic() - began)
                promised.append(promise)
                kept.append(worth(fresh, decided, solver))
            rows.append((day, count, np.mean(promised), np.mean(kept), np.std(kept), np.mean(took)))
    return pd.DataFrame(rows, columns=["day", "outlooks", "promised", "kept", "by_seed", "seconds"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("items", 2), ("weeks", 26), ("replication", 3), ("alike", 8), ("seeds", 4), ("unseen", 40)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--days", default="16,25,34", help="mornings, from the first day of the play")
    parser.add_argument("--outlooks", default="5,10,20")
    parser.add_argument("--supply", type=float, default=0.9)
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--plan-seconds", type=float, default=60)
    asked = parser.parse_args()
    days, counts = ([int(word) for word in words.split(",")] for words in (asked.days, asked.outlooks))
    setting = Setting(
        days=asked.weeks * WEEK, outlooks=5, alike=asked.alike, seed=1, gap=asked.gap, seconds=asked.plan_seconds
    )
    seen = mornings(iowa(asked.items, asked.weeks, asked.supply), setting, days, asked.replication)
    limits = Limits(gap=asked.gap, accept=asked.gap, seconds=asked.plan_seconds)
    with Solver() as solver:
        found = measured(seen, counts, asked.seeds, asked.unseen, limits, solver)
    sys.stdout.write(found.to_string(index=False, float_format="{:,.1f}".format) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
