"""Bid prices over the whole season: stock that is short behind the horizon of a plan is kept for who pays more for it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from allocator.backtest import Setting, backtest, policies
from allocator.backtest.decision import Decision, Gate, Shipments
from allocator.backtest.far import far_prices, is_fresh, looks_farther
from allocator.backtest.ground import build_ground
from allocator.backtest.play import play
from allocator.backtest.player import Player
from allocator.backtest.policies import POLICIES
from allocator.backtest.shelves import Shelves
from allocator.backtest.view import Lens, seen
from allocator.engine.problem import Answer, Limits, Problem, SolverError
from allocator.engine.process import Solver
from allocator.tables import Tables, make_tables
from benchmarks.backtests import START
from tests.backtest.asking import asking

DAYS, HORIZON = 20, 2
WEB, STORE = 2.0, 12.0
"""Units: on the web on each of the first six days; in the store on the last day alone."""
NOW = Lens(1, 0, 1, far=True)


def shop(stock: float, horizon: int = HORIZON, days: int = DAYS, comes: int = 0) -> Tables:
    """One site; the web pays 5 a unit from the first day on, the store 9 on the last day, which no plan of two days sees before.

    The stock is there from the first day, or ``comes`` later.
    """
    web = 6
    dates = [START + dt.timedelta(t) for t in range(days)]
    return make_tables(
        {"name": "shop", "currency": "EUR", "start": START, "horizon_days": horizon},
        {
            "items": pd.DataFrame({"item": ["A"], "unit_cost": [0.0]}),
            "sites": pd.DataFrame({"site": ["S"], "kind": ["store"]}),
            "lanes": pd.DataFrame({"origin": [], "destination": [], "lead_time_days": []}, dtype=str),
            "channels": pd.DataFrame({"channel": ["store", "web"], "priority": [1, 2]}),
            "fulfilment": pd.DataFrame({"site": "S", "channel": ["store", "web"], "zone": ["S", "web"]}),
            "prices": pd.DataFrame({"item": "A", "channel": ["store", "web"], "margin": [9.0, 5.0], "unmet_cost": 0.0}),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": ["web"] * days + ["store"] * days,
                    "zone": ["web"] * days + ["S"] * days,
                    "date": dates * 2,
                    "mean": [WEB] * web + [0.0] * (days - web) + [0.0] * (days - 1) + [STORE],
                    "std": 0.0,
                }
            ),
            "receipts": pd.DataFrame(
                {"receipt": ["R"], "item": ["A"], "site": ["S"], "quantity": [stock], "date": [dates[comes]]}
            ),
        },
    )  # fmt: skip


ASKED = [*(("web", day, WEB) for day in range(6)), ("store", DAYS - 1, STORE)]
"""What the forecasts say."""


def first_morning(tables: Tables) -> Tables:
    """What is seen to the season's end on the first day."""
    ground = build_ground(tables, DAYS)
    shelves = Shelves(ground)
    shelves.receive(0)
    return seen(ground, NOW, 0, shelves, [])


def played(player: Player, policy: str) -> float:
    """Margin on the demand that was foreseen."""
    tally = play(player.desk, POLICIES[policy], asking(player.ground.network, ASKED), Lens(1, 0, 1))
    return float(tally.money["earned"].sum())


@pytest.mark.parametrize(
    ("stock", "value"),
    [
        # the store takes all
        (10.0, 9.0),
        # twelve for the store, the web asks for twelve and gets two
        (14.0, 5.0),
        # more than anybody asks for
        (30.0, 0.0),
    ],
)
def test_a_unit_is_worth_what_the_last_customer_of_the_season_pays(stock: float, value: float) -> None:
    """By hand, from the linear program to the season's end, whose last days are one bucket."""
    tables = first_morning(shop(stock))
    assert tables.settings.buckets == (1, 1, DAYS - HORIZON)
    with Solver() as solver:
        assert far_prices(tables, solver, 60.0).get((0, 0), 0.0) == pytest.approx(value)


def test_goods_that_come_tomorrow_have_their_price_today() -> None:
    """A site that is empty when it is looked at is given the price of what comes in next."""
    with Solver() as solver:
        assert far_prices(first_morning(shop(10.0, comes=1)), solver, 60.0) == {(0, 0): pytest.approx(9.0)}
    with Player(shop(10.0, comes=1), Setting(days=DAYS)) as player:
        assert played(player, "mean") == pytest.approx(10 * 9)


def test_scarce_stock_is_kept_for_customers_behind_the_horizon() -> None:
    """Ten units: the store pays 9 for each on the last day; who sees two days sells them to the web for 5, as who comes first does."""
    with Player(shop(10.0), Setting(days=DAYS)) as player:
        assert played(player, "mean") == pytest.approx(10 * 9)
        assert played(player, "fcfs") == pytest.approx(10 * 5)


def test_ample_stock_is_sold_to_whoever_comes() -> None:
    """No floor is found where everybody is served."""
    with Player(shop(30.0), Setting(days=DAYS)) as player:
        assert played(player, "mean") == played(player, "fcfs") == pytest.approx(12 * 5 + 12 * 9)


def test_it_looks_farther_only_where_the_season_goes_on_behind_the_horizon() -> None:
    """Not in the last days, not where a plan sees all days, nor where the forecasts' last week repeats for ever."""
    ground = build_ground(shop(10.0), DAYS)
    assert [day for day in range(DAYS) if not looks_farther(ground, day)] == [DAYS - 2, DAYS - 1]
    assert not looks_farther(build_ground(shop(10.0, horizon=DAYS), DAYS), 0)
    assert not looks_farther(build_ground(shop(10.0), DAYS + 1), 0)
    # a play shorter than the forecasts still sees their end
    short = build_ground(shop(10.0), 7)
    assert looks_farther(short, 0)
    assert NOW.ahead(short, 3) == DAYS - 3


def test_it_looks_once_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies with admission control look on the first day and a week after they last did; first come first served and rules never."""
    looked: list[int] = []

    def look(tables: Tables, solver: Solver, seconds: float) -> dict[tuple[int, int], float]:
        looked.append((tables.settings.start - START).days)
        return far_prices(tables, solver, seconds)

    monkeypatch.setattr(policies, "far_prices", look)
    with Player(shop(10.0), Setting(days=DAYS)) as player:
        played(player, "mean")
        assert looked == [0, 7, 14]
        # the first day's decision is the same in all plays, its floor with it
        played(player, "mean")
        assert looked == [0, 7, 14, 7, 14]
        looked.clear()
        played(player, "fcfs")
        played(player, "rule-a")
        assert not looked


def test_plays_do_not_depend_on_what_was_played_before() -> None:
    """A replication is the same after another as alone."""
    setting = Setting(days=DAYS, outlooks=2, seed=3)
    tables = shop(10.0).frame("forecasts").assign(std=lambda f: np.sqrt(1.5 * f["mean"]))
    network = shop(10.0).replace(forecasts=tables)
    with Player(network, setting) as first:
        alone = first.play("mean", 1)["sample"]
    with Player(network, setting) as second:
        second.play("mean", 0)
        assert second.play("mean", 1)["sample"] == alone


def test_no_floor_where_the_solver_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that fails, or has no optimum in its time, leaves the near plan's prices as they are."""
    tables = first_morning(shop(10.0))

    def failing(self: Solver, problem: Problem, limits: Limits) -> Answer:
        raise SolverError("made to fail")

    def late(self: Solver, problem: Problem, limits: Limits) -> Answer:
        return Answer("deadline", np.zeros(len(problem.cost)), 0.0, 0.0, None, 0, 0, 0.0)

    with Solver() as solver:
        for broken in (failing, late):
            monkeypatch.setattr(Solver, "solve", broken)
            assert far_prices(tables, solver, 1.0) == {}


def test_the_floor_holds_until_it_is_a_week_old() -> None:
    """No bid price is lower; a price that is higher stays."""
    nothing = np.empty(0, dtype=np.int64)
    ships = Shipments(nothing, nothing, nothing, np.empty(0))
    decision = Decision(ships, Gate(price={(0, 0, 8): 6.0}))
    assert not is_fresh(decision.gate, 0)
    gate = decision.floored({(0, 0): 5.0}, 7).gate
    assert gate.pays(0, 0, 7, 5.0)
    assert not gate.pays(0, 0, 7, 4.9)
    assert not gate.pays(0, 0, 8, 5.5)
    assert gate.pays(0, 1, 7, 0.0)
    assert [is_fresh(gate, day) for day in (7, 13, 14)] == [True, True, False]


def test_what_later_plans_see_is_not_said_to_be_left_out() -> None:
    """Receipts and forecasts behind the first plan's horizon are used by later ones; those after the last day played are not."""
    behind = "after the horizon"
    tables = shop(10.0, comes=5)
    assert any(behind in note for note in tables.notes)
    for days, lost in ((DAYS, 0), (3, 1)):
        notes = backtest(tables, Setting(days=days), policies=["rule-a"], replications=1).facts["notes"]
        assert sum(behind in note for note in notes) == lost
        assert all(note.startswith("receipts: 1 row") for note in notes if behind in note)
