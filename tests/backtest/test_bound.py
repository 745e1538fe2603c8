"""The clairvoyant bound plays by the rules of the game: whole packs, and every unit that is turned away is paid for."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from allocator.backtest import Setting, backtest
from allocator.backtest.bound import clairvoyant_bound
from allocator.backtest.player import Player
from allocator.engine.problem import Answer, Limits, Problem, SolverError
from allocator.engine.process import Solver
from allocator.tables import Tables, make_tables
from benchmarks.backtests import START
from tests.backtest.asking import asking

DAYS = 3
CHANNELS = ("store", "web")


def shop(stock: float = 10, pack: float | None = None, cancel: float | None = None) -> Tables:
    """A warehouse and a store a truck apart; the store sells over the counter, the warehouse to orders that may wait a day."""
    lanes = pd.DataFrame({"origin": ["W"], "destination": ["S"], "lead_time_days": [0]})
    dates = [START + dt.timedelta(t) for t in range(DAYS)]
    return make_tables(
        {"name": "shop", "currency": "EUR", "start": START, "horizon_days": DAYS},
        {
            "items": pd.DataFrame({"item": ["A"], "unit_cost": [0.0]}),
            "sites": pd.DataFrame({"site": ["W", "S"], "kind": ["dc", "store"]}),
            "lanes": lanes,
            "item_lanes": lanes[["origin", "destination"]].assign(item="A", pack_size=pack),
            "channels": pd.DataFrame(
                {"channel": CHANNELS, "priority": [1, 2], "unmet": ["lost", "backorder"], "max_wait_days": [0, 1]}
            ),
            "fulfilment": pd.DataFrame({"site": ["S", "W"], "channel": CHANNELS, "zone": ["S", "web"]}),
            "prices": pd.DataFrame(
                {"item": "A", "channel": CHANNELS, "margin": [9.0, 5.0], "unmet_cost": [2.0, 3.0], "cancel_cost": cancel}
            ),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": [c for c in CHANNELS for _ in dates],
                    "zone": ["S"] * DAYS + ["web"] * DAYS,
                    "date": dates * 2,
                    "mean": [2.0] * DAYS + [3.0] * DAYS,
                    "std": [2.0] * DAYS + [2.0] * DAYS,
                }
            ),
            "lots": pd.DataFrame(
                {"lot": ["L"], "item": ["A"], "site": ["W"], "quantity": [stock], "received_date": [START]}
            ),
        },
    )  # fmt: skip


def bound_of(tables: Tables, *asked: tuple[str, int, int]) -> float:
    """The bound where customers ask for this: channel, day and units, by day."""
    with Player(tables, Setting(days=DAYS)) as player:
        return clairvoyant_bound(player.ground, asking(player.ground.network, asked), player.solver, 1e-6, 60.0)


ASKED = (("store", 0, 4), ("web", 1, 8))


@pytest.mark.parametrize(
    ("pack", "cancel", "best"),
    [
        # four to the store, six of eight to the web, two turned away
        (None, None, 4 * 9 + 6 * 5 - 2 * 3),
        # accepted and cancelled is cheaper than refused
        (None, 1.0, 4 * 9 + 6 * 5 - 2 * 1),
        # a pack to the store leaves one customer without and seven units for the web, two packs would strand two
        (3.0, None, 3 * 9 - 2 + 7 * 5 - 3),
    ],
)
def test_the_bound_is_what_who_knows_all_demand_can_earn(pack: float | None, cancel: float | None, best: float) -> None:
    """By hand: 10 units; a store customer is worth 9 and costs 2 unserved, an order on the web 5 and 3."""
    assert bound_of(shop(10, pack, cancel), *ASKED) == pytest.approx(best, abs=1e-6)


def test_an_order_that_may_wait_past_the_end_is_paid_for_too() -> None:
    """An order of the last day that nobody serves is late by a day at least, or refused: three a unit either way."""
    assert bound_of(shop(1), ("web", DAYS - 1, 3)) == pytest.approx(5 - 2 * 3)


def test_the_relaxation_bounds_where_the_search_for_packs_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that fails on whole packs leaves the bound of shared ones: a third of a pack more to the store."""
    solve = Solver.solve

    def failing(self: Solver, problem: Problem, limits: Limits) -> Answer:
        if problem.integer.any():
            raise SolverError("made to fail")
        return solve(self, problem, limits)

    monkeypatch.setattr(Solver, "solve", failing)
    assert bound_of(shop(10, 3.0), *ASKED) == pytest.approx(4 * 9 + 6 * 5 - 2 * 3)


@pytest.mark.parametrize("pack", [None, 3.0])
def test_no_policy_earns_more_with_packs_and_orders_that_wait(pack: float | None) -> None:
    """On every drawn path, too little stock or plenty: the bound is above each policy's margin."""
    for stock in (6, 12, 30):
        policies = ["outlooks", "mean", "rule-a", "pull", "jit", "bound"]
        made = backtest(
            shop(stock, pack), Setting(days=DAYS, outlooks=3, seed=stock), policies=policies, replications=3
        )
        plays = made.tables["plays"].pivot(index="replication", columns="policy", values="margin")
        for policy in policies[:-1]:
            assert (plays["bound"] >= plays[policy] - 1e-6).all()
